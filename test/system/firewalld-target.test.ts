import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { FIREWALLD_NEEDS, type FirewalldStage, FREE, firewalldStage, LISTED } from './firewalld-stage.js';
import { Namespace } from './namespace.js';
import { type Background, until } from './processes.js';
import { Project, type TestSource } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const SOURCES: readonly TestSource[] = [
  { id: 'nodes', lines: [LISTED[0], LISTED[1]] },
  { id: 'nets', lines: ['91.200.0.0/22', '2a02:4780::/32'] },
];
const FILES = ['ipsets/blocklist-nets4.xml', 'ipsets/blocklist-nets6.xml', 'ipsets/blocklist-nodes4.xml'];
const ALL = [...FILES, 'ipsets/blocklist-nodes6.xml', 'zones/blocklist.xml'];

describeSystem('firewalld as the target', FIREWALLD_NEEDS, () => {
  let stage: FirewalldStage;
  let project: Project;
  beforeAll(async () => {
    stage = await firewalldStage();
  });
  afterAll(async () => {
    await stage?.remove();
    await project?.remove();
  });
  beforeEach(async () => {
    await project?.remove();
    project = await Project.create(SOURCES, { auto: [] });
    await project.done(undefined, 'build');
    if ((await files()).length === 0) return;
    for (const name of await files()) await stage.host.must(['rm', `/etc/firewalld/${name}`]);
    await stage.firewalld.cmd('--reload');
  });

  const apply = (...more: readonly string[]) =>
    project.blocklist(stage.host, 'apply', '--target', 'firewalld', ...more);
  const status = () => project.blocklist(stage.host, 'status', '--target', 'firewalld');
  const failure = async (ran: ReturnType<typeof apply>) => {
    const { status: end, stderr } = await ran;
    return { end, ...(JSON.parse(stderr).error as { code: string; message: string; where: string; hint: string }) };
  };
  async function reached(): Promise<boolean[]> {
    return Promise.all([...LISTED, ...FREE].map((from) => stage.reaches(from)));
  }
  /** Our files in the configuration of firewalld. */
  async function files(): Promise<string[]> {
    const found = await Promise.all(
      ['ipsets', 'zones'].map(async (folder) =>
        (await readdir(stage.firewalld.path(folder)))
          .filter((name) => name.startsWith('blocklist'))
          .map((name) => `${folder}/${name}`),
      ),
    );
    return found.flat().sort();
  }
  const ruleset = () => stage.host.must(['nft', '-s', 'list', 'ruleset']);

  systemTest('a round trip: dropped in both families, and gone to the last byte', [], async () => {
    const [before, zones] = [await ruleset(), await stage.firewalld.cmd('--permanent', '--list-all-zones')];
    const dry = await apply('--dry-run');
    expect([dry.status, dry.stderr]).toEqual([
      0,
      expect.stringMatching(/^would give firewalld \S*rules \(blocklist-nodes4 1,/),
    ]);
    expect([await ruleset(), await files()]).toEqual([before, []]);

    const { status: end, stderr } = await apply();
    expect([end, stderr]).toEqual([
      0,
      expect.stringMatching(/^reloaded firewalld with .*read back: the kernel holds exactly this$/m),
    ]);
    expect(stderr).toContain('published by DNAT (Docker), pass a zone of firewalld');
    expect(stderr).toContain('hits are not counted');
    expect(await files()).toEqual(ALL);
    expect(await reached()).toEqual([false, false, true, true]);
    expect(await status()).toMatchObject({ status: 0, stderr: expect.stringContaining('in sync') });
    expect((await apply()).stderr).toContain('nothing to do: firewalld holds');
    for (const turn of ['--reload', '--complete-reload']) {
      await stage.firewalld.cmd(turn);
      expect(await reached(), turn).toEqual([false, false, true, true]);
      expect((await status()).status, turn).toBe(0);
    }
    await stage.firewalld.stop();
    expect(await failure(apply('--json'))).toMatchObject({
      end: 2,
      code: 'firewalld-unfit',
      message: 'firewalld does not run',
    });
    await stage.firewalld.start();
    expect(await reached(), 'after a start').toEqual([false, false, true, true]);

    expect((await project.done(stage.host, 'unload', '--dry-run')).stderr).toContain(
      'would delete our zone and ipsets of firewalld',
    );
    expect((await project.done(stage.host, 'unload', '--yes')).stderr).toContain(
      'removed our zone and ipsets of firewalld',
    );
    expect([await files(), await stage.firewalld.cmd('--permanent', '--list-all-zones')]).toEqual([[], zones]);
    expect(await ruleset()).toBe(before);
    expect(await reached()).toEqual([true, true, true, true]);
    // The night leaves it so.
    expect(await apply('--repair')).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^not loaded: unloaded by /),
    });
    expect(await files()).toEqual([]);
  });

  systemTest('what runs ends: a connection of a listed host is closed, that of another goes on', [], async () => {
    const open: Background[] = [];
    try {
      for (const [from, end] of [
        [LISTED[0], '203.0.112.1'],
        [LISTED[1], '2a09:77::1'],
        [FREE[0], '203.0.112.1'],
      ]) {
        const code = `const s = require('node:net').connect({ host: '${end}', port: 22, localAddress: '${from}' }, () => console.log('open'));
          s.on('error', () => 0); s.on('close', () => console.log('closed')); setInterval(() => s.write('x'), 100);`;
        open.push(stage.peer.start([process.execPath, '-e', code]));
      }
      await until('all are open', () => open.every((each) => each.output().includes('open')));
      const { stderr } = await apply();
      expect(stderr).toMatch(/^ended: tcp 203\.0\.112\.2:\d+ with 203\.0\.112\.1:22, .*listed by nodes$/m);
      expect(stderr).toMatch(/^ended: tcp \[2a09:77::2\]:\d+ with \[2a09:77::1\]:22, /m);
      const established = async () =>
        (await stage.host.must(['ss', '-Htn', 'state', 'established', 'sport = :22'])).trim().split('\n');
      expect((await established()).map((line) => /203\.0\.112\.3/.test(line))).toEqual([true]);
    } finally {
      for (const each of open) await each.stop();
    }
  });

  systemTest('who is allowed here is left out, who is banned here is in', [], async () => {
    await project.done(stage.host, 'allow', LISTED[0]);
    await project.done(stage.host, 'ban', FREE[1], '--for', '1h');
    expect((await apply()).status).toBe(0);
    expect(await reached()).toEqual([true, false, true, false]);
    await project.done(stage.host, 'unban', FREE[1]);
    expect((await status()).status).toBe(1);
    expect((await apply()).status).toBe(0);
    expect(await reached()).toEqual([true, false, true, true]);
  });

  systemTest('a change by hand is seen and mended', [], async () => {
    expect((await apply()).status).toBe(0);
    await stage.host.nft(`delete element inet firewalld blocklist-nodes4 { ${LISTED[0]} }`);
    expect(await status()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('set blocklist-nodes4 holds other addresses'),
    });
    expect((await apply('--repair')).status).toBe(0);
    expect((await status()).status).toBe(0);
    await stage.firewalld.cmd('--zone=blocklist', '--remove-source=ipset:blocklist-nets6');
    expect(await status()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('does not ask for blocklist-nets6'),
    });
  });

  systemTest('an empty set has no ipset, and one that became empty loses it', [], async () => {
    expect((await apply()).status).toBe(0);
    await project.configure([{ id: 'nodes', lines: [LISTED[0]] }], { auto: [] });
    await project.done(undefined, 'build');
    expect((await apply()).status).toBe(0);
    expect(await files()).toEqual(['ipsets/blocklist-nodes4.xml', 'zones/blocklist.xml']);
    expect(await reached()).toEqual([false, true, true, true]);
  });

  systemTest(
    'what a zone cannot say is refused, each thing by its name: exit status 2, nothing changed',
    [],
    async () => {
      const yaml = `policy: {ports: [22], skip-interfaces: [wg0], also-outbound: true, log: 10/minute, icmp-echo-limit: 10/second}\n`;
      await writeFile(project.config, `${await readFile(project.config, 'utf8')}${yaml}`);
      await project.done(undefined, 'build');
      const before = await ruleset();
      const { end, code, message } = await failure(apply('--json'));
      expect([end, code]).toEqual([2, 'beyond-firewalld']);
      for (const key of ['ports', 'skip-interfaces', 'also-outbound', 'log', 'icmp-echo-limit']) {
        expect(message).toContain(`policy.${key}`);
      }
      expect([await ruleset(), await files()]).toEqual([before, []]);
    },
  );

  systemTest('nor can outbound lists; with policy.drop: new it is just what firewalld does', [], async () => {
    await project.configure([...SOURCES, { id: 'out', direction: 'out', lines: ['45.9.20.7'] }], { auto: [] });
    await project.done(undefined, 'build');
    expect(await failure(apply('--json'))).toMatchObject({
      end: 2,
      code: 'beyond-firewalld',
      message: expect.stringContaining('direction'),
    });
    await project.configure(SOURCES, { auto: [] });
    await writeFile(project.config, `${await readFile(project.config, 'utf8')}policy: {drop: new}\n`);
    await project.done(undefined, 'build');
    expect((await apply()).status).toBe(0);
    expect(await reached()).toEqual([false, false, true, true]);
  });

  systemTest('more than 20,000 entries are refused with the measured times, unless told', [], async () => {
    const lines = Array.from({ length: 20_001 }, (_, i) => `91.${(i >> 7) & 255}.${(i << 1) & 255}.1`);
    await project.configure([{ id: 'many', lines }], { auto: [] });
    await project.done(undefined, 'build');
    expect(await failure(apply('--json'))).toMatchObject({
      end: 4,
      code: 'firewalld-slow',
      message: expect.stringMatching(/20,001 entries, more than 20,000 \(measured reloads: .*46,084 in 6 s/),
    });
    expect(await files()).toEqual([]);
    const told = await apply('--accept-slow-reload', '--dry-run');
    expect([told.status, told.stderr]).toEqual([
      0,
      expect.stringContaining('(blocklist-nodes4 20,001), in one reload'),
    ]);
  });

  systemTest('a reload that would forget a port that is only open at run time is refused', [], async () => {
    await stage.firewalld.cmd('--add-port=2222/tcp');
    expect(await failure(apply('--json'))).toMatchObject({
      end: 4,
      code: 'runtime-only',
      message: expect.stringContaining('public: ports: 2222/tcp'),
      hint: expect.stringContaining('--runtime-to-permanent'),
    });
    expect(await files()).toEqual([]);
    await stage.firewalld.cmd('--reload');
    expect((await apply()).status).toBe(0);
    // Nor does an emergency forget it: hosts are freed at run time.
    await stage.firewalld.cmd('--add-port=2222/tcp');
    await project.done(stage.host, 'unload', '--yes');
    expect(await reached()).toEqual([true, true, true, true]);
    expect(await files()).toEqual([]);
    expect((await stage.firewalld.cmd('--list-ports')).trim()).toBe('2222/tcp');
    await stage.firewalld.cmd('--reload');
  });

  systemTest('files of others under our names are not touched', [], async () => {
    const zone = stage.firewalld.path('zones', 'blocklist.xml');
    const text = '<?xml version="1.0" encoding="utf-8"?>\n<zone><short>mine</short></zone>\n';
    await writeFile(zone, text);
    expect(await failure(apply('--json'))).toMatchObject({
      end: 4,
      code: 'firewalld-foreign',
      where: '/etc/firewalld/zones/blocklist.xml',
    });
    await project.done(stage.host, 'unload', '--yes');
    expect(await readFile(zone, 'utf8')).toBe(text);
    await stage.host.must(['rm', '/etc/firewalld/zones/blocklist.xml']);
  });

  systemTest('what firewalld refuses offline never reaches it; a reload that fails is taken back', [], async () => {
    expect((await apply()).status).toBe(0);
    const before = await ruleset();
    const broken = stage.firewalld.path('services', 'broken.xml');
    await writeFile(broken, '<service><port port="x" protocol="tcp"/></service>\n');
    await project.configure([{ id: 'nodes', lines: ['45.9.20.7'] }], { auto: [] });
    await project.done(undefined, 'build');
    expect(await failure(apply('--json'))).toMatchObject({ end: 5, code: 'firewalld-refused' });
    expect([await ruleset(), await files()]).toEqual([before, ALL]);
    await stage.host.must(['rm', '/etc/firewalld/services/broken.xml']);

    // The kernel refuses one of the entries that somebody added meanwhile: the first reload fails, the second brings the old files.
    const fails = 'echo 1 >> $0.count; [ $(wc -l < $0.count) != 1 ] || exit 13; exec $0.real "$@"';
    const script = `case "$1" in --reload) ${fails};; *) exec $0.real "$@";; esac`;
    const stand = project.path('firewall-cmd');
    await writeFile(stand, `#!/bin/sh\n${script.replaceAll('$0', stand)}\n`, { mode: 0o755 });
    await stage.host.must(['cp', '/usr/bin/firewall-cmd', `${stand}.real`]);
    const argv = project.argv('apply', '--target', 'firewalld', '--json');
    const mount = ['unshare', '-m', 'sh', '-c', `mount --bind ${stand} /usr/bin/firewall-cmd; "$@"; exit $?`, 'sh'];
    expect(await failure(stage.host.run([...mount, ...argv]))).toMatchObject({
      end: 5,
      message: expect.stringContaining('rolled back: firewalld is as before'),
    });
    expect([await ruleset(), await files()]).toEqual([before, ALL]);
  });

  systemTest(
    'an address that this host needs is not locked out; options that have no meaning are refused',
    [],
    async () => {
      await project.configure(SOURCES, { auto: [], admins: [LISTED[0]] });
      await project.done(undefined, 'build');
      expect(await failure(apply('--json'))).toMatchObject({ end: 4, code: 'lockout' });
      // Who only looks is refused nothing.
      expect((await status()).status).toBe(1);
      expect(await failure(apply('--json', '--fast'))).toMatchObject({ end: 2, code: 'bad-usage' });
      expect(await failure(apply('--json', '--confirm', '60s'))).toMatchObject({ end: 2, code: 'bad-usage' });
      expect(await files()).toEqual([]);
    },
  );

  systemTest('where no bus is there to ask it, what to do is told', [], async () => {
    const bare = await Namespace.withMounts('mkdir -p /run/dbus; mount -t tmpfs none /run/dbus');
    try {
      for (const command of ['apply', 'status']) {
        const ran = project.blocklist(bare, command, '--target', 'firewalld', '--json');
        expect(await failure(ran), command).toMatchObject({
          end: 2,
          code: 'firewalld-unfit',
          message: expect.stringMatching(/^firewalld does not (run|answer)/),
          hint: expect.stringContaining('blocklist apply'),
        });
      }
    } finally {
      await bare.remove();
    }
  });
});
