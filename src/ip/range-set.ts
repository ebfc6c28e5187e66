import { countRanges } from './address-sum.js';
import type { Family } from './family.js';
import { isGap, RangeAppender, type RangeColumns } from './range-appender.js';
import { compareAt, copyAt, countUpTo, decrementAt, incrementAt } from './words.js';

/**
 * An immutable set of addresses of one family, as ranges in two typed columns.
 *
 * Invariant, kept by every function that makes one: ranges are sorted, disjoint and non-adjacent
 * (`hi[r] + 1 < lo[r + 1]`). So two equal sets have equal columns, and membership is a binary search.
 */
export class RangeSet {
  readonly family: Family;
  /** number of ranges */
  readonly size: number;
  /** first addresses, `family.words` words each */
  readonly lo: Uint32Array;
  /** last addresses (inclusive), `family.words` words each */
  readonly hi: Uint32Array;

  private constructor(family: Family, size: number, lo: Uint32Array, hi: Uint32Array) {
    this.family = family;
    this.size = size;
    this.lo = lo;
    this.hi = hi;
  }

  static empty(family: Family): RangeSet {
    return new RangeSet(family, 0, new Uint32Array(0), new Uint32Array(0));
  }

  /**
   * The union of `count` ranges, given as all first addresses sorted and, independently, all last addresses sorted: the k-th smallest
   * end closes a connected part exactly when the next start lies beyond it. For single addresses both may be the same column. O(count).
   * `ends` and `spare` (of the same size) are taken over and become the columns of the set, so that a million addresses are not held twice.
   */
  static fromSorted(family: Family, { starts, ends, spare }: SortedColumns, count: number): RangeSet {
    const w = family.words;
    const parts = new RangeAppender(family, spare, ends);
    if (w === 1) return RangeSet.made(family, parts.fillFromWords(starts, ends, count));
    let first = 0;
    for (let i = 0, last = (count - 1) * w; i <= last; i += w) {
      if (i < last && !isGap(ends, i, starts, i + w, w)) continue;
      // Written at or before what is read: a part is never ahead of the ranges it is made of.
      parts.append(starts, first, ends, i);
      first = i + w;
    }
    return RangeSet.made(family, parts.finish());
  }

  /** Whether the address at `words[i]` is inside. O(log size). */
  hasAt(words: Uint32Array, i: number): boolean {
    const r = this.rangeAtOrBefore(words, i);
    return r >= 0 && compareAt(words, i, this.hi, r * this.family.words, this.family.words) <= 0;
  }

  /** Index of the last range that begins at or before the address at `words[i]`, or −1. O(log size). */
  rangeAtOrBefore(words: Uint32Array, i: number): number {
    return countUpTo(this.lo, this.size, words, i, this.family.words) - 1;
  }

  equals(other: RangeSet): boolean {
    if (this.family !== other.family || this.size !== other.size) return false;
    for (let i = 0, end = this.size * this.family.words; i < end; i++) {
      if (this.lo[i] !== other.lo[i] || this.hi[i] !== other.hi[i]) return false;
    }
    return true;
  }

  /** Number of addresses, exact: up to 2^128. */
  count(): bigint {
    return countRanges(this.family, this.lo, this.hi);
  }

  /** Part of the family's whole space, 0…1. */
  share(): number {
    return Number(this.count()) / 2 ** this.family.bits;
  }

  /** Everything in this set, in the other, or in both. O(size + other.size). */
  union(other: RangeSet): RangeSet {
    if (other.size === 0) return this;
    if (this.size === 0) return other;
    const w = this.family.words;
    const parts = RangeAppender.withRoom(this.family, this.size + other.size);
    if (w === 1) return RangeSet.made(this.family, parts.fillUnionOfWords(this, other));
    const endA = this.size * w;
    const endB = other.size * w;
    for (let a = 0, b = 0; a < endA || b < endB; ) {
      if (b >= endB || (a < endA && compareAt(this.lo, a, other.lo, b, w) <= 0)) {
        parts.extend(this.lo, a, this.hi, a);
        a += w;
      } else {
        parts.extend(other.lo, b, other.hi, b);
        b += w;
      }
    }
    return RangeSet.made(this.family, parts.finish());
  }

