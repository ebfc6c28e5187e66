import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { doorAt, ended, LISTEN, opened, reviewOn } from './port-review.js';
import { describeSystem, systemTest } from './requirements.js';
import { WHOLE_HOST, WholeHost } from './whole-host.js';

const BASELINE = '/var/lib/blocklist/ports.json';

describeSystem('check ports', WHOLE_HOST, () => {
  let host: WholeHost;
  const running: number[] = [];
  beforeAll(async () => {
    host = await WholeHost.start('nothing');
  });
  afterAll(() => host.remove());
  afterEach(async () => {
    if (running.length > 0) await host.run(['kill', ...running.splice(0).map(String)]);
    await host.run(['rm', '-f', BASELINE]);
  });

  async function open(...given: Parameters<typeof opened> extends [unknown, ...infer Rest] ? Rest : never) {
    const pid = await opened(host, ...given);
    running.push(pid);
    return pid;
  }
  const accept = () => host.blocklist(['check', 'ports', '--accept']);
  const codes = async () => (await reviewOn(host)).findings.map(({ code, severity }) => `${severity} ${code}`);

  systemTest('a host where nobody listens is clean', [], async () => {
    const ran = await host.blocklist(['check', 'ports']);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^listeners: 0, reachable from outside: 0; nothing was accepted yet/);
  });

  systemTest('every way to listen, in both families: from where it is reached, and by whom', [], async () => {
    const pid = await open([
      ...[
        'tcp,0.0.0.0,1001',
        'tcp,::,1002',
        'tcp,::,1003,only',
        'tcp,127.0.0.1,1004',
        'tcp,::1,1005',
        'tcp,127.8.8.8,1006',
      ],
      ...['udp,0.0.0.0,1007', 'udp,::,1008', 'udp,127.0.0.1,1009', 'udp,::1,1010', 'tcp,::ffff:127.0.0.1,1011'],
    ]);
    const review = await reviewOn(host);
    const seen = review.listeners.map(({ protocol, port, addresses, reach, scope, state }) =>
      [protocol, port, ...addresses, reach, scope, state].join(' '),
    );
    expect(seen).toEqual([
      'tcp 1001 0.0.0.0:1001 outside any new',
      'tcp 1002 *:1002 outside any new',
      'tcp 1003 [::]:1003 outside any new',
      'tcp 1004 127.0.0.1:1004 loopback loopback inside',
      'tcp 1005 [::1]:1005 loopback loopback inside',
      'tcp 1006 127.8.8.8:1006 loopback loopback inside',
      'tcp 1011 [::ffff:127.0.0.1]:1011 loopback loopback inside',
      'udp 1007 0.0.0.0:1007 outside any new',
      'udp 1008 *:1008 outside any new',
      'udp 1009 127.0.0.1:1009 loopback loopback inside',
      'udp 1010 [::1]:1010 loopback loopback inside',
    ]);
    for (const { openers, heirs, units, executable } of review.listeners) {
      expect(executable).toBe('/usr/bin/perl');
      expect(openers).toEqual([
        expect.objectContaining({ pid, user: 'root', package: 'perl-base', unit: null, name: 'perl' }),
      ]);
      expect([heirs, units]).toEqual([[], []]);
    }
    // Loopback is no finding; and what nobody manages is ended by itself.
    expect(review.findings.map(({ evidence }) => evidence.port)).toEqual([1001, 1002, 1003, 1007, 1008]);
    expect(new Set(review.findings.map(({ code, severity, suggest }) => `${code} ${severity} ${suggest}`))).toEqual(
      new Set([`PORT-UNEXPECTED medium kill ${pid}`]),
    );
    expect([review.status, review.complete]).toEqual([1, true]);
  });

  systemTest('the table of a person has a line for each, and below it what closes it', [], async () => {
    const pid = await open(['tcp,0.0.0.0,80', 'tcp,::,80,only', 'tcp,127.0.0.1,81']);
    const { status, stdout, stderr } = await host.blocklist(['check', 'ports']);
    const [table = '', findings = ''] = stdout.split('\n\n');
    expect(table.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['proto', 'address', 'reach', 'state', 'pid', 'user', 'executable', 'unit', 'package'],
      ['tcp', '0.0.0.0:80 [::]:80', 'outside', 'NEW', `${pid}`, 'root', '/usr/bin/perl', 'none', 'perl-base'],
      ['tcp', '127.0.0.1:81', 'loopback', `${pid}`, 'root', '/usr/bin/perl', 'none', 'perl-base'],
    ]);
    expect(findings).toMatch(/^medium {2}PORT-UNEXPECTED {2}tcp port 80 on every address is held by \/usr\/bin\/perl /);
    expect(findings).toMatch(new RegExp(`\n +do: kill ${pid} {4}\\(look first at what it is\\)\n$`));
    expect(stderr).toMatch(
      /^listeners: 2, reachable from outside: 1; nothing was accepted yet; to accept .*: .* check ports --accept\n$/,
    );
    expect(status).toBe(1);
  });

  systemTest(
    'accepted, it is clean; another program on the same port is a finding; what goes is told',
    [],
    async () => {
      const first = await open(['tcp,0.0.0.0,2001', 'udp,::,2002', 'tcp,127.0.0.1,2003']);
      const told = await accept();
      expect(told).toMatchObject({ status: 0, stderr: 'accepted in all: 2, new among them: 2\n' });
      expect(told.stdout).toBe(
        'accepted: tcp port 2001 on every address, /usr/bin/perl\naccepted: udp port 2002 on every address, /usr/bin/perl\n',
      );
      const { at, ...written } = JSON.parse(await host.must(['cat', BASELINE])) as { at: number };
      expect(Date.now() - at).toBeLessThan(60_000);
      const key = { scope: 'any', executable: '/usr/bin/perl' };
      expect(written).toEqual({
        version: 1,
        by: 'root',
        listeners: [
          { protocol: 'tcp', port: 2001, ...key },
          { protocol: 'udp', port: 2002, ...key },
        ],
      });
      const clean = await host.blocklist(['check', 'ports']);
      expect(clean.status).toBe(0);
      expect(clean.stdout).toContain(
        `accepted: tcp port 2001 on every address; to close it: kill ${first}    (look first at what it is)\n`,
      );
      expect(clean.stderr).toMatch(
        /^listeners: 3, reachable from outside: 2; compared with what root accepted at \d{4}-/,
      );
      expect(await reviewOn(host)).toMatchObject({
        status: 0,
        findings: [],
        vanished: [],
        baseline: { by: 'root', at },
      });

      // As after a restart: another process, the same program.
      await ended(host, first);
      await open(['tcp,0.0.0.0,2001']);
      const less = await reviewOn(host);
      expect(less).toMatchObject({ status: 0, findings: [], vanished: [{ port: 2002, executable: '/usr/bin/perl' }] });
      expect((await host.blocklist(['check', 'ports'])).stdout).toContain(
        '\nno longer there: udp port 2002 on every address, /usr/bin/perl\n',
      );

      await ended(host, ...running.slice(-1));
      await host.must(['cp', '/usr/bin/perl', '/usr/local/sbin/other']);
      const other = await open(['tcp,0.0.0.0,2001'], { program: '/usr/local/sbin/other' });
      const taken = await reviewOn(host);
      expect(taken.status).toBe(1);
      expect(taken.findings).toEqual([
        expect.objectContaining({
          code: 'PORT-UNEXPECTED',
          what: `tcp port 2001 on every address is held by /usr/local/sbin/other (${other}); accepted there is /usr/bin/perl`,
          evidence: expect.objectContaining({ package: null, pids: [other], executable: '/usr/local/sbin/other' }),
        }),
      ]);
      // Once more, with the new one: the old one and what went are accepted no longer.
      expect((await accept()).stdout).toBe(
        [
          'accepted: tcp port 2001 on every address, /usr/local/sbin/other\n',
          'no longer accepted: tcp port 2001 on every address, /usr/bin/perl\n',
          'no longer accepted: udp port 2002 on every address, /usr/bin/perl\n',
        ].join(''),
      );
      expect((await reviewOn(host)).status).toBe(0);
    },
  );

  systemTest('a wider address than the accepted one is a finding', [], async () => {
    await host.must(['ip', 'address', 'replace', '10.9.8.7/32', 'dev', 'lo']);
    const [narrow] = [await open(['tcp,10.9.8.7,2010'])];
    expect(doorAt(await reviewOn(host), 2010)).toMatchObject({ scope: 'private', state: 'new' });
    await accept();
    expect((await reviewOn(host)).status).toBe(0);
    await ended(host, narrow);
    await open(['tcp,0.0.0.0,2010']);
    const { status, findings } = await reviewOn(host);
    expect([status, findings[0]?.what]).toEqual([
      1,
      expect.stringMatching(/; accepted there is \/usr\/bin\/perl on an address of a private network$/),
    ]);
  });

  systemTest('two programs on one port: who was not accepted is found', [], async () => {
    await host.must(['cp', '/usr/bin/perl', '/usr/local/sbin/second']);
    await open(['tcp,0.0.0.0,2020']);
    await accept();
    const second = await open(['tcp,0.0.0.0,2020'], { program: '/usr/local/sbin/second' });
    const { listeners, findings } = await reviewOn(host);
    expect(listeners.map(({ executable, state }) => `${executable} ${state}`)).toEqual([
      '/usr/bin/perl accepted',
      '/usr/local/sbin/second new',
    ]);
    expect(findings.map(({ evidence }) => evidence.pids)).toEqual([[second]]);
  });

  systemTest(
    'a port of UDP that the kernel chose is another one tomorrow: the program is what counts',
    [],
    async () => {
      await host.must(['cp', '/usr/bin/perl', '/usr/local/sbin/avahi']);
      const program = '/usr/local/sbin/avahi';
      const first = await open(['udp,0.0.0.0,0', 'udp,0.0.0.0,0'], { program });
      expect(doorAt(await reviewOn(host), 'changing', 'udp').addresses).toHaveLength(2);
      await accept();
      await ended(host, first);
      await open(['udp,0.0.0.0,0'], { program });
      expect(await reviewOn(host)).toMatchObject({ status: 0, findings: [], vanished: [] });
      // Of an interpreter nobody knows what it runs.
      await open(['udp,0.0.0.0,0']);
      expect(await codes()).toEqual(['medium PORT-UNEXPECTED']);
    },
  );

  systemTest('workers that have the socket from who opened it are no door of their own', [], async () => {
    await host.must(['cp', '/usr/bin/perl', '/usr/local/sbin/worker']);
    await host.must(['cp', '/usr/bin/perl', '/dev/shm/w']);
    const family = LISTEN.replace(
      'print "ready',
      '$^F = 1000; fcntl($_, 2, 0) for @kept; fork or exec(PROGRAM, "-e", "sleep 1000"); print "ready',
    );
    const script = (program: string) => family.replace('PROGRAM', `"${program}"`);
    const pid = await open(['tcp,0.0.0.0,2030'], { script: script('/usr/local/sbin/worker') });
    const door = doorAt(await reviewOn(host), 2030);
    expect([door.openers.map((each) => each.pid), door.heirs.map(({ executable }) => executable?.path)]).toEqual([
      [pid],
      ['/usr/local/sbin/worker'],
    ]);
    running.push(...door.heirs.map((each) => each.pid));
    await open(['tcp,127.0.0.1,2031'], { script: script('/dev/shm/w') });
    const { findings, listeners } = await reviewOn(host);
    const heir = listeners.find(({ port }) => port === 2031)?.heirs[0]?.pid ?? 0;
    running.push(heir);
    expect(findings[0]).toMatchObject({ code: 'PROC-TMP-EXE', severity: 'high', suggest: `kill -STOP ${heir}` });
  });
});
