import { beforeEach, expect } from 'vitest';
import { freshProjects } from './fresh.js';
import type { Namespace } from './namespace.js';
import { until } from './processes.js';
import type { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { ours } from './waiting.js';

const OLD = [{ id: 'mine', lines: ['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32'] }];
const NEW = [{ id: 'mine', lines: ['45.9.20.8', '91.200.4.0/22', '2a02:4781::/32'] }];

describeSystem('the way back of an unconfirmed load', ['root', 'netns', 'nft', 'ip', 'tail', 'timeout'], () => {
  let namespace: Namespace;
  let project: Project;
  const fresh = freshProjects(OLD);
  beforeEach(async () => {
    ({ namespace, project } = await fresh());
  });

  async function isBack(before: string): Promise<void> {
    await until('it went back', async () => (await ours(namespace)) === before, 8_000);
  }

  const ALTERED: ReadonlyArray<readonly [what: string, script: string]> = [
    ['a rule', 'insert rule inet blocklist early ip saddr 9.9.9.9 accept'],
    ['an element', 'add element inet blocklist nodes4 { 9.9.9.9 }'],
    ['an interval', 'delete element inet blocklist nets4 { 91.200.0.0/22 }'],
    ['a set of another', 'add set inet blocklist theirs { type ipv4_addr; elements = { 9.9.9.9 }; }'],
    ['everything', 'flush table inet blocklist'],
    ['the digest', 'delete set inet blocklist state'],
  ];
  for (const [what, script] of ALTERED) {
    systemTest(`what was altered by hand comes back as it was: ${what}`, [], async () => {
      await project.done(namespace, 'apply');
      await namespace.nft(script);
      const before = await ours(namespace);
      await project.configure(NEW);
      await project.done(undefined, 'build');
      await project.done(namespace, 'apply', '--confirm', '1s');
      await isBack(before);
    });
  }

  const FOLDERS = ['with space', "single'quote", 'semi;colon', 'dollar$HOME', '-dash', 'ü', 'do"uble', 'st*r', 'br[a]'];
  for (const name of FOLDERS) {
    systemTest(`a state folder called ${name}: it goes back, or is refused with nothing changed`, [], async () => {
      const env = ['env', `BLOCKLIST_STATE_DIR=${project.path('state', name)}`];
      const ran = await namespace.run([...env, ...project.argv('apply', '--confirm', '1s', '--json')]);
      if (ran.status !== 0) {
        expect(JSON.parse(ran.stderr).error).toMatchObject({ code: 'watchdog-failed', hint: expect.any(String) });
        expect(/["*[]/.test(name)).toBe(true);
      } else expect(await ours(namespace)).not.toBe('');
      await isBack('');
    });
  }

  systemTest('a state folder that is named from the working folder', [], async () => {
    const argv = ['env', 'BLOCKLIST_STATE_DIR=state', ...project.argv('apply', '--confirm', '2s')];
    expect((await namespace.run(argv, { cwd: project.folder })).status).toBe(0);
    expect(await ours(namespace)).not.toBe('');
    await isBack('');
  });
});
