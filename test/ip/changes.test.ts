import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decompose, type Family, IPV4, IPV6, type Prefixes, prefixChanges, slicePrefixes } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import { type Block, BOTH, blocksIn, lastAddress, quad, setOf, wordsOf } from './oracle.js';

function prefixesOf(family: Family, blocks: readonly Block[]): Prefixes {
  const words = new Uint32Array(blocks.length * family.words);
  for (const [i, [network]] of blocks.entries()) words.set(wordsOf(family, network), i * family.words);
  return { family, size: blocks.length, words, lengths: Uint8Array.from(blocks, ([, length]) => length) };
}

function byOrder([a, long]: Block, [b, short]: Block): number {
  return a < b ? -1 : a > b ? 1 : long - short;
}

/** Blocks in numeric order, those of one network by their length; they may lie in each other. */
function anyBlocks(family: Family): fc.Arbitrary<Block[]> {
  const few = fc
    .tuple(fc.nat(7), fc.nat(family.bits))
    .map(
      ([k, length]): Block => [
        ((BigInt(k) << BigInt(family.bits - 3)) >> BigInt(family.bits - length)) << BigInt(family.bits - length),
        length,
      ],
    );
  const key = ([network, length]: Block) => `${network}/${length}`;
  return fc.uniqueArray(few, { maxLength: 12, selector: key }).map((blocks) => blocks.sort(byOrder));
}

/** What is in `a` and not in `b`, by asking for each. */
function without(a: readonly Block[], b: readonly Block[]): Block[] {
  return a.filter(([network, length]) => !b.some((other) => other[0] === network && other[1] === length));
}

describe.each(BOTH)('prefixChanges of IPv$version', (family) => {
  const decomposed = anyRanges(family).map((ranges) => blocksIn(decompose(setOf(family, ranges))));
  const lists = fc.oneof(decomposed, anyBlocks(family));
  /** Two lists that have much in common. */
  const pairs = fc.oneof(
    fc.tuple(lists, lists),
    fc
      .tuple(lists, fc.array(fc.boolean(), { minLength: 12 }))
      .map(([blocks, kept]): [Block[], Block[]] => [blocks, blocks.filter((_, i) => kept[i % kept.length])]),
  );

  test('what only one of two lists has, as a naive comparison finds it', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const { added, removed } = prefixChanges(prefixesOf(family, before), prefixesOf(family, after));
        expect(blocksIn(added)).toEqual(without(after, before));
        expect(blocksIn(removed)).toEqual(without(before, after));
        expect([added.family, removed.family]).toEqual([family, family]);
        for (const { size, words, lengths } of [added, removed]) {
          expect([words.length, lengths.length]).toEqual([size * family.words, size]);
        }
      }),
      runs(400),
    );
  });

  test('backwards what came went', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const there = prefixChanges(prefixesOf(family, before), prefixesOf(family, after));
        const back = prefixChanges(prefixesOf(family, after), prefixesOf(family, before));
        expect([blocksIn(back.added), blocksIn(back.removed)]).toEqual([
          blocksIn(there.removed),
          blocksIn(there.added),
        ]);
      }),
      runs(100),
    );
  });

  test('at both ends of the family', () => {
    const last = lastAddress(family);
    const [before, after]: [Block[], Block[]] = [
      [
        [0n, family.bits],
        [last, family.bits],
      ],
      [
        [0n, 1],
        [last, family.bits],
      ],
    ];
    const { added, removed } = prefixChanges(prefixesOf(family, before), prefixesOf(family, after));
    expect([blocksIn(added), blocksIn(removed)]).toEqual([[[0n, 1]], [[0n, family.bits]]]);
  });
});

test('prefixChanges: order is that of numbers, across the sign bit of a word, too', () => {
  const low: Block = [quad(127, 255, 255, 255), 32];
  const high: Block = [quad(128, 0, 0, 0), 32];
  const { added, removed } = prefixChanges(prefixesOf(IPV4, [low, high]), prefixesOf(IPV4, [high]));
  expect([blocksIn(added), blocksIn(removed)]).toEqual([[], [low]]);
});

describe.each([IPV4, IPV6])('slicePrefixes of IPv$version', (family) => {
  test('gives neighbours, as slice does, and pieces make the whole', () => {
    fc.assert(
      fc.property(anyBlocks(family), fc.nat(15), fc.nat(15), (blocks, start, count) => {
        const prefixes = prefixesOf(family, blocks);
        const part = slicePrefixes(prefixes, start, count);
        expect(blocksIn(part)).toEqual(blocks.slice(start, start + count));
        expect([part.words.length, part.lengths.length]).toEqual([part.size * family.words, part.size]);
        const pieces: Block[] = [];
        for (let at = 0; at < prefixes.size; at += count + 1) {
          pieces.push(...blocksIn(slicePrefixes(prefixes, at, count + 1)));
        }
        expect(pieces).toEqual(blocks);
      }),
      runs(200),
    );
  });

  test('copies nothing', () => {
    const prefixes = prefixesOf(family, [
      [0n, family.bits],
      [2n, family.bits],
    ]);
    const part = slicePrefixes(prefixes, 1, 1);
    expect([part.words.buffer, part.lengths.buffer]).toEqual([prefixes.words.buffer, prefixes.lengths.buffer]);
    expect(part.words.buffer).toBe(prefixes.words.buffer);
  });
});
