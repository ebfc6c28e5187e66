import { access, readFile, utimes } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { Namespace } from './namespace.js';
import { run, until } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { ours, watchers } from './waiting.js';

const OLD = [{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32'] }];
const NEW = [{ id: 'mine', lines: ['45.9.20.8', '91.200.4.0/22', '2a02:4781::/32'] }];

/** At the same time; each has a namespace and a folder of its own. */
const BESIDE = 6;

describeSystem('apply --confirm is killed', ['root', 'netns', 'nft', 'ip', 'tail', 'timeout', 'strace'], () => {
  let template: Project;
  beforeAll(async () => {
    template = await Project.create(OLD);
    await template.done(undefined, 'build');
  });
  afterAll(() => template.remove());

  interface Killed {
    readonly namespace: Namespace;
    readonly project: Project;
    readonly before: string;
    readonly renames: number;
    readonly status: number;
  }

  /** Loads new rules and is killed at the n-th file that becomes visible; ends when its watchdog has ended, too. */
  async function killedAt(n: number): Promise<Killed> {
    const [namespace, project] = [await Namespace.create(), await Project.copyOf(template)];
    await project.done(namespace, 'apply');
    const before = await ours(namespace);
    await project.configure(NEW);
    await project.done(undefined, 'build');
    const inject = n === 0 ? [] : ['-e', `inject=rename:signal=KILL:when=${n}`];
    const strace = ['strace', '-f', '-qq', '-o', project.path('trace'), '-e', 'trace=rename', ...inject];
    const work = [...strace, ...project.argv('apply', '--confirm', '2s')];
    const argv = ['env', 'UV_THREADPOOL_SIZE=1', ...work];
    const { status } = await namespace.run(['sh', '-c', '"$@"; exit $?', 'sh', ...argv]);
    const trace = await readFile(project.path('trace'), 'utf8');
    return { namespace, project, before, status, renames: trace.match(/\brename\(/g)?.length ?? 0 };
  }

  async function judged({ namespace, project, before }: Killed): Promise<void> {
    await until('nobody waits', () => watchers(project).length === 0);
    await until('the rules are as before', async () => (await ours(namespace)) === before, 5_000);
    // As if the half minute had passed after which the lock of a killed run is taken over.
    const lock = project.path('state', 'lock');
    const longAgo = new Date(Date.now() - 31_000);
    if (
      await access(lock).then(
        () => true,
        () => false,
      )
    )
      await utimes(lock, longAgo, longAgo);
    await project.done(namespace, 'apply', '--confirm', '60s');
    await project.done(namespace, 'confirm');
    await project.done(namespace, 'status');
    await namespace.remove();
    await project.remove();
  }

  systemTest(
    'at every file that becomes visible: the old rules stay or come back, and the next apply works',
    [],
    async () => {
      const whole = await killedAt(0);
      expect(whole.renames).toBeGreaterThan(8);
      await judged(whole);
      for (let first = 1; first <= whole.renames; first += BESIDE) {
        const some = Array.from({ length: Math.min(BESIDE, whole.renames - first + 1) }, (_, k) => first + k);
        await Promise.all(
          some.map(async (n) => {
            const killed = await killedAt(n);
            expect({ n, status: killed.status }).toEqual({ n, status: 137 });
            await judged(killed);
          }),
        );
      }
    },
    240_000,
  );

  systemTest('between arming and writing it down: the forgotten watchdog finds nothing to load', [], async () => {
    const [namespace, project] = [await Namespace.create(), await Project.copyOf(template)];
    await project.done(namespace, 'apply', '--confirm', '3s');
    await run(['rm', project.path('state', 'pending.json')]);
    await project.done(namespace, 'apply');
    const loaded = await ours(namespace);
    await until('its time is over', () => watchers(project).length === 0);
    expect(await ours(namespace)).toBe(loaded);
    await namespace.remove();
    await project.remove();
  });
});
