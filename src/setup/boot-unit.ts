import { BOOT_LOADER } from './hardening.js';
import { PLACE } from './layout.js';
import { commandLine, type Unit, unit } from './unit-text.js';

export const BOOT_UNIT = 'blocklist-boot.service';

/**
 * Where the parts of the boot copy are: the table and the sets of this host, then the reviewed rules (src/apply/boot-copy.ts).
 * sha256sum reads names relative to its folder, hence env --chdir, which is no shell.
 */
const CHECKS = ['local', 'rules'].map((part) =>
  commandLine([
    '/usr/bin/env',
    `--chdir=${PLACE.boot}/${part}`,
    '/usr/bin/sha256sum',
    '--check',
    '--quiet',
    '--strict',
    'SHA256SUMS',
  ]),
);
const LOADS = ['local', 'rules'].map((part) =>
  commandLine(['/usr/sbin/nft', '-f', `${PLACE.boot}/${part}/blocklist.nft`]),
);

/**
 * Loads the boot copy with plain nft before the network is up, without this program. Debian's nftables.service and its kin begin with `flush
 * ruleset`, so ours comes after them, and again whenever nftables.service is restarted or reloaded.
 */
export function bootUnit(onFailure: string): Unit {
  const sections = {
    Unit: [
      'Description=Load the firewall blocklist before the network is up',
      'DefaultDependencies=no',
      'Wants=network-pre.target',
      'Before=network-pre.target shutdown.target',
      'Conflicts=shutdown.target',
      'After=nftables.service firewalld.service ufw.service netfilter-persistent.service',
      '# nftables.service flushes everything when it stops, starts and reloads.',
      'PartOf=nftables.service',
      'ReloadPropagatedFrom=nftables.service',
      `RequiresMountsFor=${PLACE.boot} /usr`,
      '# Nothing was applied yet. A link that leads nowhere is a damaged copy: it fails below and is reported.',
      `ConditionPathIsSymbolicLink=${PLACE.boot}/rules`,
      '# What was unloaded by hand stays so.',
      `ConditionPathExists=!${PLACE.unloaded}`,
      onFailure,
    ],
    Service: [
      'Type=oneshot',
      'RemainAfterExit=yes',
      'StandardInput=null',
      ...CHECKS.map((line) => `ExecStartPre=${line}`),
      ...LOADS.map((line) => `ExecStart=${line}`),
      '# A reload asks for no condition.',
      `ExecReload=${commandLine(['/usr/bin/test', '!', '-e', PLACE.unloaded])}`,
      ...[...CHECKS, ...LOADS].map((line) => `ExecReload=${line}`),
      'TimeoutStartSec=3min',
      '',
      ...BOOT_LOADER,
    ],
    Install: ['WantedBy=sysinit.target'],
  };
  return unit(BOOT_UNIT, sections, { isEnabled: true });
}
