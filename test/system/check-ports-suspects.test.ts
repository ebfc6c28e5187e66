import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { doorAt, isOpen, LISTEN, opened, reviewOn, type SeenFinding } from './port-review.js';
import { start, until } from './processes.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';
import { WHOLE_HOST, WholeHost } from './whole-host.js';

const BASELINE = '/var/lib/blocklist/ports.json';
const PERL = '/usr/bin/perl';
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'env', 'HOME=/tmp'] as const;

describeSystem('check ports, where somebody hides', [...WHOLE_HOST, 'setpriv'], () => {
  let host: WholeHost;
  const running: number[] = [];
  beforeAll(async () => {
    host = await WholeHost.start('nothing');
  });
  afterAll(() => host.remove());
  afterEach(async () => {
    if (running.length > 0) await host.run(['kill', '-KILL', ...running.splice(0).map(String)]);
    await host.run(['rm', '-rf', '/var/lib/blocklist']);
  });

  async function open(ends: readonly string[], options: Parameters<typeof opened>[2] = {}) {
    const pid = await opened(host, ends, options);
    running.push(pid);
    return pid;
  }
  const short = ({ code, severity, evidence }: SeenFinding) => `${severity} ${code} ${evidence.executable}`;
  const found = async () => (await reviewOn(host)).findings.map(short);
  const copy = (to: string) => host.must(['cp', PERL, to]);
  const digest = async () => (await host.must(['sha256sum', PERL])).slice(0, 64);

  systemTest(
    'a program in /dev/shm and one that was removed: high, on loopback, too, and never accepted',
    [],
    async () => {
      await copy('/dev/shm/x');
      await copy('/usr/local/sbin/gone');
      const odd = await open(['tcp,0.0.0.0,3001'], { program: '/dev/shm/x' });
      const gone = await open(['tcp,127.0.0.1,3002'], { program: '/usr/local/sbin/gone' });
      await host.must(['rm', '/usr/local/sbin/gone']);
      const { findings, status } = await reviewOn(host);
      expect([status, ...findings.map(short)]).toEqual([
        1,
        'high PROC-TMP-EXE /dev/shm/x',
        'high PROC-DELETED-EXE /usr/local/sbin/gone',
      ]);
      expect(findings.map(({ evidence }) => evidence.sha256)).toEqual([await digest(), await digest()]);
      expect(findings[1]?.what).toContain(`/usr/local/sbin/gone (${gone}), which runs a file that was removed`);
      const accepted = await host.blocklist(['check', 'ports', '--accept']);
      expect(accepted.status).toBe(1);
      expect(accepted.stdout).toMatch(/^NOT accepted:\nhigh {4}PROC-TMP-EXE {2}tcp port 3001 /);
      expect(JSON.parse(await host.must(['cat', BASELINE]))).toMatchObject({ listeners: [] });
      // The command keeps what there is to see.
      await host.paste(findings[0]?.suggest ?? '');
      expect(findings[0]?.suggest).toBe(`kill -STOP ${odd}`);
      expect(await host.must(['cat', `/proc/${odd}/status`])).toMatch(/^State:\s+T/m);
    },
  );

  systemTest('an accepted port that somebody took over from /dev/shm', [], async () => {
    await copy('/dev/shm/y');
    const first = await open(['tcp,0.0.0.0,3003']);
    await host.blocklist(['check', 'ports', '--accept']);
    await host.must(['kill', '-KILL', String(first)]);
    const taker = await open(['tcp,0.0.0.0,3003'], { program: '/dev/shm/y' });
    expect((await reviewOn(host)).findings.map(({ what }) => what)).toEqual([
      `tcp port 3003 on every address is held by /dev/shm/y (${taker}), which runs from a folder where anybody may write; accepted there is /usr/bin/perl`,
    ]);
  });

  systemTest('a link to the removed file, and a file whose name says that it was removed', [], async () => {
    await copy('/usr/local/sbin/linked');
    await host.must(['ln', '/usr/local/sbin/linked', '/usr/local/sbin/kept']);
    await copy('/usr/local/sbin/odd (deleted)');
    await open(['tcp,127.0.0.1,3004'], { program: '/usr/local/sbin/linked' });
    await open(['tcp,127.0.0.1,3005'], { program: '/usr/local/sbin/odd (deleted)' });
    await host.must(['rm', '/usr/local/sbin/linked']);
    const review = await reviewOn(host);
    expect(review.findings.map(short)).toEqual(['high PROC-DELETED-EXE /usr/local/sbin/linked']);
    expect(doorAt(review, 3005).openers[0]?.executable).toEqual({
      path: '/usr/local/sbin/odd (deleted)',
      state: 'there',
    });
  });

  systemTest('after an upgrade the old file runs on: told, and no alarm', [], async () => {
    await copy('/usr/local/sbin/daemon');
    const pid = await open(['tcp,0.0.0.0,3006'], { program: '/usr/local/sbin/daemon' });
    await host.blocklist(['check', 'ports', '--accept']);
    await copy('/usr/local/sbin/daemon.new');
    await host.must(['mv', '/usr/local/sbin/daemon.new', '/usr/local/sbin/daemon']);
    const { status, findings } = await reviewOn(host);
    expect([status, findings.map(short)]).toEqual([0, ['low PROC-DELETED-EXE /usr/local/sbin/daemon']]);
    expect(findings[0]).toMatchObject({ suggest: `ls -l /proc/${pid}/exe`, evidence: { state: 'replaced' } });
  });

  systemTest('a program in memory alone, and one that calls itself a thread of the kernel', [], async () => {
    // memfd_create(2) of x86-64 and of the generic table.
    const memory = `
      my $fd = syscall(${process.arch === 'x64' ? 319 : 279}, my $name = 'helper', 0);
      open my $to, '>&=', $fd; open my $from, '<', '/usr/bin/perl'; binmode $_ for $to, $from;
      { local $/; print {$to} scalar <$from>; } $to->flush;
      exec { "/proc/self/fd/$fd" } 'sshd', '-e', <<'PERL', @ARGV;
${LISTEN}
PERL
    `;
    await open(['tcp,127.0.0.1,3007'], { script: memory });
    await open(['tcp,127.0.0.1,3008'], { script: `$0 = '[kworker/0:1]'; ${LISTEN}` });
    expect(await found()).toEqual(['high PROC-MEMFD /memfd:helper', 'high PROC-FAKE-KTHREAD /usr/bin/perl']);
  });

  systemTest(
    'a socket of the kernel and one of somebody outside have no owner; the command closes it',
    ['nft'],
    async () => {
      await host.must(['ip', 'link', 'add', 'vx', 'type', 'vxlan', 'id', '1', 'dstport', '4789', 'dev', 'lo']);
      await host.must(['ip', 'link', 'set', 'vx', 'up']);
      const hidden = start([
        'nsenter',
        '-t',
        String(host.init),
        '-n',
        PERL,
        '-e',
        LISTEN,
        'tcp,0.0.0.0,3009',
        'tcp,::1,3010',
      ]);
      try {
        await until('it listens', () => hidden.output().includes('ready'));
        const { findings, status, complete } = await reviewOn(host);
        expect([status, complete]).toEqual([1, true]);
        const shown = findings.map((each) => `${short(each)} ${each.evidence.protocol} ${each.evidence.port}`);
        expect(shown).toEqual([
          'medium PORT-NO-OWNER null tcp 3009',
          ...shown.slice(1, -1),
          'low PORT-NO-OWNER null tcp 3010',
        ]);
        expect(shown.filter((each) => each.startsWith('medium PORT-NO-OWNER null udp 4789')).length).toBeGreaterThan(0);
        const { stdout } = await host.blocklist(['check', 'ports']);
        expect(stdout).toMatch(/^tcp +0\.0\.0\.0:3009 +outside +NEW +unknown +unknown +unknown +none/m);
        expect(await isOpen(host, '127.0.0.1', 3009)).toBe(true);
        await host.paste(findings[0]?.suggest ?? '');
        expect(await isOpen(host, '127.0.0.1', 3009)).toBe(false);
        // Accepted as what it is, it is clean.
        expect((await host.blocklist(['check', 'ports', '--accept'])).status).toBe(0);
        expect(await reviewOn(host)).toMatchObject({ status: 0, findings: [{ severity: 'low' }] });
      } finally {
        await hidden.stop();
        await host.must(['ip', 'link', 'del', 'vx']);
        await host.run(['nft', 'delete', 'table', 'inet', 'closed_ports']);
      }
    },
  );

  systemTest('who is not root is told that it is not all, and nothing is clean or closed', [], async () => {
    await open(['tcp,0.0.0.0,22', 'tcp,127.0.0.1,3012']);
    const { status, complete, findings, listeners } = await reviewOn(host, NOBODY);
    expect([status, complete, findings.map(({ code }) => code)]).toEqual([3, false, ['SRC-INCOMPLETE']]);
    expect(findings[0]).toMatchObject({
      what: 'processes of other users do not show what they hold; listeners without a known owner: 2',
      suggest: expect.stringMatching(/^sudo .* check ports$/),
    });
    expect(listeners.map(({ state, close }) => [state, close])).toEqual([
      ['unseen', null],
      ['unseen', null],
    ]);
    // His own he sees.
    await open(['tcp,0.0.0.0,3013'], { before: NOBODY });
    expect((await reviewOn(host, NOBODY)).findings.map(short)).toEqual([
      'medium PORT-UNEXPECTED /usr/bin/perl',
      'info SRC-INCOMPLETE undefined',
    ]);
    const text = await host.blocklist(['check', 'ports'], NOBODY);
    expect(text.stdout).toMatch(/^tcp +0\.0\.0\.0:22 +outside +\? +not seen +not seen +not seen +none$/m);
    const accepted = await host.blocklist(['check', 'ports', '--accept'], NOBODY);
    expect(accepted).toMatchObject({ status: 5, stdout: '' });
    expect(accepted.stderr).toContain('nothing was accepted');
    expect((await host.run(['find', '/tmp/.local', '-name', 'ports.json'])).stdout).toBe('');
  });

  systemTest('root without rights over processes does not take what it cannot see for nobody', [], async () => {
    await open(['tcp,0.0.0.0,3014']);
    const { status, findings } = await reviewOn(host, WITHOUT_RIGHTS);
    expect([status, findings[0]]).toEqual([
      3,
      expect.objectContaining({ code: 'SRC-INCOMPLETE', suggest: 'grep CapEff /proc/self/status' }),
    ]);
  });

  systemTest('a damaged baseline is an error, and nothing is clean or overwritten', [], async () => {
    const listener = { protocol: 'tcp', port: 22, scope: 'any', executable: '/usr/sbin/sshd' };
    const good = { version: 1, at: 1, by: 'root', listeners: [listener] };
    const damaged: readonly unknown[] = [
      '{',
      {},
      [],
      { ...good, version: 2 },
      { ...good, more: 1 },
      { ...good, listeners: [{ ...listener, port: 0 }] },
      { ...good, listeners: [{ ...listener, protocol: 'sctp' }] },
      { ...good, listeners: [{ ...listener, executable: undefined }] },
    ];
    for (const content of damaged) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      await host.write(BASELINE, text);
      for (const more of [[], ['--accept']]) {
        const { status, stdout, stderr } = await host.blocklist(['check', 'ports', ...more]);
        expect({ text, status, stdout }).toEqual({ text, status: 5, stdout: '' });
        expect(stderr).toMatch(/ports\.json is damaged: .*\n {2}do: mend it, or move it away/);
      }
      expect(await host.must(['cat', BASELINE])).toBe(text);
    }
  });

  systemTest('names of files and processes move no cursor and make no line', [], async () => {
    const folder = '/usr/local/\x1b[2J\n0 0 \u202etxt';
    await host.must(['mkdir', '-p', folder]);
    await copy(`${folder}/x`);
    await open(['tcp,0.0.0.0,3015'], {
      program: `${folder}/x`,
      script: `$0 = "\\x1b[31m red\\n\\tok"; ${LISTEN}`,
    });
    await host.blocklist(['check', 'ports', '--accept']);
    for (const more of [[], ['--accept'], ['--json']]) {
      const { stdout } = await host.blocklist(['check', 'ports', ...more]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\u007f-\u009f]/);
      if (more[0] !== '--json') expect(stdout).not.toMatch(/\u202e|^0 0/m);
    }
    expect((await reviewOn(host)).listeners[0]).toMatchObject({ executable: `${folder}/x`, state: 'accepted' });
  });
});
