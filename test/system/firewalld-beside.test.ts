import { afterAll, beforeAll, expect } from 'vitest';
import { FIREWALLD_NEEDS, type FirewalldStage, FREE, firewalldStage, LISTED } from './firewalld-stage.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

describeSystem('our own table beside firewalld', FIREWALLD_NEEDS, () => {
  let stage: FirewalldStage;
  let project: Project;
  beforeAll(async () => {
    stage = await firewalldStage();
    project = await Project.create([{ id: 'mine', lines: [...LISTED] }], { auto: [] });
    await project.done(undefined, 'build');
    // A zone with rich rules that let in whom we keep out.
    for (const [family, net] of [
      ['ipv4', '203.0.112.0/24'],
      ['ipv6', '2a09:77::/64'],
    ]) {
      await stage.firewalld.cmd(
        '--permanent',
        `--add-rich-rule=rule family="${family}" source address="${net}" accept`,
      );
    }
    await stage.firewalld.cmd('--reload');
  });
  afterAll(async () => {
    await stage?.remove();
    await project?.remove();
  });

  async function reached(): Promise<boolean[]> {
    return Promise.all([...LISTED, ...FREE].map((from) => stage.reaches(from)));
  }

  systemTest('its accepting rules decide until we are loaded', [], async () => {
    expect(await reached()).toEqual([true, true, true, true]);
    await project.done(stage.host, 'apply');
    expect(await reached()).toEqual([false, false, true, true]);
  });

  const TURNS: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
    ['a reload', () => stage.firewalld.cmd('--reload')],
    ['a complete reload', () => stage.firewalld.cmd('--complete-reload')],
    ['a stop', () => stage.firewalld.stop()],
    ['a start', () => stage.firewalld.start()],
    [
      'a panic and its end',
      async () => {
        await stage.firewalld.cmd('--panic-on');
        await stage.firewalld.cmd('--panic-off');
      },
    ],
  ];
  for (const [what, turn] of TURNS) {
    systemTest(`${what} leaves our table as it is, to the letter`, [], async () => {
      const ours = () => stage.host.must(['nft', '-a', '-s', 'list', 'table', 'inet', 'blocklist']);
      const seenAside = (text: string) => text.replace(/elements = \{[^}]*expires[^}]*\}/g, '');
      const before = await ours();
      await turn();
      expect(seenAside(await ours())).toBe(seenAside(before));
      expect(await reached()).toEqual([false, false, true, true]);
      await project.done(stage.host, 'status');
    });
  }

  systemTest('and ours leaves firewalld as it is, loading and unloading', [], async () => {
    const theirs = async () =>
      (await stage.host.must(['nft', '-s', 'list', 'table', 'inet', 'firewalld'])).replace(/counter .*/g, '');
    const before = await theirs();
    await project.done(stage.host, 'unload', '--yes');
    expect(await reached()).toEqual([true, true, true, true]);
    await project.done(stage.host, 'apply');
    expect(await theirs()).toBe(before);
  });
});
