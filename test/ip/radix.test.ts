import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { radixSort } from '../../src/ip/radix.js';
import { anyAddress, runs } from './arbitraries.js';
import { BOTH, valueAt, wordsOf } from './oracle.js';

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

  test('every 16-bit digit by itself decides', () => {
    for (let shift = 0n; shift < BigInt(family.bits); shift += 16n) {
      expect(sorted([3n << shift, 1n << shift, 0xffffn << shift, 2n << shift])).toEqual([
        1n << shift,
        2n << shift,
        3n << shift,
        0xffffn << shift,
      ]);
    }
  });

  test('agrees with Array.prototype.sort on random addresses', () => {
    fc.assert(
      fc.property(fc.array(anyAddress(family), { maxLength: 200 }), (values) => {
        expect(sorted(values)).toEqual([...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
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
