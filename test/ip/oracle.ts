/**
 * The slow twins that the tests of src/ip compare with: addresses are bigints, a set is a boolean per address, and no
 * function of src/ip computes an expected value.
 */
import { type Family, IPV4, IPV6, IpSetBuilder, type Prefixes, type RangeSet } from '../../src/ip/index.js';

/** First and last address, both inclusive. */
export type Range = readonly [first: bigint, last: bigint];
/** Network address and prefix length. */
export type Block = readonly [network: bigint, length: number];

export const BOTH: readonly Family[] = [IPV4, IPV6];

export function lastAddress(family: Family): bigint {
  return (1n << BigInt(family.bits)) - 1n;
}

export function wordsOf(family: Family, value: bigint): Uint32Array {
  const words = new Uint32Array(family.words);
  for (let k = family.words - 1, rest = value; k >= 0; k--, rest >>= 32n) words[k] = Number(rest & 0xffffffffn);
  return words;
}

export function valueAt(words: Uint32Array, i: number, w: number): bigint {
  let value = 0n;
  for (const word of words.subarray(i * w, i * w + w)) value = value * 0x100000000n + BigInt(word);
  return value;
}

/** Never shortened, so that no rule of RFC 5952 is needed: `192.0.2.1` or `2001:db8:0:0:0:0:0:1`. */
export function plainText(family: Family, value: bigint): string {
  const parts: string[] = [];
  const [size, radix, mark] = family.version === 4 ? [8n, 10, '.'] : [16n, 16, ':'];
  for (let shift = BigInt(family.bits) - size; shift >= 0n; shift -= size) {
    parts.push(((value >> shift) & ((1n << size) - 1n)).toString(radix));
  }
  return parts.join(mark);
}

/** `2001:db8::` as 0x20010db8…n, from eight hextets; by hand, because the parser is what is under test. */
export function hextets(...values: number[]): bigint {
  return values.reduce((all, value) => (all << 16n) | BigInt(value), 0n);
}

export function quad(a: number, b: number, c: number, d: number): bigint {
  return BigInt(((a * 256 + b) * 256 + c) * 256 + d);
}

/** The set under test, made by the builder in the order given. */
export function setOf(family: Family, ranges: Iterable<Range>): RangeSet {
  const builder = new IpSetBuilder();
  for (const [first, last] of ranges) builder.addRange(family, wordsOf(family, first), wordsOf(family, last));
  return builder.of(family).build();
}

export function rangesIn(set: RangeSet): Range[] {
  const w = set.family.words;
  return Array.from({ length: set.size }, (_, r) => [valueAt(set.lo, r, w), valueAt(set.hi, r, w)]);
}

export function blocksIn(prefixes: Prefixes): Block[] {
  const { family, size, words, lengths } = prefixes;
  return Array.from({ length: size }, (_, i) => [valueAt(words, i, family.words), lengths[i]!]);
}

/** What breaks the invariant of RangeSet (sorted, disjoint, non-adjacent, columns as long as the size), or undefined. */
export function brokenInvariant(set: RangeSet): string | undefined {
  const length = set.size * set.family.words;
  if (set.lo.length !== length || set.hi.length !== length) return `columns hold ${set.lo.length} and ${set.hi.length}`;
  let before = -2n;
  for (const [first, last] of rangesIn(set)) {
    if (first > last) return `${first} is above ${last}`;
    if (first <= before + 1n) return `${first} follows ${before} without a gap`;
    before = last;
  }
  return undefined;
}

/** Sorts and joins ranges that overlap or touch. */
export function normal(ranges: Iterable<Range>): Range[] {
  const sorted = [...ranges].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const out: [bigint, bigint][] = [];
  for (const [first, last] of sorted) {
    const open = out.at(-1);
    if (open === undefined || first > open[1] + 1n) out.push([first, last]);
    else if (last > open[1]) open[1] = last;
  }
  return out;
}

