import { BOOT_UNIT, bootUnit } from './boot-unit.js';
import { COPY_COMMAND } from './fail2ban.js';
import { FETCHER, LOADER, REPORTER } from './hardening.js';
import { PLACE, SYSTEM_USER } from './layout.js';
import { commandLine, type Unit, unit } from './unit-text.js';

const ON_FAILURE = 'OnFailure=blocklist-failed@%n.service';

/** Everything that systemd runs for us. `program` is how this program is called: an absolute path, and perhaps its script. */
export function units(program: readonly string[]): Unit[] {
  return [
    update(program),
    apply(program),
    harvest(program),
    nightly(),
    hourly(),
    halfHourly(),
    bootUnit(ON_FAILURE),
    reporter(),
  ];
}

function update(program: readonly string[]): Unit {
  return unit('blocklist-update.service', {
    Unit: [
      'Description=Fetch the lists of the firewall blocklist and render its rules',
      'Wants=network-online.target',
      'After=network-online.target',
      'OnSuccess=blocklist-apply.service',
      ON_FAILURE,
    ],
    Service: [
      'Type=oneshot',
      `User=${SYSTEM_USER}`,
      `Group=${SYSTEM_USER}`,
      '# Only root reads what fail2ban wrote. Without a copy the update goes on, says so, and works with the last bans it read.',
      `ExecStartPre=-+${commandLine(COPY_COMMAND)}`,
      `ExecStart=${commandLine([...program, 'update', '--quiet', '--config', PLACE.config])}`,
      '# Done, but a feed failed and its last good list serves: an ordinary night.',
      'SuccessExitStatus=3',
      'TimeoutStartSec=30min',
      'Nice=10',
      `Environment=BLOCKLIST_CACHE_DIR=${PLACE.cache} BLOCKLIST_STATE_DIR=${PLACE.updateState}`,
      'CacheDirectory=blocklist',
      'StateDirectory=blocklist/update',
      `ReadWritePaths=${PLACE.rules}`,
      '',
      ...FETCHER,
    ],
  });
}

function apply(program: readonly string[]): Unit {
  return unit('blocklist-apply.service', {
    Unit: [
      'Description=Load the rules of the firewall blocklist and mend what differs',
      `After=blocklist-update.service ${BOOT_UNIT} nftables.service firewalld.service ufw.service`,
      '# Before the first update there is nothing to load; after an unload by hand nothing comes back by itself.',
      `ConditionPathExists=${PLACE.rules}/manifest.json`,
      `ConditionPathExists=!${PLACE.unloaded}`,
      ON_FAILURE,
    ],
    Service: [
      'Type=oneshot',
      `ExecStart=${commandLine([...program, 'apply', '--repair', '--quiet', '--config', PLACE.config])}`,
      'SuccessExitStatus=3',
      'TimeoutStartSec=15min',
      `ReadWritePaths=${PLACE.state}`,
      '',
      ...LOADER,
    ],
  });
}

function harvest(program: readonly string[]): Unit {
  return unit('blocklist-stats.service', {
    Unit: ['Description=Gather what the firewall blocklist dropped, before the kernel forgets it', ON_FAILURE],
    Service: [
      'Type=oneshot',
      `ExecStart=${commandLine([...program, 'stats', '--harvest', '--quiet', '--config', PLACE.config])}`,
      'TimeoutStartSec=5min',
      'Nice=10',
      `ReadWritePaths=${PLACE.state}`,
      '',
      ...LOADER,
    ],
  });
}

/** The kernel remembers a host for an hour after its last packet. */
function halfHourly(): Unit {
  const sections = {
    Unit: ['Description=Gather what the firewall blocklist dropped every half hour'],
    Timer: [
      'OnBootSec=10min',
      'OnCalendar=*-*-* *:10,40:00',
      'RandomizedDelaySec=2min',
      'Unit=blocklist-stats.service',
    ],
    Install: ['WantedBy=timers.target'],
  };
  return unit('blocklist-stats.timer', sections, { isEnabled: true });
}

function nightly(): Unit {
  const sections = {
    Unit: ['Description=Refresh the firewall blocklist every night'],
    Timer: [
      'OnCalendar=*-*-* 03:17:00',
      '# Feeds are asked by thousands of hosts: spread the load.',
      'RandomizedDelaySec=45min',
      'Persistent=yes',
      'Unit=blocklist-update.service',
    ],
    Install: ['WantedBy=timers.target'],
  };
  return unit('blocklist.timer', sections, { isEnabled: true });
}

function hourly(): Unit {
  const sections = {
    Unit: ['Description=Mend the loaded firewall blocklist soon after boot and every hour'],
    Timer: ['OnBootSec=2min', 'OnCalendar=hourly', 'RandomizedDelaySec=10min', 'Unit=blocklist-apply.service'],
    Install: ['WantedBy=timers.target'],
  };
  return unit('blocklist-apply.timer', sections, { isEnabled: true });
}

/** Puts the last lines of a failed unit into the journal as errors, and sends a mail where there is a mail program. */
function reporter(): Unit {
  return unit('blocklist-failed@.service', {
    Unit: [
      'Description=Report that %i failed',
      '# An hourly unit that keeps failing is reported once a day.',
      'StartLimitIntervalSec=1d',
      'StartLimitBurst=1',
    ],
    Service: [
      'Type=oneshot',
      'SyslogIdentifier=blocklist-failed',
      'SyslogLevel=err',
      '# systemctl status ends with 3 for a unit that is not active.',
      'SuccessExitStatus=3',
      'ExecStart=/usr/bin/systemctl status --full --no-pager --lines=20 %i',
      'ExecStart=-/usr/bin/mail -s "%i failed on %H: see journalctl -u %i" root',
      'StandardInput=null',
      'TimeoutStartSec=1min',
      '',
      ...REPORTER,
    ],
  });
}
