import { describe, expect, test } from 'vitest';
import { IPV4, IPV6, IpSet, IpSetBuilder } from '../../src/ip/index.js';
import { BOTH, brokenInvariant, quad, type Range, rangesIn, setOf, wordsOf } from './oracle.js';

describe.each(BOTH)('IpSetBuilder, $name', (family) => {
  function add(builder: IpSetBuilder, first: bigint, last = first): void {
    builder.addRange(family, wordsOf(family, first), wordsOf(family, last));
  }

  test.each<[name: string, ranges: Range[], expected: Range[]]>([
    ['nothing', [], []],
    [
      'repeats',
      [
        [5n, 5n],
        [5n, 5n],
        [5n, 5n],
      ],
      [[5n, 5n]],
    ],
    [
      'out of order',
      [
        [9n, 9n],
        [1n, 1n],
        [5n, 5n],
      ],
      [
        [1n, 1n],
        [5n, 5n],
        [9n, 9n],
      ],
    ],
    [
      'single addresses that touch',
      [
        [3n, 3n],
        [1n, 1n],
        [2n, 2n],
      ],
      [[1n, 3n]],
    ],
    [
      'a range inside a range',
      [
        [1n, 9n],
        [3n, 4n],
      ],
      [[1n, 9n]],
    ],
    [
      'ranges with one start',
      [
        [1n, 3n],
        [1n, 9n],
        [1n, 5n],
      ],
      [[1n, 9n]],
    ],
    [
      'ranges with one end',
      [
        [5n, 9n],
        [1n, 9n],
        [3n, 9n],
      ],
      [[1n, 9n]],
    ],
    [
      'a chain of overlaps',
      [
        [7n, 10n],
        [1n, 4n],
        [4n, 7n],
      ],
      [[1n, 10n]],
    ],
    [
      'a single address inside a range',
      [
        [5n, 5n],
        [1n, 9n],
      ],
      [[1n, 9n]],
    ],
    [
      'a single address before and behind a range',
      [
        [0n, 0n],
        [10n, 10n],
        [1n, 9n],
      ],
      [[0n, 10n]],
    ],
    [
      'a gap of one',
      [
        [1n, 3n],
        [5n, 9n],
      ],
      [
        [1n, 3n],
        [5n, 9n],
      ],
    ],
    [
      'the gap is filled',
      [
        [1n, 3n],
        [5n, 9n],
        [4n, 4n],
      ],
      [[1n, 9n]],
    ],
  ])('%s', (_name, ranges, expected) => {
    expect(rangesIn(setOf(family, ranges))).toEqual(expected);
    expect(rangesIn(setOf(family, ranges.toReversed()))).toEqual(expected);
  });

  test('the words given may be used again by the caller', () => {
    const words = wordsOf(family, 7n);
    const builder = new IpSetBuilder().addRange(family, words, words);
    words.fill(0);
    expect(rangesIn(builder.of(family).build())).toEqual([[7n, 7n]]);
  });

  test('goes on after build, and the first set stays as it was', () => {
    const builder = new IpSetBuilder();
    add(builder, 1n, 3n);
    const first = builder.build();
    add(builder, 4n);
    const second = builder.build();
    expect(rangesIn(first.of(family))).toEqual([[1n, 3n]]);
    expect(rangesIn(second.of(family))).toEqual([[1n, 4n]]);
    expect(rangesIn(builder.build().of(family))).toEqual([[1n, 4n]]);
  });

  test('addSet and addRange together', () => {
    const builder = new IpSetBuilder();
    add(builder, 8n, 9n);
    builder.addSet(IpSet.of(setOf(IPV4, [[1n, 3n]]), setOf(IPV6, [[1n, 3n]])));
    add(builder, 4n);
    expect(rangesIn(builder.of(family).build())).toEqual([
      [1n, 4n],
      [8n, 9n],
    ]);
  });

  test('more entries than the first chunks hold, scattered and with repeats', () => {
    // 400 009 is prime, so that k × 7919 visits every residue once; every address is added, every third one twice.
    const total = 400_009;
    const builder = new IpSetBuilder();
    const words = wordsOf(family, 0n);
    const end = words.length - 1;
    for (let k = 0; k < total; k++) {
      words[end] = 2 * ((k * 7919) % total);
      builder.addRange(family, words, words);
      if (k % 3 === 0) builder.addRange(family, words, words);
    }
    const set = builder.of(family).build();
    expect([set.size, set.count()]).toEqual([total, BigInt(total)]);
    expect(brokenInvariant(set)).toBeUndefined();
    expect([set.lo[0], set.lo[end], set.lo.at(-1)]).toEqual([0, 0, 2 * (total - 1)]);
  });

  test('more ranges than the first chunks hold, all connected', () => {
    const total = 300_007;
    const builder = new IpSetBuilder();
    const [lo, hi] = [wordsOf(family, 0n), wordsOf(family, 0n)];
    const end = lo.length - 1;
    for (let k = 0; k < total; k++) {
      lo[end] = 4 * ((k * 7919) % total);
      hi[end] = lo[end]! + 3;
      builder.addRange(family, lo, hi);
    }
    expect(rangesIn(builder.of(family).build())).toEqual([[0n, BigInt(4 * total - 1)]]);
  });
});

test('entries beyond the pending limit are merged on the way and none is lost', () => {
  const builder = new IpSetBuilder();
  const words = wordsOf(IPV4, 0n);
  for (let k = 0; k < 2 ** 24 + 5; k++) {
    words[0] = 0xc0000200 + (k & 0xff);
    builder.addRange(IPV4, words, words);
  }
  expect(rangesIn(builder.v4.build())).toEqual([[quad(192, 0, 2, 0), quad(192, 0, 2, 255)]]);
});