/** The fewest blocks for ranges in normal form: walks the whole binary trie, and cuts only where a node is full or empty. */
export function trieBlocks(family: Family, ranges: readonly Range[], network = 0n, length = 0): Block[] {
  const last = network + (1n << BigInt(family.bits - length)) - 1n;
  const touching = ranges.filter(([lo, hi]) => lo <= last && hi >= network);
  if (touching.length === 0) return [];
  if (touching.some(([lo, hi]) => lo <= network && hi >= last)) return [[network, length]];
  const upper = network + (1n << BigInt(family.bits - length - 1));
  return [...trieBlocks(family, touching, network, length + 1), ...trieBlocks(family, touching, upper, length + 1)];
}

export interface Universe {
  readonly name: string;
  readonly family: Family;
  readonly base: bigint;
}

export const UNIVERSE_SIZE = 256;

/** 256 addresses each, at both ends of the families and across every boundary between words. */
export const UNIVERSES: readonly Universe[] = [
  { name: 'IPv4 from 0.0.0.0', family: IPV4, base: 0n },
  { name: 'IPv4 from 10.0.255.128', family: IPV4, base: quad(10, 0, 255, 128) },
  { name: 'IPv4 across the sign bit, from 127.255.255.128', family: IPV4, base: quad(127, 255, 255, 128) },
  { name: 'IPv4 from 255.255.255.0', family: IPV4, base: quad(255, 255, 255, 0) },
  { name: 'IPv6 from ::', family: IPV6, base: 0n },
  { name: 'IPv6 across 32 bits', family: IPV6, base: hextets(0x2001, 0xdb8, 0, 1, 0, 2, 0xffff, 0xff80) },
  { name: 'IPv6 across 64 bits', family: IPV6, base: hextets(0x2001, 0xdb8, 0, 1, 0xffff, 0xffff, 0xffff, 0xff80) },
  { name: 'IPv6 across 96 bits', family: IPV6, base: (0x20010db9n << 96n) - 128n },
  { name: 'IPv6 to the last address', family: IPV6, base: lastAddress(IPV6) - 255n },
];

/** A set that knows each address of a universe by itself, and one answer for all addresses outside. */
export class SlowSet {
  readonly inside: boolean[];
  outside: boolean;

  constructor(
    readonly universe: Universe,
    inside: boolean[] = Array(UNIVERSE_SIZE).fill(false),
    outside = false,
  ) {
    this.inside = inside;
    this.outside = outside;
  }

  combine(other: SlowSet, rule: (mine: boolean, theirs: boolean) => boolean): SlowSet {
    const inside = this.inside.map((mine, k) => rule(mine, other.inside[k]!));
    return new SlowSet(this.universe, inside, rule(this.outside, other.outside));
  }

  complement(): SlowSet {
    return this.combine(this, (mine) => !mine);
  }

  /** Sorted, disjoint, non-adjacent. */
  ranges(): Range[] {
    const { family, base } = this.universe;
    const behind = base + BigInt(UNIVERSE_SIZE);
    const pieces: Range[] = [];
    if (this.outside && base > 0n) pieces.push([0n, base - 1n]);
    for (const [k, held] of this.inside.entries()) if (held) pieces.push([base + BigInt(k), base + BigInt(k)]);
    if (this.outside && behind <= lastAddress(family)) pieces.push([behind, lastAddress(family)]);
    return normal(pieces);
  }

  count(): bigint {
    const outer = this.outside ? lastAddress(this.universe.family) + 1n - BigInt(UNIVERSE_SIZE) : 0n;
    return outer + BigInt(this.inside.filter(Boolean).length);
  }

  /** Addresses worth asking for, each with its answer. */
  *answers(): Generator<readonly [address: bigint, held: boolean]> {
    const { family, base } = this.universe;
    for (const [k, held] of this.inside.entries()) yield [base + BigInt(k), held];
    const last = lastAddress(family);
    for (const far of [
      base - 1n,
      base - 2n,
      base + 256n,
      base + 257n,
      base + (1n << 32n),
      base - (1n << 32n),
      0n,
      last,
    ]) {
      if (far >= 0n && far <= last && (far < base || far >= base + 256n)) yield [far, this.outside];
    }
  }
}
