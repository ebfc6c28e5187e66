import { afterAll, beforeAll, expect } from 'vitest';
import { manyNets, manyNodes, Rules } from './apply-kinds.js';
import { liveSetNames } from './live-sets.js';
import { FREE, judge, LISTED, ONE_WAY } from './moving-streams.js';
import { Namespace } from './namespace.js';
import { describeSystem, systemTest } from './requirements.js';
import { Stage } from './stream.js';

/** More than one transaction of a user namespace takes; the two kinds of other nodes have few or none in common with them. */
const NETS = manyNets(30_000);
const LISTS = {
  first: [...ONE_WAY, ...NETS, ...manyNodes(100_000)],
  // A refill of all nets would be too large, too: only single addresses change here.
  near: [...ONE_WAY, ...NETS, ...manyNodes(99_900)],
  far: [...ONE_WAY, ...NETS, ...manyNodes(100_000, 1)],
  nearFar: [...ONE_WAY, ...NETS, ...manyNodes(99_900, 1)],
};

const LISTED_SETS = ['nets4', 'nets6', 'nodes4', 'nodes6'];

describeSystem(
  'inside a user namespace, whose kernel refuses large transactions',
  ['root', 'netns', 'userns', 'nft', 'ip', 'gcc'],
  () => {
    let stage: Stage;
    let rules: Rules<keyof typeof LISTS>;
    beforeAll(async () => {
      stage = await Stage.create([...LISTED, ...FREE], await Namespace.ofUser());
      rules = await Rules.create(LISTS);
    }, 120_000);
    afterAll(async () => {
      await stage?.remove();
      await rules?.remove();
    });

    /** Names of the sets of listed addresses. */
    async function listedSets(): Promise<string[]> {
      return (await liveSetNames(stage.host)).filter((name) => /^n/.test(name)).sort();
    }

    systemTest(
      'the first load fills sets in pieces; the next finds nothing to do',
      [],
      async () => {
        const { status, stderr } = await stage.host.run([
          'nft',
          '-f',
          rules.project.path('rules-first', 'blocklist.nft'),
        ]);
        expect([status, stderr]).toEqual([1, expect.stringContaining('Message too long')]);
        expect((await rules.apply(stage.host, 'first')).done).toBe('staged');
        expect(await listedSets()).toEqual(LISTED_SETS);
        expect(await rules.verdict(stage.host)).toBe('0 in-sync');
        expect((await rules.apply(stage.host, 'first')).done).toBe('nothing');
      },
      240_000,
    );

    systemTest(
      'small changes are changes, large ones go to other sets and back, and no packet sees it',
      [],
      async () => {
        const seen: Array<[string, string[]]> = [];
        const step = async (name: keyof typeof LISTS) => {
          const { done } = await rules.apply(stage.host, name, '--fast');
          seen.push([done, await listedSets()]);
        };
        await step('near');
        judge('a staging in a user namespace', await stage.during(() => step('far')));
        await step('nearFar');
        await step('first');
        const second = LISTED_SETS.map((name) => `${name}_b`);
        expect(seen).toEqual([
          ['delta', LISTED_SETS],
          ['staged', second],
          ['delta', second],
          ['staged', LISTED_SETS],
        ]);
        expect(await rules.verdict(stage.host)).toBe('0 in-sync');
      },
      400_000,
    );
  },
);
