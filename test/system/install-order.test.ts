import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { units } from '../../src/setup/units.js';
import { tempFolder } from '../io/temp.js';
import { run } from './processes.js';
import { describeSystem, systemTest } from './requirements.js';

/** The ordering lines of Debian 12's units, which are not all installed here. */
const EARLY = ['DefaultDependencies=no', 'Before=network-pre.target', 'Wants=network-pre.target'];
const FIREWALLS: Readonly<Record<string, readonly string[]>> = {
  nftables: [...EARLY, 'Before=shutdown.target', 'Conflicts=shutdown.target'],
  firewalld: ['Before=network-pre.target', 'Wants=network-pre.target', 'After=dbus.service polkit.service'],
  ufw: [...EARLY, 'After=local-fs.target'],
  'netfilter-persistent': [
    ...EARLY,
    'Wants=systemd-modules-load.service',
    'After=systemd-modules-load.service local-fs.target',
  ],
};
const NETWORKING = [
  'DefaultDependencies=no',
  'After=local-fs.target network-pre.target',
  'Before=network.target shutdown.target',
];
const service = (lines: readonly string[]) =>
  `[Unit]\n${lines.join('\n')}\n[Service]\nType=oneshot\nExecStart=/usr/bin/true\n`;

/** What systemd says of a boot that starts this firewall, ours and the network. */
async function bootWith(firewall: string, change: (boot: string) => string = (boot) => boot) {
  const folder = await tempFolder();
  await mkdir(join(folder, 'units'));
  const write = (name: string, text: string) => writeFile(join(folder, 'units', name), text);
  for (const { name, text } of units(['/usr/bin/true'])) {
    await write(name, name === 'blocklist-boot.service' ? change(text) : text);
  }
  await write(`${firewall}.service`, service(FIREWALLS[firewall] ?? []));
  await write('networking.service', service(NETWORKING));
  const wanted = `${firewall}.service blocklist-boot.service networking.service sysinit.target basic.target timers.target`;
  await write('boot.target', `[Unit]\nRequires=${wanted} blocklist.timer blocklist-apply.timer\n`);
  const path = `SYSTEMD_UNIT_PATH=${folder}/units:/lib/systemd/system`;
  return run(['env', path, 'systemd-analyze', 'verify', '--man=no', join(folder, 'units/boot.target')]);
}

describeSystem('the order of a boot, as systemd reckons it', ['systemd-analyze'], () => {
  for (const firewall of Object.keys(FIREWALLS)) {
    systemTest(`behind ${firewall}, without a cycle`, ['systemd-analyze'], async () => {
      expect(await bootWith(firewall)).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  }

  systemTest(
    'a cycle would be found: before sysinit.target, as firewalld comes after it',
    ['systemd-analyze'],
    async () => {
      const ran = await bootWith('firewalld', (boot) => boot.replace('Before=', 'Before=sysinit.target '));
      expect(ran.stderr).toContain('Found ordering cycle');
    },
  );

  systemTest('ours really comes last: a firewall behind it would be a cycle', ['systemd-analyze'], async () => {
    for (const firewall of Object.keys(FIREWALLS)) {
      const ran = await bootWith(firewall, (boot) => boot.replace('Before=', `Before=${firewall}.service `));
      expect({ firewall, stderr: ran.stderr }).toMatchObject({ stderr: expect.stringContaining('ordering cycle') });
    }
  });
});
