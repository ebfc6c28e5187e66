import type { Family } from './family.js';
import { RangeAppender } from './range-appender.js';
import { RangeSet } from './range-set.js';
import { LabelledRows, sweep } from './sweep.js';
import { compareAt, copyAt, countUpTo, followsAt } from './words.js';

/**
 * Ranges of one family with a number on each: whose they are. Sorted and disjoint; neighbours touch only where their numbers differ, so the
 * ranges of one number are a set as they stand. Immutable.
 */
export class LabelledRanges {
  private constructor(
    readonly family: Family,
    /** first and last addresses, `family.words` words each */
    readonly lo: Uint32Array,
    readonly hi: Uint32Array,
    /** one a range */
    readonly labels: Uint32Array,
  ) {}

  static empty(family: Family): LabelledRanges {
    return new LabelledRanges(family, new Uint32Array(0), new Uint32Array(0), new Uint32Array(0));
  }

  /** What was written out before, or undefined when it does not keep the invariant: a file may come back changed. O(size). */
  static ofColumns(family: Family, lo: Uint32Array, hi: Uint32Array, labels: Uint32Array): LabelledRanges | undefined {
    const w = family.words;
    if (lo.length !== labels.length * w || hi.length !== lo.length) return undefined;
    if (w === 1) return isOrdered(lo, hi, labels) ? new LabelledRanges(family, lo, hi, labels) : undefined;
    for (let r = 0, i = 0; r < labels.length; r++, i += w) {
      if (compareAt(lo, i, hi, i, w) > 0) return undefined;
      if (r === 0) continue;
      const order = compareAt(hi, i - w, lo, i, w);
      if (order >= 0 || (labels[r] === labels[r - 1] && followsAt(hi, i - w, lo, i, w))) return undefined;
    }
    return new LabelledRanges(family, lo, hi, labels);
  }

  /** For the builder beside: takes columns that keep the invariant. */
  static adopt(family: Family, lo: Uint32Array, hi: Uint32Array, labels: Uint32Array): LabelledRanges {
    return new LabelledRanges(family, lo, hi, labels);
  }

  /** number of ranges */
  get size(): number {
    return this.labels.length;
  }

  /** The number of the address at `words[i]`, undefined where it is in no range. O(log size). */
  at(words: Uint32Array, i: number): number | undefined {
    const w = this.family.words;
    const r = this.firstBehind(words, i) - 1;
    return r >= 0 && compareAt(words, i, this.hi, r * w, w) <= 0 ? this.labels[r] : undefined;
  }

  /** The set of each wanted number, in one walk; empty for one that no range has. O(size). */
  setsOf(wanted: Iterable<number>): Map<number, RangeSet> {
    const { labels, family, lo, hi } = this;
    const w = family.words;
    const numbers = [...new Set(wanted)];
    const places = placesOf(labels, numbers);
    const sizes = new Uint32Array(numbers.length + 1);
    for (let r = 0; r < places.length; r++) sizes[places[r]!]!++;
    const parts = numbers.map((_, i) => RangeAppender.withRoom(family, sizes[i]!));
    for (let r = 0; r < places.length; r++) {
      if (places[r]! < numbers.length) parts[places[r]!]!.append(lo, r * w, hi, r * w);
    }
    return new Map(
      numbers.map((label, i) => {
        const { size, lo: first, hi: last } = parts[i]!.finish();
        return [label, RangeSet.adopt(family, size, first, last)] as const;
      }),
    );
  }

  /** Every address that has a number. O(size). */
  all(): RangeSet {
    const { family, lo, hi } = this;
    const parts = RangeAppender.withRoom(family, this.size);
    for (let i = 0; i < lo.length; i += family.words) parts.extend(lo, i, hi, i);
    const joined = parts.finish();
    return RangeSet.adopt(family, joined.size, joined.lo, joined.hi);
  }

  /** Both together; where both know an address, this one's number stands. O(both). */
  over(other: LabelledRanges): LabelledRanges {
    if (other.size === 0) return this;
    if (this.size === 0) return other;
    const rows = new LabelledRows(this.family, 2 * (this.size + other.size), 1);
    sweep(this.family, this, other, (from, to, mine, theirs) => {
      rows.add(from, to, mine >= 0 ? this.labels[mine]! : other.labels[theirs]!);
    });
    const { lo, hi, labels } = rows.finish();
    return new LabelledRanges(this.family, lo, hi, labels[0]!);
  }

  /** How many addresses of `set` each number has; IPv6 counts are rounded to doubles. O(set.size × log size + hits). */
  countsIn(set: RangeSet): Map<number, number> {
    const w = this.family.words;
    const counts = new Map<number, number>();
    for (let r = 0, i = 0; r < set.size; r++, i += w) {
      for (let k = Math.max(0, this.firstBehind(set.lo, i) - 1); k < this.size; k++) {
        if (compareAt(this.lo, k * w, set.hi, i, w) > 0) break;
        if (compareAt(this.hi, k * w, set.lo, i, w) < 0) continue;
        const [from, f] = compareAt(this.lo, k * w, set.lo, i, w) > 0 ? [this.lo, k * w] : [set.lo, i];
        const [to, t] = compareAt(this.hi, k * w, set.hi, i, w) < 0 ? [this.hi, k * w] : [set.hi, i];
        counts.set(this.labels[k]!, (counts.get(this.labels[k]!) ?? 0) + span(from, f, to, t, w));
      }
    }
    return counts;
  }

