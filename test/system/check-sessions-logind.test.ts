import { afterAll, beforeAll, expect } from 'vitest';
import { until } from './processes.js';
import { describeSystem, systemTest } from './requirements.js';
import { WHOLE_HOST, WholeHost } from './whole-host.js';

/** Without the dependencies that every unit has, which would start half of this machine. */
const UNIT = '[Unit]\nDefaultDependencies=no\n';
const UNITS: Readonly<Record<string, string>> = {
  'dbus.socket': `${UNIT}[Socket]\nListenStream=/run/dbus/system_bus_socket\n`,
  'dbus.service': `${UNIT}Requires=dbus.socket\n[Service]\nType=notify\nNotifyAccess=main
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only\n`,
  'systemd-logind.service': `${UNIT}[Service]\nType=notify\nBusName=org.freedesktop.login1\nExecStart=/lib/systemd/systemd-logind\n`,
  // What logind starts for a session would start the rest of this machine, and end logins when it ends.
  ...Object.fromEntries(
    ['user@', 'user-runtime-dir@', 'systemd-user-sessions'].map((name) => [
      `${name}.service`,
      `${UNIT}[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n`,
    ]),
  ),
  'ssh.service': `${UNIT}[Service]\nKillMode=process\nExecStart=/usr/sbin/sshd -D -f /etc/test-sshd\n`,
};
const SSHD = [
  ...['Port 2222', 'HostKey /root/host', 'AuthorizedKeysFile /etc/test-keys', 'PidFile none', 'UsePAM yes'],
  ...['StrictModes no', 'PermitRootLogin yes', 'PasswordAuthentication no', ''],
].join('\n');
/** Terminals of its own, and an account with a shell. */
const PREPARE = `
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /dev/pts
mount --bind /dev/pts/ptmx /dev/ptmx
mkdir -p /run/sshd /run/dbus
touch /run/utmp /var/log/wtmp
sed -i 's|^\\(nobody:.*:\\).*|\\1/bin/sh|' /etc/passwd
ssh-keygen -q -t ed25519 -N '' -f /root/host
ssh-keygen -q -t ed25519 -N '' -f /root/user
cp /root/user.pub /etc/test-keys
systemctl daemon-reload
systemctl start dbus.service systemd-logind.service ssh.service`;

interface Seen {
  readonly sessions: ReadonlyArray<{
    readonly user: string;
    readonly tty: string | null;
    readonly monitor: { readonly pid: number };
    readonly logind: { readonly id: string; readonly scope: string; readonly state: string } | null;
    readonly audit: number;
    readonly records: readonly string[];
    readonly shownBy: string | null;
  }>;
  readonly findings: ReadonlyArray<{ readonly code: string; readonly severity: string; readonly suggest: string }>;
}

const NEEDS = [...WHOLE_HOST, 'sshd', 'ssh', 'systemctl', 'loginctl', 'dbus-daemon', 'pam-systemd'];
describeSystem('check sessions beside logind', NEEDS, () => {
  let host: WholeHost;
  beforeAll(async () => {
    host = await WholeHost.start('systemd');
    for (const [name, text] of Object.entries(UNITS)) await host.write(`/etc/systemd/system/${name}`, text);
    await host.write('/etc/test-sshd', SSHD);
    await host.must(['sh', '-ec', PREPARE]);
  });
  afterAll(() => host.remove());

  async function stay(command: string): Promise<void> {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'BatchMode=yes',
      'ConnectionAttempts=10',
    ];
    const ssh = ['ssh', '-F', 'none', '-i', '/root/user', '-p', '2222', ...options.flatMap((option) => ['-o', option])];
    const session = host.start([...ssh, '-tt', 'nobody@127.0.0.1', `echo ready; ${command} sleep 300`]);
    await until('nobody is in', () => session.output().includes('ready'));
  }
  async function check(): Promise<Seen> {
    const seen: Seen = JSON.parse((await host.blocklist(['check', 'sessions', '--json'])).stdout);
    // No journald runs here, and that is told.
    return { ...seen, findings: seen.findings.filter(({ code }) => code !== 'SRC-INCOMPLETE') };
  }
  const paste = (line: string) => host.paste(line.replace(/^sudo /, ''));

  systemTest('logind tells of a session, too; one cut out of utmp is ended as a whole', [], async () => {
    await stay('');
    const [session] = (await check()).sessions;
    const id = session?.logind?.id ?? '';
    expect(session).toMatchObject({
      ...{ user: 'nobody', records: ['utmp', 'logind', 'proc'], shownBy: 'utmp' },
      ...{ logind: { scope: `session-${id}.scope`, state: 'active' }, audit: Number(id) },
    });
    await host.paste(': > /run/utmp');
    const { findings } = await check();
    expect(findings).toMatchObject([{ code: 'SESSION-NO-RECORD', suggest: `sudo loginctl terminate-session ${id}` }]);
    await paste(findings[0]?.suggest ?? '');
    await until('it has ended', async () => (await check()).sessions.length === 0);
    expect((await check()).findings).toEqual([]);
  });

  systemTest('what is left in a scope when its session has ended, and the command that ends it', [], async () => {
    await stay('setsid nohup sleep 400 > /dev/null 2>&1 &');
    const [session] = (await check()).sessions;
    await host.must(['kill', String(session?.monitor.pid)]);
    await until('it has ended', async () => (await check()).sessions.length === 0);
    const { findings } = await check();
    const scope = session?.logind?.scope;
    expect(findings).toMatchObject([
      { code: 'SESSION-LEFTOVER', severity: 'medium', suggest: `sudo systemctl stop ${scope}` },
    ]);
    await paste(findings[0]?.suggest ?? '');
    expect((await check()).findings).toEqual([]);
  });
});
