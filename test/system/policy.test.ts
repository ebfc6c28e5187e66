import { afterAll, beforeAll, expect } from 'vitest';
import { ADDRESS } from './policy-probes.js';
import { PolicyStage } from './policy-stage.js';
import { cellsOf, POLICIES, POLICY_TABLE } from './policy-table.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';

const NEEDS = ['root', 'netns', 'nft', 'ip', 'ping', 'conntrack', 'gcc'];

describeSystem('policy × traffic', NEEDS, () => {
  const table = cellsOf(POLICY_TABLE);
  let stage: PolicyStage;
  let project: Project;
  beforeAll(async () => {
    project = await Project.create([]);
    for (const who of ['listed', 'out'] as const) {
      await project.write(`lists/${who}.txt`, `${ADDRESS[who].v4}\n${ADDRESS[who].v6}\n`);
    }
    stage = await PolicyStage.create();
  });
  afterAll(async () => {
    await stage?.remove();
    await project.remove();
  });

  /** The rules of a policy, beside a list of senders and one of destinations. */
  async function build({ policy = {}, countries = {} }: (typeof POLICIES)[string]): Promise<void> {
    const custom = [
      { id: 'listed', file: 'lists/listed.txt' },
      { id: 'out', file: 'lists/out.txt', direction: 'out' },
    ];
    const paths = { rules: 'rules', cache: 'cache', state: 'state' };
    const config = { sources: { custom, countries }, policy, local: { auto: [] }, paths };
    await project.write('blocklist.yaml', JSON.stringify(config));
    await project.done(undefined, 'build');
  }

  /** Rows with what came of them in each family, made one word where they agree. */
  async function found(load: () => Promise<unknown>): Promise<Record<string, string | undefined>> {
    const outcomes = await stage.outcomes(load);
    return Object.fromEntries(
      [...outcomes].map(([what, byVersion]) => [
        what,
        new Set(Object.values(byVersion)).size === 1 ? Object.values(byVersion)[0] : JSON.stringify(byVersion),
      ]),
    );
  }

  systemTest('without rules everything passes', [], async () => {
    const all = Object.fromEntries([...table.keys()].map((what) => [what, 'pass']));
    expect(await found(async () => undefined)).toEqual(all);
  });

  for (const [name, policy] of Object.entries(POLICIES)) {
    systemTest(
      `of the policy ${name}: what passes and what does not`,
      [],
      async () => {
        await build(policy);
        await stage.host.nft('table inet blocklist\ndelete table inet blocklist');
        const column = Object.fromEntries([...table].map(([what, cells]) => [what, cells.get(name)]));
        expect(await found(() => project.done(stage.host, 'apply'))).toEqual(column);
        expect((await project.blocklist(stage.host, 'status')).status).toBe(0);
      },
      240_000,
    );
  }
});
