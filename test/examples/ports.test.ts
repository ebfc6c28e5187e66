import { afterAll, beforeAll } from 'vitest';
import { isOpen, LISTEN } from '../system/port-review.js';
import { until } from '../system/processes.js';
import { describeSystem, systemTest } from '../system/requirements.js';
import { WHOLE_HOST, WholeHost } from '../system/whole-host.js';
import { runPage } from './page.js';

/** Numbers of processes, times, and the width of columns that follows from them. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE')
    .replace(/(NEW|accepted|loopback) +\d+ /g, '$1 PID ')
    .replace(/\((\d+)([:)])/g, '(PID$2')
    .replace(/(kill(?: -STOP)?) \d+/g, '$1 PID')
    .replace(/ {2,}/g, '  ');
}

const UNIT = '[Unit]\nDefaultDependencies=no\n[Service]\n';
const service = (command: string, more = '') => `${UNIT}ExecStart=${command}\n${more}`;
const listens = (end: string) =>
  service(`/usr/bin/perl /usr/local/lib/app.pl ${end}`, '[Install]\nWantedBy=test.target\n');
/** What an intruder leaves: the program is gone, its process goes on, on the port that was accepted. */
const TAKEOVER = `
  systemctl stop shop
  cp /usr/bin/perl /dev/shm/.x
  setsid /dev/shm/.x /usr/local/lib/app.pl tcp,0.0.0.0,8080 > /dev/null 2>&1 < /dev/null &
`;

describeSystem('the page on ports', [...WHOLE_HOST, 'systemctl', 'sshd', 'ssh-keygen'], () => {
  let host: WholeHost;
  beforeAll(async () => {
    host = await WholeHost.start('systemd');
    await host.write('/usr/local/lib/app.pl', LISTEN);
    await host.must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/etc/page-key']);
    const sshd = '/usr/sbin/sshd -D -f /dev/null -h /etc/page-key -o PidFile=none';
    await host.write('/etc/systemd/system/ssh.service', service(sshd, 'RuntimeDirectory=sshd\n'));
    await host.write('/etc/systemd/system/shop.service', listens('tcp,0.0.0.0,8080'));
    await host.write('/etc/systemd/system/old-print.service', listens('tcp,::,631'));
    await host.write('/etc/systemd/system/database.service', listens('tcp,127.0.0.1,5432'));
    await host.must(['systemctl', 'daemon-reload']);
    await host.must(['systemctl', 'start', 'ssh', 'shop', 'old-print', 'database']);
    for (const port of [22, 8080, 631, 5432]) await until(`${port} is open`, () => isOpen(host, '127.0.0.1', port));
    // A program that calls itself as an installed one does.
    await host.must(['mkdir', '/usr/local/lib/blocklist']);
    await host.must(['ln', '-s', '/mnt/dist/cli.cjs', '/usr/local/lib/blocklist/blocklist']);
    const program = `#!/bin/sh\nexec '${process.execPath}' /usr/local/lib/blocklist/blocklist "$@"\n`;
    await host.write('/usr/local/bin/blocklist', program);
    await host.must(['chmod', '755', '/usr/local/bin/blocklist']);
  });
  afterAll(() => host.remove());

  systemTest('every command prints what the page shows', [], async () => {
    let looks = 0;
    await runPage('ports', {
      atLeast: 6,
      steady,
      runIn: async (argv) => {
        const command = argv.at(-1) ?? '';
        // Between the second and the third look somebody comes.
        if (/check ports$/.test(command) && ++looks === 3) {
          await host.paste(TAKEOVER);
          await until('he listens', () => isOpen(host, '127.0.0.1', 8080));
          await host.must(['rm', '/dev/shm/.x']);
        }
        return host.run(['env', 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'sh', '-c', command]);
      },
    });
  });
});
