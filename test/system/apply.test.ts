import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { liveSet, merged, plainList, SETS } from './live-sets.js';
import { Namespace } from './namespace.js';
import { must } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const FIRST = ['45.9.20.7', '45.9.20.7', '91.200.1.0/24', '80.0.0.16-80.0.0.23', '2a02:4780::/32', '2a0d:f302::1'];
const SECOND = ['45.9.20.8', '91.200.1.0/24', '91.200.0.0/24', '2a02:4780::/33', '2a0d:f302::1', '2a0d:f302::2'];

describeSystem('build, apply, status', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  beforeEach(async () => {
    namespace = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: FIRST }]);
  });
  afterEach(async () => {
    await namespace.remove();
    await project.remove();
  });

  async function expectLive(expected: Readonly<Record<(typeof SETS)[number], readonly string[]>>): Promise<void> {
    for (const set of SETS) {
      expect(await plainList(project.rules, set), `${set}.txt`).toEqual(expected[set]);
      expect(merged(await liveSet(namespace, set)), set).toEqual(merged(expected[set]));
    }
  }

  systemTest('the kernel holds what the lists say, and after a change the new lists', [], async () => {
    expect((await project.blocklist(namespace, 'build')).status).toBe(0);
    const before = await project.blocklist(namespace, 'status');
    expect(before.status).toBe(1);
    expect(before.stderr).toContain('not loaded');
    const applied = await project.blocklist(namespace, 'apply');
    expect(applied).toMatchObject({ status: 0, stdout: '' });
    expect(applied.stderr).toContain('read back: the kernel holds exactly this');
    await expectLive({
      nodes4: ['45.9.20.7'],
      nets4: ['80.0.0.16/29', '91.200.1.0/24'],
      nodes6: ['2a0d:f302::1'],
      nets6: ['2a02:4780::/32'],
    });
    const status = await project.blocklist(namespace, 'status');
    expect(status.status).toBe(0);
    expect(status.stderr).toContain('in sync');

    await project.configure([{ id: 'mine', lines: SECOND }]);
    await project.done(namespace, 'build');
    expect((await project.blocklist(namespace, 'status')).status).toBe(1);
    expect((await project.blocklist(namespace, 'apply')).status).toBe(0);
    await expectLive({
      nodes4: ['45.9.20.8'],
      nets4: ['91.200.0.0/23'],
      nodes6: ['2a0d:f302::1', '2a0d:f302::2'],
      nets6: ['2a02:4780::/33'],
    });
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
  });

  systemTest('a second apply has nothing to do and changes nothing', [], async () => {
    await project.done(namespace, 'build');
    await project.done(namespace, 'apply');
    const before = await namespace.ruleset();
    const again = await project.blocklist(namespace, 'apply');
    expect(again.status).toBe(0);
    expect(again.stderr).toMatch(
      /^nothing to do: \S+rules \(.*\) is loaded; read back: the kernel holds exactly this\n/,
    );
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('--dry-run says what would change, and changes nothing', [], async () => {
    const change = (prefixes: number, addresses: string) => ({ prefixes, addresses });
    await project.done(namespace, 'build');
    const first = await project.blocklist(namespace, 'apply', '--dry-run');
    expect(first.status).toBe(0);
    expect(first.stderr).toContain('nothing of ours is loaded now');
    expect(first.stderr).toContain('dry run: nothing was changed');
    expect(await namespace.ruleset()).toBe('');

    await project.done(namespace, 'apply');
    await project.configure([{ id: 'mine', lines: SECOND }]);
    await project.done(namespace, 'build');
    const before = await namespace.ruleset();
    const second = await project.blocklist(namespace, 'apply', '--dry-run', '--json');
    expect(second.status).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({
      schema: 'blocklist/apply',
      version: 1,
      plan: 'delta',
      why: null,
      // A block that grew or shrank came and went.
      sets: [
        { name: 'nodes4', add: change(1, '1'), remove: change(1, '1') },
        { name: 'nets4', add: change(1, '512'), remove: change(2, '264') },
        { name: 'nodes6', add: change(1, '1'), remove: change(0, '0') },
        {
          name: 'nets6',
          add: change(1, '39614081257132168796771975168'),
          remove: change(1, '79228162514264337593543950336'),
        },
      ],
      connections: [],
    });
    expect(await namespace.ruleset()).toBe(before);
  });

  systemTest('status writes nothing, and says the same as data', [], async () => {
    await project.done(namespace, 'build');
    await project.done(namespace, 'apply');
    const before = await namespace.ruleset();
    const files = async () => (await readdir(project.folder, { recursive: true })).sort();
    const listed = await files();
    const { status, stdout } = await project.blocklist(namespace, 'status', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'blocklist/status',
      version: 1,
      verdict: 'in-sync',
      differences: [],
      chains: [],
    });
    expect(await namespace.ruleset()).toBe(before);
    expect(await files()).toEqual(listed);
  });

  systemTest('a rendered script loads with nft alone, and status finds it in sync', [], async () => {
    await project.configure([{ id: 'mine', lines: FIRST }], { auto: [] });
    await project.done(namespace, 'build');
    await namespace.must(['nft', '-f', project.path('rules', 'blocklist.nft')]);
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
    expect((await project.blocklist(namespace, 'apply')).stderr).toMatch(/^nothing to do/);
  });

  systemTest('nft alone brings nothing that belongs to this host: status names it, apply brings it', [], async () => {
    await project.configure([{ id: 'mine', lines: FIRST }], { admins: ['9.0.0.0/24'], auto: [] });
    await project.done(namespace, 'build');
    await namespace.must(['nft', '-f', project.path('rules', 'blocklist.nft')]);
    const status = await project.blocklist(namespace, 'status');
    expect([status.status, status.stderr]).toEqual([
      1,
      expect.stringMatching(/^DIFFERS from what was loaded: allow4: 256 addresses missing, 0 too many\n/m),
    ]);
    await project.done(namespace, 'apply');
    expect(await liveSet(namespace, 'allow4')).toEqual(['9.0.0.0/24']);
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
    // A refill leaves them as they are.
    await namespace.must(['nft', '-f', project.path('rules', 'blocklist.nft')]);
    expect(await liveSet(namespace, 'allow4')).toEqual(['9.0.0.0/24']);
  });

  systemTest('an allowed address is in no set', [], async () => {
    await project.configure([{ id: 'mine', lines: ['91.200.1.0/30', '45.9.20.7'] }], { allow: ['91.200.1.1'] });
    await project.done(namespace, 'build');
    await project.done(namespace, 'apply');
    await expectLive({ nodes4: ['45.9.20.7', '91.200.1.0'], nets4: ['91.200.1.2/31'], nodes6: [], nets6: [] });
  });
});

