import { afterAll, beforeAll, expect } from 'vitest';
import { manyNets, manyNodes, Rules, type Told } from './apply-kinds.js';
import { describeSystem, systemTest } from './requirements.js';
import { type Measured, Stage, type Stream } from './stream.js';

/** Listed in all of the rules, though not always in the same set. */
const LISTED: readonly Stream[] = [
  { name: 'node4', source: '62.1.1.7' },
  { name: 'net4', source: '62.1.1.65' },
  { name: 'toNet4', source: '62.1.1.11' },
  { name: 'toNode4', source: '62.1.1.21' },
  { name: 'node6', source: '2a02:1::7' },
  { name: 'net6', source: '2a02:1::1:5' },
  { name: 'toNet6', source: '2a02:1::b' },
  { name: 'toNode6', source: '2a02:1::15' },
];
const FREE: readonly Stream[] = [
  { name: 'free4', source: '62.1.1.200' },
  { name: 'free6', source: '2a02:1::200' },
];
const STAY = ['62.1.1.7', '62.1.1.64/26', '2a02:1::7', '2a02:1::1:0/112'];
/** Whoever goes from one to the other is a node that goes into a net, or the other way round. */
const ONE_WAY = [...STAY, '62.1.1.11', '62.1.1.20/31', '2a02:1::b', '2a02:1::14/127'];
const OTHER_WAY = [...STAY, '62.1.1.10/31', '62.1.1.21', '2a02:1::a/127', '2a02:1::15'];

const NETS6 = Array.from({ length: 600 }, (_, i) => `2a04:${(i * 2).toString(16)}::/32`);
const NODES6 = Array.from({ length: 600 }, (_, i) => `2a0c::${(i * 2).toString(16)}`);
/** Large enough that a fresh interval set would be open for milliseconds. */
const MANY = [...manyNets(6_000), ...NETS6, ...NODES6];
const LISTS = {
  a: [...ONE_WAY, ...MANY, ...manyNodes(12_000)],
  // Some of everything changes beside.
  b: [...OTHER_WAY, ...MANY.slice(400, -100), ...manyNodes(11_000), ...manyNodes(1_000, 1)],
  // More than half of the single addresses are others.
  c: [...OTHER_WAY, ...MANY, ...manyNodes(12_000, 2)],
};

function sum(measured: Measured, streams: readonly Stream[], point: 'before' | 'behind'): number {
  return streams.reduce((total, { name }) => total + (measured.counts[name]?.[point] ?? Number.NaN), 0);
}

const grouped = (figure: number) => Math.round(figure).toLocaleString('en');

/** Nothing leaked, nothing lost, and enough was sent to see it; the figures are printed. */
function judge(what: string, measured: Measured): void {
  const [sent, leaked] = [sum(measured, LISTED, 'before'), sum(measured, LISTED, 'behind')];
  const [free, passed] = [sum(measured, FREE, 'before'), sum(measured, FREE, 'behind')];
  const slowest = Math.min(...LISTED.map(({ name }) => (measured.counts[name]?.before ?? 0) / measured.seconds));
  process.stdout.write(
    `${what}: ${grouped(sent)} packets of ${LISTED.length} listed addresses in ${measured.seconds} s ` +
      `(${grouped(sent / measured.seconds)}/s, each at least ${grouped(slowest)}/s), ${leaked} leaked; ` +
      `${grouped(free)} of unlisted ones, ${free - passed} lost\n`,
  );
  for (const { name } of LISTED) expect(measured.counts[name]?.behind, `leaked from ${name}`).toBe(0);
  for (const { name } of FREE)
    expect(measured.counts[name]?.behind, `lost of ${name}`).toBe(measured.counts[name]?.before);
  expect(sent / measured.seconds).toBeGreaterThanOrEqual(100_000);
}

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

    /** 50 applies, one in ten of which reads everything back. */
    async function fifty(each: (i: number, fast: readonly string[]) => Promise<Told>): Promise<Told[]> {
      const told: Told[] = [];
      const measured = await stage.during(async () => {
        for (let i = 0; i < 50; i++) told.push(await each(i, i % 10 === 0 ? [] : ['--fast']));
      });
      judge(`50 × ${told[0]?.plan} (${told[0]?.why ?? told[0]?.done})`, measured);
      expect(await rules.verdict(stage.host)).toBe('0 in-sync');
      return told;
    }

    systemTest(
      '50 with nothing to do',
      [],
      async () => {
        const told = await fifty((_, fast) => rules.apply(stage.host, 'b', ...fast));
        for (const { done, mended } of told) expect([done, mended]).toEqual(['nothing', null]);
      },
      200_000,
    );

    systemTest(
      '50 changes',
      [],
      async () => {
        const told = await fifty((i, fast) => rules.apply(stage.host, i % 2 === 0 ? 'a' : 'b', ...fast));
        for (const { plan, done } of told) expect([plan, done]).toEqual(['delta', 'delta']);
      },
      200_000,
    );

    systemTest(
      '25 full loads where more than half changed, 25 where what is loaded is not known',
      [],
      async () => {
        const told = await fifty(async (i, fast) => {
          if (i >= 25) await rules.forgetKept();
          return rules.apply(stage.host, i % 2 === 0 ? 'a' : 'c', ...fast);
        });
        for (const { done } of told) expect(done).toBe('full');
        expect(new Set(told.map(({ why }) => why))).toEqual(
          new Set(['more than half of the single addresses changed', 'the artefact that is loaded was not kept here']),
        );
      },
      200_000,
    );
  },
);
