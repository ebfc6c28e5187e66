import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressSum, countRanges } from '../../src/ip/address-sum.js';
import { IPV4, IPV6 } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import { BOTH, lastAddress, normal, wordsOf } from './oracle.js';

describe.each(BOTH)('$name', (family) => {
  test('as many as bigints say', () => {
    fc.assert(
      fc.property(anyRanges(family), (given) => {
        const ranges = normal(given);
        const column = (side: 0 | 1) => Uint32Array.from(ranges.flatMap((range) => [...wordsOf(family, range[side])]));
        const expected = ranges.reduce((sum, [first, last]) => sum + last - first + 1n, 0n);
        expect(countRanges(family, column(0), column(1))).toBe(expected);
      }),
      runs(200),
    );
  });

  test('the whole space', () => {
    const [lo, hi] = [wordsOf(family, 0n), wordsOf(family, lastAddress(family))];
    expect(countRanges(family, lo, hi)).toBe(1n << BigInt(family.bits));
  });
});

test('exact however many ranges are added', () => {
  const sum = new AddressSum(IPV6.words);
  // Each difference is as large as one can be: doubles would begin to round behind 2^21 of them.
  const [lo, hi] = [wordsOf(IPV6, 0n), wordsOf(IPV6, lastAddress(IPV6) - 1n)];
  const times = 2 ** 22 + 3;
  for (let i = 0; i < times; i++) sum.add(lo, 0, hi, 0);
  expect(sum.total()).toBe(BigInt(times) * lastAddress(IPV6));
});

test('a sum goes on after it was asked for', () => {
  const sum = new AddressSum(IPV4.words);
  sum.add(Uint32Array.of(1), 0, Uint32Array.of(4), 0);
  expect(sum.total()).toBe(4n);
  sum.add(Uint32Array.of(9), 0, Uint32Array.of(9), 0);
  expect(sum.total()).toBe(5n);
});
