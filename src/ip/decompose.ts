import type { Family } from './family.js';
import type { RangeSet } from './range-set.js';
import { copyAt, differingBitsAt, incrementAt, lastOfPrefix, trailingBitsAt } from './words.js';

/** CIDR blocks of one family in columns: block `i` is `words[i × family.words …]`/`lengths[i]`. */
export interface Prefixes {
  readonly family: Family;
  readonly size: number;
  readonly words: Uint32Array;
  readonly lengths: Uint8Array;
}

/**
 * Walks the fewest CIDR blocks that cover exactly a set, in numeric order, without holding them. Greedy: the largest aligned block that begins at
 * the first address still uncovered and ends inside its range. That is minimal, because the ranges of a set are isolated from each other.
 */
export class BlockWalk {
  readonly family: Family;
  /** first address of the current block */
  readonly words: Uint32Array;
  /** prefix length of the current block */
  length = 0;
  private readonly last: Uint32Array;
  private readonly lo: Uint32Array;
  private readonly hi: Uint32Array;
  /** word offset of the current range */
  private range: number;
  /** whether the current range has addresses behind the current block */
  private inside = false;

  constructor(set: RangeSet) {
    this.family = set.family;
    this.words = new Uint32Array(set.family.words);
    this.last = new Uint32Array(set.family.words);
    this.lo = set.lo;
    this.hi = set.hi;
    this.range = -set.family.words;
  }

  /** Steps to the next block; false when there is none. */
  next(): boolean {
    const { family, words, last, lo, hi } = this;
    const w = family.words;
    if (w === 1) return this.nextOfWords();
    if (this.inside) {
      copyAt(last, 0, words, 0, w);
      incrementAt(words, 0, w);
    } else {
      this.range += w;
      if (this.range >= lo.length) return false;
      copyAt(lo, this.range, words, 0, w);
    }
    const bits = hostBits(words, hi, this.range, w);
    this.length = family.bits - bits;
    if (bits === 0) {
      copyAt(words, 0, last, 0, w);
    } else {
      lastOfPrefix(words, 0, this.length, last, 0, w);
    }
    this.inside = differingBitsAt(last, 0, hi, this.range, w) !== 0;
    return true;
  }

  /** The same for one word: the general way takes a tenth of the time of a build of countries. */
  private nextOfWords(): boolean {
    const { words, lo, hi } = this;
    if (!this.inside && ++this.range >= lo.length) return false;
    const from = this.inside ? words[0]! + SIZES[32 - this.length]! : lo[this.range]!;
    const to = hi[this.range]!;
    const aligned = from === 0 ? 32 : 31 - Math.clz32(from & -from);
    const left = to - from + 1;
    const whole = left > 0xffffffff ? 32 : 31 - Math.clz32(left);
    const bits = Math.min(aligned, whole);
    words[0] = from;
    this.length = 32 - bits;
    this.inside = left > SIZES[bits]!;
    return true;
  }
}

/** Addresses in a block of IPv4 by its number of host bits. */
const SIZES: Float64Array = Float64Array.from({ length: 33 }, (_, bits) => 2 ** bits);

/** The blocks of a BlockWalk as columns. Cost: O(blocks). */
export function decompose(set: RangeSet): Prefixes {
  const out = new PrefixColumns(set.family, Math.max(16, Math.ceil(set.size * 1.25)));
  const walk = new BlockWalk(set);
  while (walk.next()) out.push(walk.words, 0, walk.length);
  return out.finish();
}

/**
 * log2 of the size of the largest aligned block that begins at `lo` and does not go beyond `hi[h]`. With d the
 * number of low bits in which the two differ, every block below 2^d fits, and 2^d itself only when `hi` ends in d ones.
 */
function hostBits(lo: Uint32Array, hi: Uint32Array, h: number, w: number): number {
  const differing = differingBitsAt(lo, 0, hi, h, w);
  if (differing === 0) return 0;
  const aligned = trailingBitsAt(lo, 0, w, 0);
  const whole = aligned >= differing && trailingBitsAt(hi, h, w, 1) >= differing;
  return whole ? differing : Math.min(aligned, differing - 1);
}

/** Growing columns of prefixes. */
class PrefixColumns {
  private words: Uint32Array;
  private lengths: Uint8Array;
  private size = 0;

  constructor(
    private readonly family: Family,
    capacity: number,
  ) {
    this.words = new Uint32Array(capacity * family.words);
    this.lengths = new Uint8Array(capacity);
  }

  push(words: Uint32Array, i: number, length: number): void {
    if (this.size === this.lengths.length) this.grow();
    copyAt(words, i, this.words, this.size * this.family.words, this.family.words);
    this.lengths[this.size++] = length;
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const lengths = new Uint8Array(this.lengths.length * 2);
    lengths.set(this.lengths);
    this.lengths = lengths;
  }

  finish(): Prefixes {
    const { family, size } = this;
    const words = this.words.subarray(0, size * family.words);
    return { family, size, words, lengths: this.lengths.subarray(0, size) };
  }
}

/** The same apart: single addresses (`/32`, `/128`) and nets wider than one address, each in numeric order. */
export function decomposeApart(set: RangeSet): { readonly nodes: Prefixes; readonly nets: Prefixes } {
  const { family, size } = set;
  const [nodes, nets] = [new PrefixColumns(family, 16), new PrefixColumns(family, Math.max(16, size))];
  const walk = new BlockWalk(set);
  while (walk.next()) (walk.length === family.bits ? nodes : nets).push(walk.words, 0, walk.length);
  return { nodes: nodes.finish(), nets: nets.finish() };
}
