import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { doorAt, isOpen, LISTEN, opened, reviewIn, reviewOn, type SeenReview } from './port-review.js';
import { until } from './processes.js';
import { describeSystem, systemTest } from './requirements.js';
import { WHOLE_HOST, WholeHost } from './whole-host.js';

/** Without the dependencies that every unit has, which would start half of this machine. */
const UNIT = '[Unit]\nDefaultDependencies=no\n';
const service = (command: string) => `${UNIT}[Service]\n${command}\n`;
const listens = (...ends: readonly string[]) =>
  service(`ExecStart=/usr/bin/perl /usr/local/lib/listen.pl ${ends.join(' ')}\n[Install]\nWantedBy=test.target`);

describeSystem('check ports beside systemd', [...WHOLE_HOST, 'systemctl', 'sshd', 'ssh'], () => {
  let host: WholeHost;
  beforeAll(async () => {
    host = await WholeHost.start('systemd');
    await host.write('/usr/local/lib/listen.pl', LISTEN);
  });
  afterAll(() => host.remove());

  async function unit(name: string, text: string): Promise<void> {
    await host.write(`/etc/systemd/system/${name}`, text);
    await host.must(['systemctl', 'daemon-reload']);
    await host.must(['systemctl', 'start', name]);
  }
  const opens = (port: number, address = '127.0.0.1') => until(`${port} is open`, () => isOpen(host, address, port));

  systemTest('a service: its unit, and the command that stops it for good', [], async () => {
    await unit('web.service', listens('tcp,::,4001', 'udp,0.0.0.0,4001'));
    await host.must(['systemctl', 'enable', 'web.service']);
    await opens(4001);
    const review = await reviewOn(host);
    const door = doorAt(review, 4001);
    expect([door.units, door.close]).toEqual([['web.service'], 'systemctl disable --now web.service']);
    expect(review.findings[0]?.evidence).toMatchObject({ unit: 'web.service', executable: '/usr/bin/perl' });
    await host.paste(door.close ?? '');
    expect((await reviewOn(host)).listeners).toEqual([]);
    expect((await host.run(['systemctl', 'is-enabled', 'web.service'])).stdout).toBe('disabled\n');
  });

  systemTest('a unit whose name a shell would read in another way', [], async () => {
    await unit('odd\\x2dname@a.service', listens('tcp,127.0.0.1,4002'));
    await opens(4002);
    const { close } = doorAt(await reviewOn(host), 4002);
    expect(close).toBe("systemctl disable --now 'odd\\x2dname@a.service'");
    await host.paste(close ?? '');
    expect((await reviewOn(host)).listeners).toEqual([]);
  });

  systemTest('a socket that systemd holds: its unit, and with the service once that runs', [], async () => {
    await host.write('/etc/systemd/system/act.service', service('ExecStart=/usr/bin/sleep 1000'));
    await unit('act.socket', `${UNIT}[Socket]\nListenStream=4003\nListenDatagram=127.0.0.1:4003\n`);
    const before = await reviewOn(host);
    expect(doorAt(before, 4003)).toMatchObject({
      units: ['act.socket'],
      close: 'systemctl disable --now act.socket',
      openers: [{ pid: 1, package: 'systemd' }],
    });
    expect(doorAt(before, 4003, 'udp')).toMatchObject({ reach: 'loopback', units: ['act.socket'] });
    await host.blocklist(['check', 'ports', '--accept']);
    expect(await isOpen(host, '127.0.0.1', 4003)).toBe(true);
    await until('its service runs', async () => doorAt(await reviewOn(host), 4003).heirs.length === 1);
    const after = await reviewOn(host);
    // What was accepted is the socket: that its service began is no news.
    expect([after.status, doorAt(after, 4003).close]).toEqual([0, 'systemctl disable --now act.socket act.service']);
    await host.paste(doorAt(after, 4003).close ?? '');
    const { listeners, vanished } = await reviewOn(host);
    expect([listeners, vanished.map(({ port }) => port)]).toEqual([[], [4003]]);
  });

  systemTest('what systemd-run began has no file to disable', [], async () => {
    const run = ['systemd-run', '--quiet', '--unit=began', '--property=DefaultDependencies=no'];
    await host.must([...run, '/usr/bin/perl', '/usr/local/lib/listen.pl', 'tcp,0.0.0.0,4004']);
    await opens(4004);
    const { close } = doorAt(await reviewOn(host), 4004);
    expect(close).toBe('systemctl stop began.service');
    await host.paste(close ?? '');
    expect((await reviewOn(host)).listeners).toEqual([]);
  });

  systemTest('a service that was upgraded is restarted, not stopped', [], async () => {
    const program = '/usr/local/sbin/upgraded';
    await host.must(['cp', '/usr/bin/perl', program]);
    await unit('upgraded.service', service(`ExecStart=${program} /usr/local/lib/listen.pl tcp,127.0.0.1,4005`));
    await opens(4005);
    await host.must(['cp', program, `${program}.new`]);
    await host.must(['mv', `${program}.new`, program]);
    const [finding] = (await reviewOn(host)).findings;
    expect(finding).toMatchObject({ severity: 'low', suggest: 'systemctl restart upgraded.service' });
    await host.paste(finding?.suggest ?? '');
    await opens(4005);
    expect((await reviewOn(host)).findings).toEqual([]);
    await host.must(['systemctl', 'stop', 'upgraded.service']);
  });

  systemTest('a service that does more than to listen is not stopped for a port', [], async () => {
    await unit('systemd-resolved.service', listens('udp,0.0.0.0,5355'));
    await until('it is open', async () => (await reviewOn(host)).listeners.length > 0);
    const { close, units, openers } = doorAt(await reviewOn(host), 5355, 'udp');
    expect([units, close]).toEqual([['systemd-resolved.service'], `kill ${openers[0]?.pid}`]);
    await host.must(['systemctl', 'stop', 'systemd-resolved.service']);
  });

  describe('SSH', () => {
    const KEY = '/root/test-key';
    const CLIENT = ['ssh', '-F', 'none', '-i', KEY, '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes'];
    const TO = ['-o', 'StrictHostKeyChecking=no', '-o', 'LogLevel=ERROR', 'root@127.0.0.1'];
    const CHECK = [process.execPath, '/mnt/dist/cli.cjs', 'check', 'ports', '--json'];
    beforeAll(async () => {
      for (const file of [KEY, '/etc/test-host-key']) {
        await host.must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file]);
      }
      // Without PAM a session stays in the control group of the server: what it forwards would be the server's.
      const options = ['UsePAM no', 'PermitRootLogin yes', 'StrictModes no', 'GatewayPorts yes', 'PidFile none'];
      const files = ['HostKey /etc/test-host-key', `AuthorizedKeysFile ${KEY}.pub`];
      await host.write('/etc/test-sshd', [...options, ...files, ''].join('\n'));
    });
    afterEach(() => host.must(['systemctl', 'stop', 'ssh.service']));

    const sshd = (program: string) =>
      unit('ssh.service', service(`RuntimeDirectory=sshd\nExecStart=${program} -D -e -f /etc/test-sshd`));
    const harmful = ({ listeners, findings }: SeenReview) =>
      [...listeners.map(({ close }) => close ?? ''), ...findings.map(({ suggest }) => suggest)].filter((line) =>
        /ssh|\b22\b/.test(line),
      );

    systemTest('the server is kept, also beside a port that a session forwards as part of it', [], async () => {
      await sshd('/usr/sbin/sshd');
      await opens(22);
      const client = host.start([...CLIENT, '-R', '4010:127.0.0.1:1', ...TO, 'echo in; sleep 1000']);
      await until('the session is there', () => client.output().includes('in'));
      const review = await reviewOn(host);
      expect(doorAt(review, 22)).toMatchObject({
        ...{ executable: '/usr/sbin/sshd', units: ['ssh.service'], close: null, note: 'this is how you get in' },
        openers: [{ package: 'openssh-server' }],
      });
      expect(review.findings.find(({ evidence }) => evidence.port === 22)).toMatchObject({
        ...{ code: 'PORT-UNEXPECTED', note: 'keep it: this is how you get in' },
        suggest: expect.stringMatching(/ check ports --accept$/),
      });
      const forwarded = doorAt(review, 4010);
      expect([forwarded.units, forwarded.close]).toEqual([['ssh.service'], `kill ${forwarded.openers[0]?.pid}`]);
      expect(harmful(review)).toEqual([]);
      await host.paste(forwarded.close ?? '');
      await until('the forwarded port has gone', async () => (await reviewOn(host)).listeners.length === 1);
      expect(await isOpen(host, '127.0.0.1', 22)).toBe(true);
    });

    systemTest('what the session of the caller needs is kept', [], async () => {
      await sshd('/usr/sbin/sshd');
      await opens(22);
      const own = await host.run([...CLIENT, '-R', '4011:127.0.0.1:1', ...TO, ...CHECK]);
      const review = reviewIn(own);
      const notes = [22, 4011].map((port) => doorAt(review, port)).map(({ close, note }) => [close, note]);
      expect(notes).toEqual([
        [null, 'this is how you get in'],
        [null, 'your own session opened it and takes it along when it ends'],
      ]);
      expect(harmful(review)).toEqual([]);
    });

    systemTest(
      'a server that runs from /dev/shm is a finding, and its command shuts others out first',
      [],
      async () => {
        await host.must(['cp', '/usr/sbin/sshd', '/dev/shm/sshd']);
        await sshd('/dev/shm/sshd');
        await opens(22);
        const expected = { code: 'PROC-TMP-EXE', severity: 'high' };
        const outside = (await reviewOn(host)).findings[0];
        expect(outside).toMatchObject({
          ...expected,
          suggest: expect.stringMatching(/ lockdown --allow YOUR-ADDRESS$/),
        });
        const inside = reviewIn(await host.run([...CLIENT, ...TO, ...CHECK])).findings[0];
        expect(inside).toMatchObject({
          ...expected,
          suggest: expect.stringMatching(/ lockdown --allow 127\.0\.0\.1$/),
        });
      },
    );

    systemTest('systemd holds the port of SSH', [], async () => {
      await host.write('/etc/systemd/system/ssh@.service', service('ExecStart=/usr/sbin/sshd -i -f /etc/test-sshd'));
      await unit('ssh.socket', `${UNIT}[Socket]\nListenStream=22\nAccept=yes\n`);
      const review = await reviewOn(host);
      expect(doorAt(review, 22)).toMatchObject({ close: null, note: 'this is how you get in', units: ['ssh.socket'] });
      expect(harmful(review)).toEqual([]);
      await host.must(['systemctl', 'stop', 'ssh.socket']);
    });

    systemTest('who only calls himself sshd is not kept', [], async () => {
      const pid = await opened(host, ['tcp,0.0.0.0,4012'], { script: `$0 = 'sshd'; ${LISTEN}` });
      expect(doorAt(await reviewOn(host), 4012).close).toBe(`kill ${pid}`);
      await host.must(['kill', String(pid)]);
    });
  });
});
