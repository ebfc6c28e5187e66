import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareAt,
  copyAt,
  decrementAt,
  differingBitsAt,
  followsAt,
  hostMask,
  incrementAt,
  lastOfPrefix,
  maskHostBits,
  toBigInt,
  trailingBitsAt,
} from '../../src/ip/words.js';
import { anyAddress, runs } from './arbitraries.js';
import { BOTH, lastAddress, valueAt, wordsOf } from './oracle.js';

const EDGE = 0xdeadbeef;

describe.each(BOTH)('arithmetic on one address in the middle of a column, $name', (family) => {
  const w = family.words;
  const whole = lastAddress(family) + 1n;
  const any = anyAddress(family);
  const anyLength = fc.integer({ min: 0, max: family.bits });

  /** A column of three addresses with `value` as the second one. */
  function column(value: bigint): Uint32Array {
    const words = new Uint32Array(3 * w).fill(EDGE);
    words.set(wordsOf(family, value), w);
    return words;
  }

  /** The second address; the others must be as they were. */
  function middle(words: Uint32Array): bigint {
    const others = [...words.subarray(0, w), ...words.subarray(2 * w)];
    expect(others).toEqual(Array(2 * w).fill(EDGE));
    return valueAt(words, 1, w);
  }

  test('compareAt, toBigInt, copyAt', () => {
    fc.assert(
      fc.property(any, any, (x, y) => {
        expect(compareAt(column(x), w, column(y), w, w)).toBe(x < y ? -1 : x > y ? 1 : 0);
        expect(compareAt(column(x), w, column(x), w, w)).toBe(0);
        expect(toBigInt(column(x), w, w)).toBe(x);
        const to = column(y);
        copyAt(column(x), w, to, w, w);
        expect(middle(to)).toBe(x);
      }),
      runs(300),
    );
  });

  test('incrementAt, decrementAt and followsAt, with the step over each end', () => {
    fc.assert(
      fc.property(fc.oneof(any, fc.constantFrom(0n, whole - 1n)), any, (x, y) => {
        const [up, down] = [column(x), column(x)];
        expect(incrementAt(up, w, w)).toBe(x !== whole - 1n);
        expect(middle(up)).toBe((x + 1n) % whole);
        expect(decrementAt(down, w, w)).toBe(x !== 0n);
        expect(middle(down)).toBe((x + whole - 1n) % whole);
        expect(followsAt(column(x), w, column((x + 1n) % whole), w, w)).toBe(x !== whole - 1n);
        expect(followsAt(column(x), w, column(x), w, w)).toBe(false);
        expect(followsAt(column(x), w, column(y), w, w)).toBe(y === x + 1n);
      }),
      runs(500),
    );
  });

  test('one word apart in the high words is not the next address', () => {
    for (let k = 0; k < w - 1; k++) {
      const next = column(1n);
      next[w + k]!++;
      expect(followsAt(column(0n), w, next, w, w)).toBe(false);
      const carried = column(1n << 32n);
      expect(followsAt(column((1n << 32n) - 1n), w, carried, w, w)).toBe(true);
    }
  });

  test('hostMask, maskHostBits, lastOfPrefix', () => {
    fc.assert(
      fc.property(any, anyLength, (x, length) => {
        const size = 1n << BigInt(family.bits - length);
        const masks = Array.from({ length: w }, (_, k) => hostMask(length, k));
        expect(valueAt(Uint32Array.from(masks), 0, w)).toBe(size - 1n);
        expect(masks.every((mask) => mask >= 0)).toBe(true);
        const masked = column(x);
        expect(maskHostBits(masked, w, w, length)).toBe(x % size !== 0n);
        expect(middle(masked)).toBe(x - (x % size));
        const last = column(0n);
        lastOfPrefix(column(x), w, length, last, w, w);
        expect(middle(last)).toBe(x - (x % size) + size - 1n);
      }),
      runs(500),
    );
  });

  test('trailingBitsAt and differingBitsAt, against the binary text', () => {
    const binary = (value: bigint) => value.toString(2).padStart(family.bits, '0');
    fc.assert(
      fc.property(any, any, (x, y) => {
        expect(trailingBitsAt(column(x), w, w, 0)).toBe(/0*$/.exec(binary(x))![0].length);
        expect(trailingBitsAt(column(x), w, w, 1)).toBe(/1*$/.exec(binary(x))![0].length);
        const differs = binary(x ^ y).indexOf('1');
        expect(differingBitsAt(column(x), w, column(y), w, w)).toBe(differs < 0 ? 0 : family.bits - differs);
        expect(differingBitsAt(column(x), w, column(x), w, w)).toBe(0);
      }),
      runs(500),
    );
  });
});