  /** Index of the first range that begins behind the address. */
  private firstBehind(words: Uint32Array, i: number): number {
    return countUpTo(this.lo, this.size, words, i, this.family.words);
  }
}

/** The invariant for one word, apart since a build from cache is measured in milliseconds. */
function isOrdered(lo: Uint32Array, hi: Uint32Array, labels: Uint32Array): boolean {
  let end = -2;
  for (let r = 0; r < labels.length; r++) {
    const start = lo[r]!;
    if (start > hi[r]! || start <= end || (start === end + 1 && labels[r] === labels[r - 1])) return false;
    end = hi[r]!;
  }
  return true;
}

/** Numbers up to here are looked up in a table: those of countries are, and a lookup in a map would take most of the time. */
const TABLE_SIZE = 1 << 16;

/** For each label its place among the numbers, and for any other one their count. */
function placesOf(labels: Uint32Array, numbers: readonly number[]): Uint32Array {
  const none = numbers.length;
  const known = new Map(numbers.map((label, i) => [label, i]));
  if (numbers.some((label) => label >= TABLE_SIZE)) return labels.map((label) => known.get(label) ?? none);
  const table = new Uint32Array(TABLE_SIZE).fill(none);
  for (const [label, i] of known) table[label] = i;
  const places = new Uint32Array(labels.length);
  for (let r = 0; r < labels.length; r++) places[r] = labels[r]! < TABLE_SIZE ? table[labels[r]!]! : none;
  return places;
}

/** Number of addresses from the one at `lo[i]` to the one at `hi[j]`. Word by word: as doubles both would have lost what differs. */
function span(lo: Uint32Array, i: number, hi: Uint32Array, j: number, w: number): number {
  let count = 0;
  for (let k = 0; k < w; k++) count = count * 2 ** 32 + hi[j + k]! - lo[i + k]!;
  return count + 1;
}

const FIRST_ROOM = 1 << 10;

/** Collects ranges with numbers, best in ascending order: then neighbours of one number are joined as they come. */
export class LabelledBuilder {
  private readonly w: Family['words'];
  private lo: Uint32Array;
  private hi: Uint32Array;
  private labels: Uint32Array = new Uint32Array(FIRST_ROOM);
  private size = 0;
  private isOrdered = true;
  private isDisjoint = true;

  constructor(readonly family: Family) {
    this.w = family.words;
    this.lo = new Uint32Array(FIRST_ROOM * this.w);
    this.hi = new Uint32Array(FIRST_ROOM * this.w);
  }

  /** Adds the range from `lo[i]` to `hi[j]`, both inclusive; `lo` must not be above `hi`. */
  add(lo: Uint32Array, i: number, hi: Uint32Array, j: number, label: number): void {
    const { w, size } = this;
    const last = (size - 1) * w;
    if (size > 0 && this.labels[size - 1] === label && followsAt(this.hi, last, lo, i, w)) {
      copyAt(hi, j, this.hi, last, w);
      return;
    }
    if (size > 0 && compareAt(this.hi, last, lo, i, w) >= 0) {
      this.isDisjoint = false;
      if (compareAt(this.lo, last, lo, i, w) > 0) this.isOrdered = false;
    }
    if (size === this.labels.length) this.grow();
    copyAt(lo, i, this.lo, size * w, w);
    copyAt(hi, j, this.hi, size * w, w);
    this.labels[size] = label;
    this.size++;
  }

  /**
   * The ranges, and how many were left out: of two that overlap and have different numbers, the one that begins first stands, of two that begin together the one that came first.
   */
  build(): { readonly ranges: LabelledRanges; readonly leftOut: number } {
    const { family, w, size } = this;
    const ready = () =>
      LabelledRanges.adopt(family, this.lo.slice(0, size * w), this.hi.slice(0, size * w), this.labels.slice(0, size));
    if (this.isDisjoint) return { ranges: ready(), leftOut: 0 };
    const order = Uint32Array.from({ length: size }, (_, r) => r);
    // Half a million lines with two of them at odds need no sorting.
    if (!this.isOrdered) order.sort((a, b) => compareAt(this.lo, a * w, this.lo, b * w, w) || a - b);
    const sorted = new LabelledBuilder(family);
    let leftOut = 0;
    for (const r of order) if (!sorted.take(this.lo, this.hi, r * w, this.labels[r]!)) leftOut++;
    return { ranges: sorted.build().ranges, leftOut };
  }

  /** Adds the next range in order, unless it overlaps the last one and has another number. */
  private take(lo: Uint32Array, hi: Uint32Array, i: number, label: number): boolean {
    const { w, size } = this;
    const last = (size - 1) * w;
    if (size === 0 || compareAt(this.hi, last, lo, i, w) < 0) {
      this.add(lo, i, hi, i, label);
      return true;
    }
    if (this.labels[size - 1] !== label) return false;
    if (compareAt(hi, i, this.hi, last, w) > 0) copyAt(hi, i, this.hi, last, w);
    return true;
  }

  private grow(): void {
    const wider = (column: Uint32Array) => {
      const copy = new Uint32Array(column.length * 2);
      copy.set(column);
      return copy;
    };
    this.lo = wider(this.lo);
    this.hi = wider(this.hi);
    this.labels = wider(this.labels);
  }
}