  /** What is in both sets. O(size + other.size). */
  intersect(other: RangeSet): RangeSet {
    const w = this.family.words;
    const parts = RangeAppender.withRoom(this.family, this.size + other.size);
    if (w === 1) return RangeSet.made(this.family, parts.fillIntersectionOfWords(this, other));
    const endA = this.size * w;
    const endB = other.size * w;
    for (let a = 0, b = 0; a < endA && b < endB; ) {
      const [lo, l] = compareAt(this.lo, a, other.lo, b, w) >= 0 ? [this.lo, a] : [other.lo, b];
      const aEndsFirst = compareAt(this.hi, a, other.hi, b, w) <= 0;
      const [hi, h] = aEndsFirst ? [this.hi, a] : [other.hi, b];
      // Inside one range of the other set, parts stay apart because ranges of a set are never adjacent.
      if (compareAt(lo, l, hi, h, w) <= 0) parts.append(lo, l, hi, h);
      if (aEndsFirst) a += w;
      else b += w;
    }
    return RangeSet.made(this.family, parts.finish());
  }

  /** What is in this set and not in the other. What lies between two ranges of the other is copied as a whole: O(other.size × log(size)) and that. */
  subtract(other: RangeSet): RangeSet {
    if (other.size === 0 || this.size === 0) return this;
    const w = this.family.words;
    const parts = RangeAppender.withRoom(this.family, this.size + other.size);
    const [before, behind] = [new Uint32Array(w), new Uint32Array(w)];
    // Of the range `r` some is gone already when `isCut`: it begins at `behind`.
    let r = 0;
    let isCut = false;
    for (let o = 0; o < other.size * w && r < this.size; o += w) {
      const next = this.rangeEndingFrom(other.lo, o, r);
      if (next > r) {
        if (isCut) parts.append(behind, 0, this.hi, r * w);
        parts.appendRun(this, isCut ? r + 1 : r, next);
        isCut = false;
        r = next;
      }
      for (; r < this.size; r++) {
        const [lo, l] = isCut ? [behind, 0] : [this.lo, r * w];
        if (compareAt(lo, l, other.hi, o, w) > 0) break;
        if (compareAt(lo, l, other.lo, o, w) < 0) {
          copyAt(other.lo, o, before, 0, w);
          decrementAt(before, 0, w);
          parts.append(lo, l, before, 0);
        }
        isCut = compareAt(this.hi, r * w, other.hi, o, w) > 0;
        if (!isCut) continue;
        copyAt(other.hi, o, behind, 0, w);
        incrementAt(behind, 0, w);
        break;
      }
    }
    if (isCut) parts.append(behind, 0, this.hi, r * w);
    parts.appendRun(this, isCut ? r + 1 : r, this.size);
    return RangeSet.made(this.family, parts.finish());
  }

  /** The first range from `from` on that ends at or behind the address at `words[i]`; `size` for none. O(log of how far it is). */
  private rangeEndingFrom(words: Uint32Array, i: number, from: number): number {
    const w = this.family.words;
    const endsBefore = (r: number) => compareAt(this.hi, r * w, words, i, w) < 0;
    let [low, step] = [from, 1];
    for (; low + step <= this.size && endsBefore(low + step - 1); step *= 2) low += step;
    let high = Math.min(this.size, low + step);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endsBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Every address of the family that is not in this set. O(size). */
  complement(): RangeSet {
    const w = this.family.words;
    const parts = RangeAppender.withRoom(this.family, this.size + 1);
    const from = new Uint32Array(w);
    const to = new Uint32Array(w);
    let open = true;
    for (let i = 0, end = this.size * w; i < end; i += w) {
      copyAt(this.lo, i, to, 0, w);
      if (decrementAt(to, 0, w) && compareAt(from, 0, to, 0, w) <= 0) parts.append(from, 0, to, 0);
      copyAt(this.hi, i, from, 0, w);
      open = incrementAt(from, 0, w);
    }
    if (open) parts.append(from, 0, to.fill(0xffffffff), 0);
    return RangeSet.made(this.family, parts.finish());
  }

  private static made(family: Family, { size, lo, hi }: RangeColumns): RangeSet {
    return new RangeSet(family, size, lo, hi);
  }

  /** For the builders of this folder: takes columns that keep the invariant. */
  static adopt(family: Family, size: number, lo: Uint32Array, hi: Uint32Array): RangeSet {
    return new RangeSet(family, size, lo, hi);
  }
}

/** Input of RangeSet.fromSorted; see there. */
export interface SortedColumns {
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly spare: Uint32Array;
}
