import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import type { Namespace } from './namespace.js';
import { must } from './processes.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { ours } from './waiting.js';

const SOURCES = [{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32'] }];

describeSystem('unload', ['root', 'netns', 'mountns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  const fresh = freshProjects(SOURCES);
  beforeEach(async () => {
    ({ namespace, project } = await fresh());
    await project.done(namespace, 'apply');
  });

  systemTest('by hand it stays so at night, which says who and when; apply loads again', [], async () => {
    await namespace.must(['env', 'SUDO_USER=erika', ...project.argv('unload', '--yes')]);
    expect(await namespace.ruleset()).toBe('');
    const night = await project.blocklist(namespace, 'apply', '--repair');
    expect(night.status).toBe(0);
    expect(night.stderr).toMatch(/not loaded: unloaded by erika on \d{4}-\d\d-\d\d \d\d:\d\d UTC; .* apply .*loads/);
    expect(await namespace.ruleset()).toBe('');
    const status = await project.blocklist(namespace, 'status');
    expect([status.status, status.stderr]).toEqual([1, expect.stringContaining('unloaded by erika')]);
    expect(status.stderr).not.toContain('DIFFERS');
    await project.done(namespace, 'apply');
    await project.done(namespace, 'status');
    await namespace.nft('delete table inet blocklist');
    await project.done(namespace, 'apply', '--repair');
    await project.done(namespace, 'status');
  });

  systemTest('twice is not an error; without --yes and without a terminal nothing is removed', [], async () => {
    const before = await namespace.ruleset();
    expect((await project.blocklist(namespace, 'unload')).status).toBe(4);
    expect((await project.done(namespace, 'unload', '--dry-run')).stderr).toContain('would delete table');
    expect(await namespace.ruleset()).toBe(before);
    await project.done(namespace, 'unload', '--yes');
    expect((await project.done(namespace, 'unload', '--yes')).stderr).toContain('nothing to do');
  });

  systemTest('a dormant table, and one with sets of others, go as well', [], async () => {
    await namespace.nft(
      'add table inet blocklist { flags dormant; }\nadd set inet blocklist theirs { type ipv4_addr; }',
    );
    await project.done(namespace, 'unload', '--yes');
    expect(await namespace.ruleset()).toBe('');
  });

  /** What must not hold it up at 3 a.m. */
  const TROUBLE: ReadonlyArray<readonly [what: string, make: () => Promise<unknown>, prefix: () => readonly string[]]> =
    [
      ['a configuration that cannot be read', () => writeFile(project.config, 'sources: [\n'), () => []],
      ['a configuration with an unknown key', () => writeFile(project.config, 'surces: {}\n'), () => []],
      ['no configuration any more', () => rm(project.config), () => []],
      ['a configuration that others may write', () => must(['chmod', '666', project.config]), () => []],
      ['a damaged pending.json', () => project.write('state/pending.json', '{"version"'), () => []],
      ['a damaged hold', () => project.write('state/rolled-back', 'x'), () => []],
      [
        'a file in place of the state folder',
        () => rm(project.path('state'), { recursive: true }).then(() => project.write('state', '')),
        () => [],
      ],
      [
        'a state folder that cannot be written',
        async () => undefined,
        () => inMounts('mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'),
      ],
      [
        'a full disk',
        async () => undefined,
        () => inMounts('mount -t tmpfs -o size=4k,nr_inodes=2 none "$0" && head -c 4096 /dev/zero >"$0/full"'),
      ],
    ];
  const inMounts = (mount: string) => ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, project.path('state')];
  for (const [what, make, prefix] of TROUBLE) {
    systemTest(`works in spite of ${what}, and tells when it is not written down`, [], async () => {
      await make();
      const ran = await namespace.run([...prefix(), ...project.argv('unload', '--yes', '--quiet')]);
      expect(await namespace.ruleset()).toBe('');
      const isHeld = await readFile(project.path('state', 'unloaded'), 'utf8').then(
        () => true,
        () => false,
      );
      if (isHeld && ran.status === 0) expect(ran.stderr).toBe('');
      else {
        expect(ran.status).toBe(3);
        expect(ran.stderr).toMatch(/^but: .*\n(.*\n)*stop the timers/);
      }
    });
  }

  systemTest('an unconfirmed load whose notes are damaged does not come back either', [], async () => {
    await project.configure([{ id: 'mine', lines: ['45.9.20.8'] }]);
    await project.done(undefined, 'build');
    await project.done(namespace, 'apply', '--confirm', '2s');
    await project.write('state/pending.json', '{');
    expect((await project.blocklist(namespace, 'unload', '--yes')).status).toBe(3);
    await pause(3_500);
    expect(await ours(namespace)).toBe('');
  });

  systemTest('another run holds the lock: told, as it may be loading', [], async () => {
    await mkdir(project.path('state', 'lock'));
    const before = await namespace.ruleset();
    const { status, stderr } = await project.blocklist(namespace, 'unload', '--yes');
    expect([status, stderr]).toEqual([5, expect.stringContaining('another blocklist run')]);
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('apply on a full disk: failed, and the kernel as before', [], async () => {
    await project.configure([
      {
        id: 'mine',
        lines: ['45.9.20.8', ...Array.from({ length: 3_000 }, (_, n) => `45.${n >> 8}.9.${(n % 128) * 2}`)],
      },
    ]);
    await project.done(undefined, 'build');
    const before = await ours(namespace);
    // Room for what is there, and not for another artefact.
    const size = 'size=$(( $(du -sk "$0.whole" | cut -f1) + 12 ))k';
    const small = `mount -t tmpfs -o ${size} none "$0" && cp -a "$0.whole/." "$0/" && rm -r "$0.whole" && exec "$@"`;
    const full = `cp -a "$0" "$0.whole" && ${small}`;
    for (const options of [['apply'], ['apply', '--fast'], ['apply', '--confirm', '60s']]) {
      const argv = ['unshare', '-m', 'sh', '-c', full, project.path('state'), ...project.argv(...options, '--json')];
      const ran = await namespace.run(argv);
      const { code } = JSON.parse(ran.stderr).error;
      expect([ran.status, code]).toEqual([5, expect.stringMatching(/^(file-unwritable|watchdog-failed)$/)]);
      expect(await ours(namespace)).toBe(before);
    }
  });
});
