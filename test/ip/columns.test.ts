import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, IPV4, IPV6, setOfColumns } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import { BOTH, brokenInvariant, lastAddress, normal, type Range, rangesIn, setOf, wordsOf } from './oracle.js';

function column(family: Family, addresses: readonly bigint[]): Uint32Array {
  return Uint32Array.from(addresses.flatMap((address) => [...wordsOf(family, address)]));
}

function made(family: Family, ranges: readonly Range[]) {
  const [lo, hi] = [ranges.map(([first]) => first), ranges.map(([, last]) => last)];
  return setOfColumns(family, column(family, lo), column(family, hi));
}

describe.each(BOTH)('$name', (family) => {
  const last = lastAddress(family);

  test('the columns of a set make this set again', () => {
    fc.assert(
      fc.property(anyRanges(family), (ranges) => {
        const set = setOf(family, ranges);
        const again = setOfColumns(family, set.lo.slice(), set.hi.slice());
        expect(again && rangesIn(again)).toEqual(normal(ranges));
        expect(again?.equals(set)).toBe(true);
        expect(again && brokenInvariant(again)).toBeUndefined();
      }),
      runs(200),
    );
  });

  test.each<[what: string, ranges: Range[]]>([
    ['nothing', []],
    ['all addresses', [[0n, last]]],
    [
      'both ends',
      [
        [0n, 0n],
        [last, last],
      ],
    ],
    [
      'a gap of one',
      [
        [1n, 2n],
        [4n, 5n],
      ],
    ],
    [
      'a gap of one before the last address',
      [
        [0n, last - 2n],
        [last, last],
      ],
    ],
  ])('a set: %s', (_, ranges) => {
    const set = made(family, ranges);
    expect(set && rangesIn(set)).toEqual(ranges);
    expect(set?.size).toBe(ranges.length);
  });

  test.each<[what: string, ranges: Range[]]>([
    ['a range that runs backwards', [[5n, 4n]]],
    ['the last address, then the first', [[last, 0n]]],
    [
      'out of order',
      [
        [9n, 9n],
        [1n, 1n],
      ],
    ],
    [
      'the same twice',
      [
        [9n, 9n],
        [9n, 9n],
      ],
    ],
    [
      'ranges that overlap',
      [
        [1n, 5n],
        [5n, 9n],
      ],
    ],
    [
      'a range inside another',
      [
        [1n, 9n],
        [3n, 4n],
      ],
    ],
    [
      'ranges that touch',
      [
        [1n, 5n],
        [6n, 9n],
      ],
    ],
    [
      'ranges that touch across words',
      [
        [1n, 0xffff_ffffn],
        [0x1_0000_0000n & last, last],
      ],
    ],
    [
      'an end that wraps around',
      [
        [last - 1n, last],
        [0n, 5n],
      ],
    ],
    [
      'a third one that is broken',
      [
        [1n, 2n],
        [4n, 5n],
        [8n, 7n],
      ],
    ],
  ])('no set: %s', (_, ranges) => {
    expect(made(family, ranges)).toBeUndefined();
  });

  test('random columns make a set exactly when they keep the invariant', () => {
    const small = fc.integer({ min: 0, max: 12 }).map(BigInt);
    const near = fc.oneof(
      small,
      small.map((value) => last - value),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(near, near), { maxLength: 4 }), (ranges) => {
        const isKept = ranges.every(([a, b], i) => a <= b && (i === 0 || a > ranges[i - 1]![1] + 1n));
        expect(made(family, ranges) !== undefined).toBe(isKept);
      }),
      runs(2000),
    );
  });
});

test.each<[what: string, family: Family, lo: number[], hi: number[]]>([
  ['one column is longer', IPV4, [1, 5], [2]],
  ['one column is empty', IPV4, [], [2]],
  ['a part of an IPv6 address', IPV6, [0, 0, 0], [0, 0, 0]],
  ['an IPv6 address and a part', IPV6, [0, 0, 0, 1, 0], [0, 0, 0, 1, 0]],
])('no set: %s', (_, family, lo, hi) => {
  expect(setOfColumns(family, Uint32Array.from(lo), Uint32Array.from(hi))).toBeUndefined();
});
