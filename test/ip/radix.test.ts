import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { radixSort } from '../../src/ip/radix.js';
import { anyAddress, runs } from './arbitraries.js';
import { BOTH, valueAt, wordsOf } from './oracle.js';

function ascending(values: readonly bigint[]): bigint[] {
  return [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

describe.each(BOTH)('radixSort of $name', (family) => {
  const w = family.words;
  const top = 1n << BigInt(family.bits - 1);

  /** Sorts the first `values.length` addresses of a column and gives back these. */
  function sorted(values: readonly bigint[]): bigint[] {
    const keys = new Uint32Array(values.length * w);
    for (const [i, value] of values.entries()) keys.set(wordsOf(family, value), i * w);
    const result = radixSort(keys, new Uint32Array(keys.length), values.length, w);
    return values.map((_, i) => valueAt(result, i, w));
  }

  test.each<[name: string, values: bigint[], expected: bigint[]]>([
    ['nothing', [], []],
    ['one', [7n], [7n]],
    ['two in order', [1n, 2n], [1n, 2n]],
    ['two out of order', [2n, 1n], [1n, 2n]],
    ['two equal', [9n, 9n], [9n, 9n]],
    ['all equal', [top, top, top, top], [top, top, top, top]],
    ['already sorted', [0n, 1n, 0xffffn, 0x10000n, top], [0n, 1n, 0xffffn, 0x10000n, top]],
    ['descending', [top, 0x10000n, 0xffffn, 1n, 0n], [0n, 1n, 0xffffn, 0x10000n, top]],
    ['beyond the sign bit', [top + 1n, top - 1n, top], [top - 1n, top, top + 1n]],
    [
      'low digit against high digit',
      [0x1_0000n, 0x0_ffffn, 0x2_0001n, 0x2_0000n],
      [0xffffn, 0x10000n, 0x20000n, 0x20001n],
    ],
    ['repeats', [5n, 3n, 5n, 3n, 4n], [3n, 3n, 4n, 5n, 5n]],
  ])('%s', (_name, values, expected) => {
    expect(sorted(values)).toEqual(expected);
  });

  test('every bit by itself decides', () => {
    for (let bit = 0n; bit < BigInt(family.bits); bit++) {
      const one = 1n << bit;
      expect(sorted([one, 0n, one, 0n])).toEqual([0n, 0n, one, one]);
      // The bits below are a higher value, and must not win.
      expect(sorted([one, one - 1n])).toEqual([one - 1n, one]);
    }
  });

  // The factors spread the low half over one, two, three and more digits, so that the result ends up in either column.
  test.each([1n, 0x801n, 0x40_0801n, 1n << 40n, 0x1_0001_0000_0001n])(
    'groups that share the high half, factor %s',
    (factor) => {
      const half = BigInt(family.bits / 2);
      for (const size of [1, 2, 3, 31, 32, 33, 34, 64, 500]) {
        // 503 is prime: every residue once, in a scattered order.
        const lows = Array.from({ length: size }, (_, k) => (BigInt((k * 211) % 503) * factor) & ((1n << half) - 1n));
        const groups = [3n, 1n, 2n].flatMap((high) => lows.map((low) => (high << half) + low));
        expect(sorted(groups)).toEqual(ascending(groups));
      }
    },
  );

  test('random addresses in few groups', () => {
    const half = BigInt(family.bits / 2);
    const near = fc
      .tuple(fc.bigInt({ min: 0n, max: 2n }), anyAddress(family))
      .map(([high, low]) => (high << half) + (low & ((1n << half) - 1n)));
    fc.assert(
      fc.property(fc.array(near, { maxLength: 200, size: 'max' }), (values) => {
        expect(sorted(values)).toEqual(ascending(values));
      }),
      runs(100),
    );
  });

  test('agrees with Array.prototype.sort on random addresses', () => {
    fc.assert(
      fc.property(fc.array(anyAddress(family), { maxLength: 200 }), (values) => {
        expect(sorted(values)).toEqual(ascending(values));
      }),
      runs(150),
    );
  });

  test('leaves what stands behind the count alone', () => {
    const keys = new Uint32Array(4 * w).fill(0xdeadbeef);
    keys.set(wordsOf(family, 2n), 0);
    keys.set(wordsOf(family, 1n), w);
    const result = radixSort(keys, new Uint32Array(4 * w).fill(0xdeadbeef), 2, w);
    expect([valueAt(result, 0, w), valueAt(result, 1, w)]).toEqual([1n, 2n]);
    expect([...result.subarray(2 * w)]).toEqual(Array(2 * w).fill(0xdeadbeef));
  });
});
