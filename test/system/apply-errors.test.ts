import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { must, type Ran, run } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest, WITHOUT_RIGHTS } from './requirements.js';

const NEEDS = ['root', 'netns', 'nft', 'ip'];

/** Far above what a refusal takes, far below the time that a program is given to end. */
const PROMPT_MS = 12_000;

/** The code in the JSON error object, which must be the only line on stderr. */
function codeOf({ stderr }: Ran): unknown {
  const lines = stderr.trim().split('\n');
  expect(lines).toHaveLength(1);
  const { error } = JSON.parse(lines[0] ?? '');
  expect(Object.keys(error).sort()).toEqual(['code', 'hint', 'message', 'where']);
  return error.code;
}

describeSystem('what the system denies', NEEDS, () => {
  let namespace: Namespace;
  let project: Project;
  beforeAll(async () => {
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.7', '91.200.1.0/24'] }]);
    await project.done(undefined, 'build');
  });
  beforeEach(async () => {
    namespace = await Namespace.create();
  });
  afterEach(() => namespace.remove());
  afterAll(() => project.remove());

  systemTest('a user without rights: exit status 5, no-permission, nothing changed', [], async () => {
    await namespace.nft('add table inet filter\nadd chain inet filter input { type filter hook input priority 0; }');
    const before = await namespace.ruleset();
    for (const command of [['apply'], ['apply', '--dry-run'], ['status'], ['unload', '--yes']]) {
      const ran = await namespace.run([...WITHOUT_RIGHTS, ...project.argv(...command, '--json')]);
      expect([ran.status, ran.stdout, codeOf(ran)], command.join(' ')).toEqual([5, '', 'no-permission']);
    }
    const { stderr } = await namespace.run([...WITHOUT_RIGHTS, ...project.argv('apply')]);
    expect(stderr).toContain('do: run as root, or with CAP_NET_ADMIN');
    expect(await namespace.ruleset()).toBe(before);
  });

  /** Runs a command where something else stands in the place of programs: `mounts` is a script for sh. */
  function withMounts(mounts: string, ...command: readonly string[]): Promise<Ran> {
    const argv = [
      'unshare',
      '-m',
      'sh',
      '-c',
      `set -e; ${mounts}; exec "$@"`,
      'sh',
      ...project.argv(...command, '--json'),
    ];
    return namespace.run(argv, { timeoutMs: PROMPT_MS });
  }

  systemTest('nft is not installed: exit status 5 at once, with the package to install', ['mountns'], async () => {
    // An empty folder in place of each that has an nft.
    const hidden = 'for d in /usr/sbin /sbin; do [ ! -e "$d/nft" ] || mount -t tmpfs none "$d"; done';
    for (const command of ['apply', 'status']) {
      const ran = await withMounts(hidden, command);
      expect([ran.status, ran.stdout, codeOf(ran)], command).toEqual([5, '', 'program-missing']);
      expect(JSON.parse(ran.stderr).error).toMatchObject({
        where: 'nft',
        hint: 'install it: apt-get install nftables',
      });
    }
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('nft cannot be run: exit status 5 at once, program-failed', ['mountns'], async () => {
    await project.write('not-a-program', '');
    const ran = await withMounts(`mount --bind ${project.path('not-a-program')} /usr/sbin/nft`, 'apply');
    expect([ran.status, ran.stdout, codeOf(ran)]).toEqual([5, '', 'program-failed']);
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('nft is too old: exit status 5, nft-too-old, nothing loaded; 1.0.2 is enough', ['mountns'], async () => {
    const withVersion = async (version: string) => {
      // The real program under another name, but for its version, which it tells when asked and in its JSON.
      const script = `#!/bin/sh
        [ "$1" = --version ] && echo 'nftables v${version} (An Old One)' && exit
        ${project.path('nft')} "$@" > ${project.path('said')}; status=$?
        sed 's/"version": "[^"]*"/"version": "${version}"/' ${project.path('said')}
        exit $status
      `;
      await project.write('old-nft', script);
      await must(['chmod', '755', project.path('old-nft')]);
      await must(['cp', '/usr/sbin/nft', project.path('nft')]);
      return withMounts(`mount --bind ${project.path('old-nft')} /usr/sbin/nft`, 'apply');
    };
    for (const version of ['0.9.0', '0.9.8', '1.0.1']) {
      const ran = await withVersion(version);
      expect([ran.status, ran.stdout, codeOf(ran)], version).toEqual([5, '', 'nft-too-old']);
      expect(JSON.parse(ran.stderr).error.message).toContain(version);
      expect(await namespace.ruleset()).toBe('');
    }
    const enough = await withVersion('1.0.2');
    expect([enough.status, enough.stderr]).toEqual([0, '']);
  });

  systemTest('a build needs no right at all to change the firewall', ['userns'], async () => {
    const own = await Project.create([{ id: 'mine', lines: ['45.9.20.7'] }]);
    try {
      const built = await run([...WITHOUT_RIGHTS, ...own.argv('build')]);
      expect(built.status).toBe(0);
      expect(built.stderr).toContain('nft -c accepts the rules, with up to 1,000 elements a set');
    } finally {
      await own.remove();
    }
  });

  systemTest('nor do whole countries, of which nft takes fewer at once in a user namespace', ['userns'], async () => {
    const own = await Project.create([]);
    try {
      await own.write(
        'blocklist.yaml',
        'sources: {countries: {block: [cn, ru]}}\npaths: {cache: cache, state: state}\n',
      );
      const built = await run([...WITHOUT_RIGHTS, ...own.argv('build')]);
      expect([built.status, built.stderr]).toEqual([
        0,
        expect.stringMatching(/nft -c accepts the rules, with up to 1(,0)?00 elements a set/),
      ]);
    } finally {
      await own.remove();
    }
  });
});

describeSystem('a user namespace with a small send buffer', [...NEEDS, 'userns'], () => {
  systemTest(
    'too large a transaction is loaded in parts: status finds it in sync',
    [],
    async () => {
      // As many as the largest real lists: 157,600 addresses and 46,084 blocks that do not touch.
      const nodes = Array.from(
        { length: 157_600 },
        (_, i) => `${31 + (i >> 15)}.${(i >> 7) & 255}.${(i << 1) & 255}.1`,
      );
      const nets = Array.from(
        { length: 46_084 },
        (_, i) => `${91 + (i >> 15)}.${(i >> 7) & 255}.${(i << 1) & 255}.0/24`,
      );
      const project = await Project.create([{ id: 'many', lines: [...nodes, ...nets] }]);
      try {
        await project.done(undefined, 'build');
        await project.write('state/.keep', '');
        await project.write(
          'before.nft',
          'add table inet blocklist\nadd set inet blocklist nodes4 { type ipv4_addr; elements = { 9.0.0.1 }; }\n',
        );
        // The rendered file alone does not go through here; it leaves everything as before.
        const script = `
        cd "$1"; shift
        nft -f before.nft; nft -a list ruleset > state/before
        nft -f rules/blocklist.nft 2> state/refusal; echo "nft $?"
        nft -a list ruleset | cmp - state/before; echo "cmp $?"
        "$@" apply --json --config blocklist.yaml; echo "apply $?"
        "$@" status --json --config blocklist.yaml; echo "status $?"
        nft list sets inet | grep -c 9.0.0.1
        nft -t list sets inet | grep -o 'set [a-z4-6_]*'`;
        const ran = await run([
          ...[...WITHOUT_RIGHTS, 'unshare', '-Urn', 'sh', '-c', script, 'sh', project.folder],
          ...project.argv().slice(0, 2),
        ]);
        expect(ran.stderr).toBe('');
        const [refused, same, applied = '', applyEnd, status = '', statusEnd, old, ...sets] = ran.stdout
          .trim()
          .split('\n');
        expect(await must(['cat', project.path('state/refusal')])).toMatch(/Message too long|No buffer space/);
        expect([refused, same, applyEnd, statusEnd, old]).toEqual(['nft 1', 'cmp 0', 'apply 0', 'status 0', '0']);
        expect(JSON.parse(applied)).toMatchObject({ plan: 'full', done: 'staged', mended: null });
        expect(JSON.parse(status)).toMatchObject({ verdict: 'in-sync', compared: 'every element', differences: [] });
        // nodes4 was there, so the new addresses stand beside it under its second name.
        expect(sets.map((line) => line.slice(4)).sort()).toEqual([
          ...['allow4', 'allow6', 'ban4', 'ban6', 'nets4', 'nets6', 'nodes4_b', 'nodes6', 'seen4', 'seen6'],
          'state',
        ]);
      } finally {
        await project.remove();
      }
    },
    240_000,
  );
});
