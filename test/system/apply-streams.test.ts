import { afterAll, beforeAll, expect } from 'vitest';
import { manyNets, manyNodes, Rules, type Told } from './apply-kinds.js';
import { FREE, judge, LISTED, ONE_WAY, OTHER_WAY } from './moving-streams.js';
import { describeSystem, systemTest } from './requirements.js';
import { Stage } from './stream.js';

const NETS6 = Array.from({ length: 400 }, (_, i) => `2a04:${(i * 2).toString(16)}::/32`);
const NODES6 = Array.from({ length: 400 }, (_, i) => `2a0c::${(i * 2).toString(16)}`);
/** Large enough that a fresh interval set would be open for milliseconds. */
const MANY = [...manyNets(4_000), ...NETS6, ...NODES6];
const LISTS = {
  a: [...ONE_WAY, ...MANY, ...manyNodes(8_000)],
  // Some of everything changes beside.
  b: [...OTHER_WAY, ...MANY.slice(400, -100), ...manyNodes(7_000), ...manyNodes(1_000, 1)],
  // The same as b for those that are watched, and nothing moves from node to net.
  d: [...OTHER_WAY, ...MANY.slice(500, -100), ...manyNodes(7_500), ...manyNodes(500, 1)],
  // More than half of the single addresses are others.
  c: [...OTHER_WAY, ...MANY, ...manyNodes(8_000, 2)],
};

describeSystem(
  'streams from addresses that stay and that move, during applies',
  ['root', 'netns', 'nft', 'ip', 'gcc'],
  () => {
    let stage: Stage;
    let rules: Rules<keyof typeof LISTS>;
    beforeAll(async () => {
      stage = await Stage.create([...LISTED, ...FREE]);
      rules = await Rules.create(LISTS);
      await rules.apply(stage.host, 'b');
    });
    afterAll(async () => {
      await stage?.remove();
      await rules?.remove();
    });

    /** 12 applies, one in four of which reads everything back. */
    async function dozen(each: (i: number, fast: readonly string[]) => Promise<Told>): Promise<Told[]> {
      const told: Told[] = [];
      const measured = await stage.during(async () => {
        for (let i = 0; i < 12; i++) told.push(await each(i, i % 4 === 0 ? [] : ['--fast']));
      });
      judge(`12 × ${told[0]?.plan} (${told[0]?.why ?? told[0]?.done})`, measured);
      expect(await rules.verdict(stage.host)).toBe('0 in-sync');
      return told;
    }

    systemTest(
      '12 with nothing to do',
      [],
      async () => {
        const told = await dozen((_, fast) => rules.apply(stage.host, 'b', ...fast));
        for (const { done, mended } of told) expect([done, mended]).toEqual(['nothing', null]);
      },
      400_000,
    );

    systemTest(
      '12 changes',
      [],
      async () => {
        const told = await dozen((i, fast) => rules.apply(stage.host, i % 2 === 0 ? 'a' : 'b', ...fast));
        for (const { plan, done } of told) expect([plan, done]).toEqual(['delta', 'delta']);
      },
      400_000,
    );

    systemTest(
      '12 changes where no address moves into a net: one transaction each',
      [],
      async () => {
        await rules.apply(stage.host, 'b');
        const told = await dozen((i, fast) => rules.apply(stage.host, i % 2 === 0 ? 'd' : 'b', ...fast));
        for (const { done } of told) expect(done).toBe('delta');
        const dry = await rules.project.done(stage.host, 'apply', '--dry-run');
        expect(dry.stderr).toContain('nothing to do');
        await rules.review('d');
        expect((await rules.project.done(stage.host, 'apply', '--dry-run')).stderr).toContain(
          'in one transaction: adds',
        );
      },
      400_000,
    );

    systemTest(
      '6 full loads where more than half changed, 6 where what is loaded is not known',
      [],
      async () => {
        await rules.apply(stage.host, 'c');
        const told = await dozen(async (i, fast) => {
          if (i >= 6) await rules.forgetKept();
          return rules.apply(stage.host, i % 2 === 0 ? 'a' : 'c', ...fast);
        });
        for (const { done } of told) expect(done).toBe('full');
        expect(new Set(told.map(({ why }) => why))).toEqual(
          new Set(['more than half of the single addresses changed', 'the artefact that is loaded was not kept here']),
        );
      },
      400_000,
    );
  },
);