describeSystem('a list of many lines', ['root', 'netns', 'nft', 'ip', 'iprange'], () => {
  systemTest('becomes what iprange makes of it, in the files and in the kernel', [], async () => {
    const namespace = await Namespace.create();
    // Every third address of some blocks, pairs, and blocks that overlap: 30,000 lines.
    const lines = Array.from({ length: 10_000 }, (_, i) => [
      `31.${i >> 8}.${i & 255}.${(i * 7) & 255}`,
      `77.${i >> 8}.${(i * 17) & 255}.${(i * 3) & 254}/31`,
      `91.${i >> 7}.${(i * 5) & 255}.${(i & 3) * 64}/${23 + (i % 4)}`,
    ]).flat();
    const project = await Project.create([{ id: 'many', lines }]);
    try {
      await project.done(namespace, 'build');
      await project.done(namespace, 'apply');
      const expected = (await must(['iprange', project.path('lists', 'many.txt')])).trim().split('\n');
      const nodes = expected.filter((line) => !line.includes('/'));
      const nets = expected.filter((line) => line.includes('/'));
      expect([nodes.length > 5_000, nets.length > 1_000]).toEqual([true, true]);
      expect(await plainList(project.rules, 'nodes4')).toEqual(nodes);
      expect(await plainList(project.rules, 'nets4')).toEqual(nets);
      expect(merged(await liveSet(namespace, 'nodes4'))).toEqual(merged(nodes));
      expect(merged(await liveSet(namespace, 'nets4'))).toEqual(merged(nets));
    } finally {
      await namespace.remove();
      await project.remove();
    }
  });
});
