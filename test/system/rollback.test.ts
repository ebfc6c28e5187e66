import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import { liveSet } from './live-sets.js';
import type { Namespace } from './namespace.js';
import { must } from './processes.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { ours } from './waiting.js';

const at = (n: number) => [{ id: 'mine', lines: [`45.9.20.${n}`, `91.200.${4 * n}.0/22`, '2a02:4780::/32'] }];

describeSystem('rollback at any later time', ['root', 'netns', 'nft', 'ip'], () => {
  let namespace: Namespace;
  let project: Project;
  const fresh = freshProjects(at(1), async (template) => {
    for (const n of [1, 2, 3, 4, 5, 6]) {
      await template.configure(at(n));
      await template.done(undefined, 'build');
      await cp(template.rules, template.path('built', String(n)), { recursive: true });
    }
  });
  beforeEach(async () => {
    ({ namespace, project } = await fresh());
  });

  /** Rules number n are what was reviewed last. */
  async function reviewed(n: number): Promise<void> {
    await rm(project.rules, { recursive: true });
    await cp(project.path('built', String(n)), project.rules, { recursive: true });
  }

  /** Loads rules number n; their digest. */
  async function load(n: number): Promise<string> {
    await reviewed(n);
    await project.done(namespace, 'apply', '--fast');
    return digest();
  }

  async function digest(): Promise<string> {
    return /sha256:([0-9a-f]{64})/.exec(await ours(namespace))?.[1] ?? 'none';
  }

  /** Which rules the kernel holds, proven by their elements. */
  async function loaded(): Promise<number> {
    const [node = ''] = await liveSet(namespace, 'nodes4');
    const n = Number(node.split('.')[3]);
    expect(await liveSet(namespace, 'nets4')).toEqual([`91.200.${4 * n}.0/22`]);
    return n;
  }

  async function failed(...command: readonly string[]) {
    const before = await namespace.ruleset();
    const { status, stderr } = await project.blocklist(namespace, ...command, '--json');
    expect(await namespace.ruleset()).toBe(before);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string; where: string } };
    return { status, ...error };
  }

  async function keptFolders(): Promise<string[]> {
    return (await readdir(project.path('state', 'kept'))).filter((name) => /^[0-9a-f]{16}$/.test(name)).sort();
  }

  systemTest('the last five loads are kept; the sixth drops the oldest with its files', [], async () => {
    const digests: string[] = [];
    for (const n of [1, 2, 3, 4, 5, 6]) digests.push(await load(n));
    expect(await keptFolders()).toEqual(
      digests
        .slice(1)
        .map((text) => text.slice(0, 16))
        .sort(),
    );
    const gone = await failed('rollback', digests[0] ?? '');
    expect(gone).toMatchObject({ status: 4, code: 'nothing-kept', hint: expect.stringContaining('kept are') });
    for (const n of [2, 4, 3, 6, 5]) {
      await project.done(namespace, 'rollback', digests[n - 1]?.slice(0, 12) ?? '');
      expect(await loaded()).toBe(n);
    }
    await project.done(namespace, 'rollback', `sha256:${digests[2]}`);
    expect(await loaded()).toBe(3);
  });

  systemTest('the one before, and again the one before: what was loaded since is the way forth', [], async () => {
    for (const n of [1, 2, 3]) await load(n);
    const dry = await project.done(namespace, 'rollback', '--dry-run');
    expect([dry.stderr, await loaded()]).toEqual([expect.stringContaining('would change'), 3]);
    await project.done(namespace, 'rollback');
    expect(await loaded()).toBe(2);
    await project.done(namespace, 'rollback');
    expect(await loaded()).toBe(3);
  });

  systemTest('a digest is named by its begin; nothing else is meant', [], async () => {
    const [one = '', two = ''] = [await load(1), await load(2)];
    const middle = [...one].map((_, k) => one.slice(k, k + 6)).find((part) => !`${one} ${two}`.startsWith(part)) ?? '';
    expect(await failed('rollback', middle)).toMatchObject({ status: 4, code: 'nothing-kept' });
    expect(await failed('rollback', 'a256:')).toMatchObject({ status: 4 });
    expect(await failed('rollback', '')).toMatchObject({ status: 4 });
    expect(await failed('rollback', 'sha256:')).toMatchObject({ status: 4 });
    expect(await failed('rollback', '../../x')).toMatchObject({ status: 4 });
    expect(await loaded()).toBe(2);
  });

  systemTest('nothing earlier: exit status 4', [], async () => {
    expect(await failed('rollback')).toMatchObject({ status: 4, code: 'nothing-kept' });
    await load(1);
    expect(await failed('rollback')).toMatchObject({ status: 4, code: 'nothing-kept' });
  });

  systemTest('the night keeps it and mends drift towards it; apply lifts it', [], async () => {
    for (const n of [1, 2]) await load(n);
    await namespace.must(['env', 'SUDO_USER=erika', ...project.argv('rollback')]);
    await namespace.nft('flush set inet blocklist nets4\nadd element inet blocklist nodes4 { 9.9.9.9 }');
    await reviewed(3);
    const night = await project.done(namespace, 'apply', '--repair');
    expect(night.stderr).toMatch(/held: rolled back by erika on \d{4}-\d\d-\d\d/);
    expect(await loaded()).toBe(1);
    await namespace.nft('delete table inet blocklist');
    await project.done(namespace, 'apply', '--repair');
    expect(await loaded()).toBe(1);
    const { status, stderr } = await project.blocklist(namespace, 'status');
    expect([status, stderr]).toEqual([1, expect.stringMatching(/rolled-back by erika/)]);
    await project.done(namespace, 'apply');
    expect(await loaded()).toBe(3);
    await reviewed(4);
    await project.done(namespace, 'apply', '--repair');
    expect(await loaded()).toBe(4);
  });

  systemTest('the guard against a lockout holds for it', [], async () => {
    for (const n of [1, 2]) await load(n);
    await project.configure(at(2), { admins: ['45.9.20.1'] });
    expect(await failed('rollback')).toMatchObject({ status: 4, code: 'lockout' });
    expect(await loaded()).toBe(2);
  });

  systemTest('a kept copy that is damaged is not loaded', [], async () => {
    const first = await load(1);
    await load(2);
    const script = project.path('state', 'kept', first.slice(0, 16), 'nodes4.txt');
    await writeFile(script, '9.9.9.9\n');
    expect(await failed('rollback')).toMatchObject({ status: 4, code: 'nothing-kept' });
    expect(await failed('rollback', first)).toMatchObject({ status: 4, code: 'nothing-kept' });
  });

  systemTest('what is loaded is not kept any more: the next load refills everything', [], async () => {
    await load(1);
    await rm(project.path('state', 'kept'), { recursive: true });
    await load(2);
    expect(await loaded()).toBe(2);
    await project.done(namespace, 'status');
  });

  const DAMAGED: ReadonlyArray<readonly [file: string, commands: readonly string[][]]> = [
    ['kept/loads.json', [['apply'], ['apply', '--repair'], ['apply', '--confirm', '5s'], ['rollback'], ['status']]],
    ['pending.json', [['apply'], ['apply', '--repair'], ['confirm'], ['rollback'], ['status']]],
    [
      'local.json',
      [['apply'], ['apply', '--repair'], ['rollback'], ['ban', '203.0.112.9'], ['unban', '203.0.112.9'], ['status']],
    ],
    ['unloaded', [['apply', '--repair'], ['status']]],
    ['rolled-back', [['apply', '--repair'], ['status']]],
  ];
  for (const [file, commands] of DAMAGED) {
    systemTest(`${file} is damaged: told, and the kernel stays as it is`, [], async () => {
      for (const n of [1, 2]) await load(n);
      await reviewed(3);
      const path = project.path('state', file);
      for (const [k, text] of ['{"version": 1, "loa', '{"version": 2}', ''].entries()) {
        await writeFile(path, text);
        // Every command with the first one, then the first command with every one.
        for (const command of k === 0 ? commands : commands.slice(0, 1)) {
          const told = await failed(...command);
          expect(told, command.join(' ')).toMatchObject({ status: 5, code: 'state-invalid', where: path });
          expect(told.hint).toContain('move it away');
        }
        expect(await readFile(path, 'utf8')).toBe(text);
      }
      await must(['rm', path]);
      await project.done(namespace, 'apply');
      expect(await loaded()).toBe(3);
    });
  }
});
