import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { type Allowed, filesOf } from '../apply/artefacts.js';
import { liveSet } from './live-sets.js';
import { Namespace } from './namespace.js';
import type { Ran } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

describeSystem('bans and what the configuration allows', ['root', 'netns', 'nft'], () => {
  let host: Namespace;
  let project: Project;
  beforeEach(async () => {
    host = await Namespace.create();
    project = await Project.create([{ id: 'mine', lines: ['45.9.20.1'] }], {
      allow: ['45.9.70.0/24', '2a02:4780::/32'],
    });
    await project.done(host, 'build');
    await project.done(host, 'apply');
  });
  afterEach(async () => {
    await host.remove();
    await project.remove();
  });
  const banned = async () => (await liveSet(host, 'ban4')).map((text) => text.split(' ')[0]);
  const ban = (...words: string[]) => project.blocklist(host, 'ban', ...words);

  systemTest('a list wins: refused with its name, and nothing changes', [], async () => {
    for (const [address, hit] of [
      ['45.9.70.7', '45.9.70.7'],
      ['45.9.64.0/20', '45.9.70.0/24'],
      ['2a02:4780::9', '2a02:4780::9'],
    ] as const) {
      const ran = await ban(address, '--json');
      expect(ran.status).toBe(4);
      const { error } = JSON.parse(ran.stderr);
      expect([error.code, error.where]).toEqual(['ban-allowed', project.path('lists', 'allow.txt')]);
      expect(error.message).toContain(`${hit} is allowed by`);
    }
    expect(await banned()).toEqual([]);
    expect((await ban('45.9.71.7')).status).toBe(0);
  });

  const FEED: Allowed = { 'lists/allow.txt': ['45.9.70.0/24', '2a02:4780::/32'], cloudflare: ['45.9.80.0/24'] };
  /** Loads rules that were rendered with these allow lists, as a build of another host renders them. */
  async function load(allowed: Allowed, inward = ['45.9.20.1']): Promise<Ran> {
    for (const [name, bytes] of filesOf(inward, undefined, undefined, allowed))
      await writeFile(project.path('rules', name), bytes);
    return project.blocklist(host, 'apply');
  }
  async function nameFeed(): Promise<void> {
    const config = await readFile(project.config, 'utf8');
    await writeFile(project.config, config.replace('allow.txt]', 'allow.txt], feeds: [cloudflare]'));
  }

  systemTest('a feed wins, too, as it was when the loaded rules were rendered', [], async () => {
    await ban('45.9.80.1', '45.9.81.1');
    // The sets are the same, and so is their digest.
    expect((await load(FEED)).stderr).toContain('nothing to do');
    expect(await banned()).toEqual(['45.9.81.1']);
    await project.done(host, 'status');
    const ran = await ban('45.9.80.2');
    expect(ran.stderr).toContain('45.9.80.2 is allowed by cloudflare; nothing was changed');
    expect(ran.status).toBe(4);
    // The next rules are without it, and a rollback has it again.
    expect(await load({}, ['45.9.20.2'])).toMatchObject({ status: 0 });
    expect((await ban('45.9.80.2')).status).toBe(0);
    await project.done(host, 'rollback');
    expect(await banned()).toEqual(['45.9.81.1']);
    expect((await ban('45.9.80.3')).status).toBe(4);
  });

  systemTest('a feed that the loaded rules do not know: nothing is banned until they do', [], async () => {
    await nameFeed();
    const ran = await ban('45.9.71.7', '--json');
    expect(ran.status).toBe(5);
    expect(JSON.parse(ran.stderr).error).toMatchObject({ code: 'allow-unknown', where: 'cloudflare' });
    await load(FEED);
    expect((await ban('45.9.71.7')).status).toBe(0);
    // A copy that is damaged says nothing about anybody.
    const [digest = ''] = (await readdir(project.path('state', 'kept'))).filter((name) => /^[0-9a-f]{16}$/.test(name));
    await writeFile(project.path('state', 'kept', digest, 'manifest.json'), '{');
    const blind = await ban('45.9.71.8');
    expect(blind.stderr).toContain('do: run: blocklist apply');
    expect(blind.status).toBe(5);
    await project.done(host, 'apply');
    expect((await ban('45.9.71.8')).status).toBe(0);
    expect(await banned()).toEqual(['45.9.71.7', '45.9.71.8']);
  });

  systemTest('rules that would allow half of the internet are refused', [], async () => {
    const wide = await load({ 'lists/allow.txt': ['45.9.70.0/24', '2a02:4780::/32'], cloudflare: ['64.0.0.0/2'] });
    expect(wide.stderr).toContain('the rules have an allow list, cloudflare: it would allow 25');
    expect(wide.status).toBe(4);
    expect((await ban('65.9.71.7')).status).toBe(0);
  });

  systemTest('what is allowed later leaves the ban at the next apply, and only that', [], async () => {
    await ban('45.9.72.0/30', '--for', '1h');
    await project.write('lists/allow.txt', '45.9.72.1\n');
    expect((await project.blocklist(host, 'status')).status).toBe(1);
    await project.done(host, 'apply', '--repair');
    expect((await banned()).sort()).toEqual(['45.9.72.0', '45.9.72.2/31']);
    await project.done(host, 'status');
  });

  const UNREAD = 'a list of allowed addresses cannot be read';
  for (const [what, damage] of [
    ['has a line that nobody can read', () => project.write('lists/allow.txt', 'nonsense\n45.9.90.0/24\n')],
    ['is gone', () => rm(project.path('lists', 'allow.txt'))],
  ] as const) {
    systemTest(
      `a list that ${what}: what it held when the rules were rendered counts, and that is told`,
      [],
      async () => {
        await damage();
        expect((await ban('45.9.70.7')).status).toBe(4);
        const ran = await ban('45.9.71.7', '--quiet');
        expect(ran.stderr).toContain(UNREAD);
        expect(ran.status).toBe(3);
        expect(await banned()).toEqual(['45.9.71.7']);
        const json = await ban('45.9.71.8', '--json');
        expect([json.status, JSON.parse(json.stdout).problem]).toEqual([3, expect.stringContaining(UNREAD)]);
        const applied = await project.blocklist(host, 'apply');
        expect([applied.status, applied.stderr]).toEqual([3, expect.stringContaining(UNREAD)]);
        expect((await project.blocklist(host, 'apply', '--repair', '--quiet')).stderr).toBe('');
        await project.done(host, 'unban', '45.9.71.7');
        await project.done(host, 'allow', '45.9.71.9');
      },
    );
  }

  systemTest('lines that can be read count beside one that cannot', [], async () => {
    await project.write('lists/allow.txt', 'nonsense\n45.9.90.0/24\n');
    const ran = await ban('45.9.90.7');
    expect(ran.stderr).toContain('45.9.90.7 is allowed by ');
    expect(ran.status).toBe(4);
  });

  systemTest('a list that could never be read: who may be in it is not banned', [], async () => {
    const config = await readFile(project.config, 'utf8');
    await writeFile(project.config, config.replace('allow.txt]', 'allow.txt, lists/more.txt]'));
    await project.write('lists/more.txt', '# partners\n45.9.91.0/240\n');
    const ran = await ban('45.9.71.7', '--json');
    expect(ran.status).toBe(5);
    expect(JSON.parse(ran.stderr).error).toMatchObject({
      code: 'allow-unknown',
      where: `${project.path('lists', 'more.txt')}:2`,
      hint: expect.stringContaining('mend or remove this line'),
    });
    expect(await banned()).toEqual([]);
    await project.write('lists/more.txt', '# partners\n45.9.91.0/24\n');
    expect((await ban('45.9.71.7')).status).toBe(0);
  });

  systemTest('bans of a program are its own', [], async () => {
    const done = (...words: string[]) => project.done(host, ...words);
    await done('ban', '45.9.61.1', '--by', 'fail2ban sshd', '--for', '604800s');
    await done('ban', '45.9.61.1', '45.9.61.2', '--by', 'other');
    await done('ban', '45.9.61.3');
    expect((await liveSet(host, 'ban4'))[0]).toBe('45.9.61.1');
    const told = await done('unban', '45.9.61.1', '45.9.61.3', '--by', 'other');
    expect(told.stderr).toContain('45.9.61.3 was not banned by other');
    expect(told.stderr).toMatch(/45\.9\.61\.1 is still banned until .* by fail2ban sshd/);
    expect((await banned()).sort()).toEqual(['45.9.61.1', '45.9.61.2', '45.9.61.3']);
    await done('unban', '--by', 'other');
    await done('unban', '--by', 'nobody');
    expect((await banned()).sort()).toEqual(['45.9.61.1', '45.9.61.3']);
    // A person takes back whatever there is.
    await done('unban', '45.9.61.1', '45.9.61.3');
    expect(await banned()).toEqual([]);
    expect((await done('unban', '--by', 'other')).stderr).toBe('nothing is banned by other\n');
    for (const words of [
      ['unban'],
      ['ban'],
      ['ban', '45.9.61.1', '--restore', 'sshd'],
      ['ban', '45.9.61.1', '--by', 'a\nb'],
      ['unban', '--by', ''],
    ])
      expect({ words, status: (await project.blocklist(host, ...words)).status }).toEqual({ words, status: 2 });
  });
});
