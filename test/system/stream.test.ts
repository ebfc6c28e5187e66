import { afterAll, beforeAll, expect } from 'vitest';
import { must } from './processes.js';
import { Project } from './project.js';
import { describeSystem, systemTest } from './requirements.js';
import { type Measured, Stage, type Stream } from './stream.js';

const NEEDS = ['root', 'netns', 'nft', 'ip', 'gcc'];

const LISTED: readonly Stream[] = [
  { name: 'node4', source: '62.1.1.7' },
  { name: 'net4', source: '62.1.1.65' },
  { name: 'node6', source: '2a02:1::7' },
  { name: 'net6', source: '2a02:1::1:5' },
];
const UNLISTED: Stream = { name: 'free', source: '62.1.1.200' };
/** The listed ones, as a list of a source. */
const LISTED_LINES = ['62.1.1.7', '62.1.1.64/26', '2a02:1::7', '2a02:1::1:0/112'];

/** 20,000 single addresses and 5,000 blocks, none of which touch; another `shift` gives others. */
function manyLines(shift: 0 | 1): string[] {
  const nodes = Array.from({ length: 20_000 }, (_, i) => {
    const low = i * 4 + 1 + 2 * shift;
    return `31.${low >> 16}.${(low >> 8) & 255}.${low & 255}`;
  });
  const nets = Array.from({ length: 5_000 }, (_, i) => {
    const low = i * 2 + shift;
    return `${91 + (low >> 16)}.${(low >> 8) & 255}.${low & 255}.0/24`;
  });
  const nets6 = Array.from({ length: 500 }, (_, i) => `2a04:${(i * 2 + shift).toString(16)}::/32`);
  return [...nodes, ...nets, ...nets6];
}

function sum(measured: Measured, point: 'before' | 'behind'): number {
  return LISTED.reduce((total, { name }) => total + (measured.counts[name]?.[point] ?? 0), 0);
}

function tell(what: string, measured: Measured): void {
  const before = sum(measured, 'before');
  const rate = Math.round(before / measured.seconds).toLocaleString('en');
  const free = measured.counts.free ?? { before: 0, behind: 0 };
  process.stdout.write(
    `${what}: ${before.toLocaleString('en')} packets from listed addresses in ${measured.seconds} s (${rate}/s), ` +
      `${sum(measured, 'behind')} leaked; unlisted ${free.before.toLocaleString('en')} in, ${free.before - free.behind} lost\n`,
  );
}

describeSystem('a stream from listed addresses while rules are replaced', NEEDS, () => {
  let stage: Stage;
  let projects: readonly [Project, Project];

  beforeAll(async () => {
    stage = await Stage.create([...LISTED, UNLISTED]);
    projects = [
      await Project.create([{ id: 'many', lines: [...LISTED_LINES, ...manyLines(0)] }]),
      await Project.create([{ id: 'many', lines: [...LISTED_LINES, ...manyLines(1)] }]),
    ];
    for (const project of projects) await project.done(undefined, 'build');
  });

  afterAll(async () => {
    await stage?.remove();
    for (const project of projects ?? []) await project.remove();
  });

  function expectNoLeak(measured: Measured): void {
    for (const { name } of LISTED) expect(measured.counts[name]?.behind, `leaked from ${name}`).toBe(0);
    expect(measured.counts.free?.behind, 'an unlisted address loses no packet').toBe(measured.counts.free?.before);
    expect(sum(measured, 'before') / measured.seconds).toBeGreaterThanOrEqual(100_000);
  }

  systemTest(
    '8 applies of other rules let none of their packets through, and drop none of an unlisted address',
    [],
    async () => {
      await projects[1].done(stage.host, 'apply');
      const measured = await stage.during(async () => {
        for (let i = 0; i < 8; i++) {
          const { stderr } = await projects[i % 2 === 0 ? 0 : 1].done(stage.host, 'apply');
          expect(stderr, `apply ${i + 1} loads`).toMatch(/^loaded /);
        }
      });
      tell('8 × blocklist apply', measured);
      expectNoLeak(measured);
    },
    200_000,
  );

  systemTest(
    'so do 10 replacements with nothing but nft -f blocklist.nft',
    [],
    async () => {
      await projects[1].done(stage.host, 'apply');
      const measured = await stage.during(async () => {
        for (let i = 0; i < 5; i++) {
          const project = projects[i % 2 === 0 ? 0 : 1];
          await stage.host.must(['nft', '-f', project.path('rules', 'blocklist.nft')]);
        }
      });
      tell('5 × nft -f blocklist.nft', measured);
      expectNoLeak(measured);
    },
    200_000,
  );

  systemTest(
    'the meter sees a gap: a table deleted and made anew lets packets through',
    [],
    async () => {
      await projects[0].done(stage.host, 'apply');
      const script = await must(['cat', projects[0].path('rules', 'blocklist.nft')]);
      // Some milliseconds each time, in which a busy machine may have sent nothing.
      let [leaked, tries] = [0, 0];
      for (; leaked === 0 && tries < 20; tries++) {
        const measured = await stage.during(async () => {
          for (let i = 0; i < 3; i++) await stage.host.nft(`delete table inet blocklist\n${script}`);
        });
        tell('3 × delete and load in one transaction', measured);
        leaked = sum(measured, 'behind');
      }
      expect(leaked).toBeGreaterThan(0);
    },
    240_000,
  );

  /** Applies rules in which the address is a node and rules in which it is in a block, and counts each way. */
  async function leakedWhileMoving(rounds: number): Promise<{ readonly toNet: number; readonly toNode: number }> {
    const asNode = await Project.create([{ id: 'many', lines: ['62.1.1.7', ...manyLines(0)] }]);
    const asNet = await Project.create([{ id: 'many', lines: ['62.1.1.6/31', ...manyLines(1)] }]);
    const leaked = { toNet: 0, toNode: 0 };
    try {
      for (const project of [asNode, asNet]) await project.done(undefined, 'build');
      await asNode.done(stage.host, 'apply');
      for (let i = 0; i < rounds && leaked.toNet === 0; i++) {
        for (const [way, project] of [
          ['toNet', asNet],
          ['toNode', asNode],
        ] as const) {
          const { counts } = await stage.during(async () => {
            await project.done(stage.host, 'apply');
          });
          leaked[way] += counts.node4?.behind ?? Number.NaN;
        }
      }
    } finally {
      await asNode.remove();
      await asNet.remove();
    }
    return leaked;
  }

  systemTest(
    'an address that moves from the nodes into a block is covered throughout',
    [],
    async () => {
      const { toNet, toNode } = await leakedWhileMoving(5);
      process.stdout.write(`moving: ${toNet} leaked from node to block, ${toNode} from block to node\n`);
      expect([toNet, toNode]).toEqual([0, 0]);
    },
    200_000,
  );
});
