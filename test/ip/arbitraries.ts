import fc from 'fast-check';
import type { Family } from '../../src/ip/index.js';
import { lastAddress, type Range } from './oracle.js';

/** Parameters of every property: the seed is fixed, and fast-check prints it with the shrunk counterexample. */
export function runs(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: 0x1b10c, numRuns };
}

/** Any address, often one next to a power of two or to an end of the family. */
export function anyAddress(family: Family): fc.Arbitrary<bigint> {
  const last = lastAddress(family);
  const near = fc
    .tuple(fc.integer({ min: 0, max: family.bits }), fc.integer({ min: -2, max: 2 }))
    .map(([k, off]) => (1n << BigInt(k)) + BigInt(off))
    .map((value) => (value < 0n ? 0n : value > last ? last : value));
  return fc.oneof(
    fc.bigInt({ min: 0n, max: last }),
    near,
    near.map((value) => last - value),
  );
}

/** Any range: two free ends, or a short one that begins anywhere. */
function anyRange(family: Family): fc.Arbitrary<Range> {
  const last = lastAddress(family);
  const wide = fc.tuple(anyAddress(family), anyAddress(family)).map(([a, b]): Range => (a <= b ? [a, b] : [b, a]));
  const short = fc
    .tuple(anyAddress(family), fc.nat(20))
    .map(([a, more]): Range => [a, a + BigInt(more) > last ? last : a + BigInt(more)]);
  return fc.oneof({ weight: 1, arbitrary: wide }, { weight: 3, arbitrary: short });
}

export function anyRanges(family: Family, maxLength = 16): fc.Arbitrary<Range[]> {
  return fc.array(anyRange(family), { maxLength });
}

/** 128 bits in which whole hextets are often zero, all ones or small: where `::` and leading zeros are decided. */
export function anyHextets(): fc.Arbitrary<bigint> {
  const hextet = fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(0xffff) },
    { weight: 2, arbitrary: fc.nat(0xff) },
    { weight: 2, arbitrary: fc.nat(0xffff) },
  );
  return fc
    .array(hextet, { minLength: 8, maxLength: 8 })
    .map((values) => values.reduce((all, value) => (all << 16n) | BigInt(value), 0n));
}
