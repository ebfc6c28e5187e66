import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import { liveSet } from './live-sets.js';
import type { Namespace } from './namespace.js';
import { until } from './processes.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { armed, ours, runs, watchers } from './waiting.js';

const OLD = [{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32'] }];
const NEW = [{ id: 'mine', lines: ['45.9.20.8', '91.200.4.0/22', '2a02:4781::/32'] }];

describeSystem('a load that waits for its confirmation', ['root', 'netns', 'nft', 'ip', 'tail', 'timeout'], () => {
  let namespace: Namespace;
  let project: Project;
  const fresh = freshProjects(OLD);
  beforeEach(async () => {
    ({ namespace, project } = await fresh());
  });

  /** The old rules loaded and the new ones built. */
  async function oldLoaded(): Promise<string> {
    await project.done(namespace, 'apply');
    const before = await ours(namespace);
    await project.configure(NEW);
    await project.done(undefined, 'build');
    return before;
  }

  async function isBack(before: string): Promise<void> {
    await until('it went back', async () => (await ours(namespace)) === before, 8_000);
  }

  async function refused(...command: readonly string[]) {
    const { status, stderr, stdout } = await project.blocklist(namespace, ...command, '--json');
    const code = status === 0 ? stdout : JSON.parse(stderr).error.code;
    return { status, code };
  }

  systemTest('nobody confirms: back to no table, and status tells', [], async () => {
    const loaded = await project.done(namespace, 'apply', '--confirm', '2s');
    expect(loaded.stderr).toMatch(/goes back in 2 s unless: .*confirm/);
    expect(await liveSet(namespace, 'nodes4')).toEqual(['45.9.20.7']);
    const { stderr } = await project.blocklist(namespace, 'status');
    expect(stderr).toMatch(/^UNCONFIRMED: goes back in [12] s unless: .*confirm/m);
    await isBack('');
    const after = await project.blocklist(namespace, 'status');
    expect([after.status, after.stderr]).toEqual([1, expect.stringMatching(/^nobody confirmed the load .*went back/m)]);
    expect(after.stderr).not.toContain('DIFFERS');
    const late = await project.blocklist(namespace, 'confirm');
    expect([late.status, late.stderr]).toEqual([4, expect.stringContaining('too late')]);
  });

  systemTest('back to the earlier artefact; a new apply is then told of no older one', [], async () => {
    const before = await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '2s');
    expect(await ours(namespace)).not.toBe(before);
    await isBack(before);
    await until('the processes are gone', () => watchers(project).length === 0);
    const night = await project.done(namespace, 'apply', '--repair');
    expect([await ours(namespace), night.stderr]).toEqual([before, expect.stringContaining('as nobody confirmed')]);
    await project.done(namespace, 'apply');
    const { status, stderr } = await project.blocklist(namespace, 'status');
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('nobody confirmed')]);
  });

  systemTest(
    'without configuration, rules, lists and program state, and with the lock held, it goes back',
    [],
    async () => {
      const before = await oldLoaded();
      await project.done(namespace, 'apply', '--confirm', '2s');
      for (const name of ['blocklist.yaml', 'rules', 'lists', 'cache', 'state/kept', 'state/pending.json'])
        await rm(project.path(name), { recursive: true });
      await mkdir(project.path('state', 'lock'));
      await isBack(before);
    },
  );

  systemTest('confirmed in time: it stays, and no process is left', [], async () => {
    await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '3s');
    const loaded = await ours(namespace);
    const [waiting, named] = [watchers(project), await armed(project)];
    expect(named).toHaveLength(2);
    const { stderr } = await project.done(namespace, 'confirm');
    expect(stderr).toContain('confirmed');
    await until('all of them are gone', () => ![...waiting, ...named].some(runs), 2_000);
    await pause(3_500);
    expect(await ours(namespace)).toBe(loaded);
    expect((await project.blocklist(namespace, 'status')).status).toBe(0);
    expect((await project.done(namespace, 'confirm')).stderr).toContain('nothing to do');
  });

  systemTest('meanwhile everything else that loads is refused, and disarms nothing', [], async () => {
    await oldLoaded();
    const digest = JSON.parse((await project.blocklist(namespace, 'status', '--json')).stdout).loaded as string;
    await project.done(namespace, 'apply', '--confirm', '60s');
    const [loaded, named] = [await ours(namespace), await armed(project)];
    const commands = [
      ['apply'],
      ['apply', '--repair'],
      ['apply', '--fast'],
      ['apply', '--confirm', '5s'],
      ['rollback', digest],
      ['rollback', 'ffff'],
    ];
    for (const command of commands) {
      expect(await refused(...command), command.join(' ')).toEqual({ status: 4, code: 'unconfirmed' });
      expect(await armed(project), command.join(' ')).toEqual(named);
    }
    expect(await ours(namespace)).toBe(loaded);
    expect((await project.blocklist(namespace, 'apply', '--dry-run')).status).toBe(0);
  });

  systemTest('bans and allowances made meanwhile work and survive the way back', [], async () => {
    await project.done(namespace, 'ban', '203.0.112.1');
    const before = await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '4s');
    await project.done(namespace, 'ban', '203.0.112.4', '2a02:999::/48', '--for', '1h');
    await project.done(namespace, 'allow', '45.9.20.8');
    expect((await liveSet(namespace, 'ban4')).join()).toMatch(/203.0.112.4 timeout/);
    await until('it went back', async () => (await liveSet(namespace, 'nodes4')).join() === '45.9.20.7', 8_000);
    expect((await liveSet(namespace, 'ban4')).map((text) => text.split(' ')[0])).toEqual([
      '203.0.112.1',
      '203.0.112.4',
    ]);
    expect(await liveSet(namespace, 'allow4')).toContain('45.9.20.8');
    await project.done(namespace, 'unban', '203.0.112.4', '2a02:999::/48');
    await project.done(namespace, 'allow', '--remove', '45.9.20.8');
    expect(await ours(namespace)).toBe(before);
  });

  systemTest('rollback goes back at once, and the night leaves it so', [], async () => {
    const before = await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '60s');
    const waiting = [...watchers(project), ...(await armed(project))];
    await project.done(namespace, 'rollback');
    expect(await ours(namespace)).toBe(before);
    await until('all of them are gone', () => !waiting.some(runs), 2_000);
    const night = await project.done(namespace, 'apply', '--repair');
    expect([await ours(namespace), night.stderr]).toEqual([before, expect.stringContaining('held')]);
    await project.done(namespace, 'apply');
    expect(await ours(namespace)).not.toBe(before);
  });

  systemTest('rollback of the first load leaves no table, and the night leaves it so', [], async () => {
    await project.done(namespace, 'apply', '--confirm', '60s');
    await project.done(namespace, 'rollback');
    await project.done(namespace, 'apply', '--repair');
    expect(await namespace.ruleset()).toBe('');
  });

  systemTest('rollback after it went back by itself does not load what nobody confirmed', [], async () => {
    const before = await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '1s');
    await isBack(before);
    await project.blocklist(namespace, 'rollback');
    expect(await ours(namespace)).toBe(before);
  });

  systemTest('unload: nothing brings the rules back', [], async () => {
    await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '2s');
    await project.done(namespace, 'unload', '--yes');
    await pause(3_000);
    expect(await namespace.ruleset()).toBe('');
    expect(watchers(project)).toEqual([]);
    expect((await project.done(namespace, 'confirm')).stderr).toContain('nothing to do');
  });

  systemTest('the way back fails: its log says why, and status tells', [], async () => {
    await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '2s');
    const loaded = await ours(namespace);
    await writeFile(project.path('state', 'way-back.nft'), 'nonsense\n');
    await until('it is over', () => watchers(project).length === 0, 8_000);
    await pause(1_000);
    expect(await ours(namespace)).toBe(loaded);
    expect(await readFile(project.path('state', 'way-back.log'), 'utf8')).toContain('nonsense');
    const { stderr } = await project.blocklist(namespace, 'status');
    expect(stderr).toMatch(/nobody confirmed .*NOT go(ne)? back.*way-back\.log/);
    // Who sees that all is well keeps it.
    expect((await project.done(namespace, 'confirm')).stderr).toContain('confirmed');
  });

  systemTest('its processes are gone: status does not say that it will go back', [], async () => {
    await oldLoaded();
    await project.done(namespace, 'apply', '--confirm', '60s');
    for (const pid of await armed(project)) process.kill(pid, 'SIGKILL');
    const { stderr } = await project.blocklist(namespace, 'status');
    expect(stderr).toMatch(/nobody confirmed .*NOT go(ne)? back/);
    expect(stderr).not.toContain('UNCONFIRMED');
  });
});
