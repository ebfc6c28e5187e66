import type { Family } from './family.js';
import type { RangeSet } from './range-set.js';
import { compareAt, copyAt, decrementAt, followsAt, incrementAt } from './words.js';

/** Since when and until when an address was listed, in days since 1970. */
export interface SeenDays {
  readonly first: number;
  readonly last: number;
}

/** Ranges of one family with their days: sorted, disjoint; neighbours may touch when their days differ. Immutable. */
export class SeenRanges {
  constructor(
    readonly family: Family,
    /** first and last addresses, `family.words` words each */
    readonly lo: Uint32Array,
    readonly hi: Uint32Array,
    /** days, one a range */
    readonly first: Uint32Array,
    readonly last: Uint32Array,
  ) {}

  static of({ family, lo, hi, size }: RangeSet, day: number): SeenRanges {
    return new SeenRanges(family, lo, hi, new Uint32Array(size).fill(day), new Uint32Array(size).fill(day));
  }

  /** O(log size) */
  at(words: Uint32Array, i: number): SeenDays | undefined {
    const w = this.family.words;
    let low = 0;
    let high = this.first.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAt(this.lo, middle * w, words, i, w) <= 0) low = middle + 1;
      else high = middle;
    }
    const r = low - 1;
    if (r < 0 || compareAt(words, i, this.hi, r * w, w) > 0) return undefined;
    return { first: this.first[r]!, last: this.last[r]! };
  }

  /**
   * The history once `set` is what is listed on `day`: what is in it keeps its first day, what is not keeps its last one, until that is more
   * than `keptDays` ago. O(size + set.size).
   */
  advanced(set: RangeSet, day: number, keptDays: number): SeenRanges {
    const out = new Rows(this.family, 2 * (this.first.length + set.size));
    const w = this.family.words;
    const rows = new Cursor(this.family, this.lo, this.hi);
    const now = new Cursor(this.family, set.lo, set.hi);
    const end = new Uint32Array(w);
    const gone = (to: Uint32Array) => {
      const [first, last] = [this.first[rows.index]!, this.last[rows.index]!];
      if (day - last <= keptDays) out.add(rows.start, to, first, last);
    };
    while (rows.isOpen || now.isOpen) {
      const order = !rows.isOpen ? 1 : !now.isOpen ? -1 : compareAt(rows.start, 0, now.start, 0, w);
      const [earlier, later] = order <= 0 ? [rows, now] : [now, rows];
      if (order !== 0 && (!later.isOpen || compareAt(earlier.end, 0, later.start, 0, w) < 0)) {
        copyAt(earlier.end, 0, end, 0, w);
      } else if (order !== 0) {
        copyAt(later.start, 0, end, 0, w);
        decrementAt(end, 0, w);
      } else {
        copyAt(compareAt(rows.end, 0, now.end, 0, w) <= 0 ? rows.end : now.end, 0, end, 0, w);
      }
      if (order < 0) gone(end);
      else out.add(now.start, end, order === 0 ? this.first[rows.index]! : day, day);
      if (order <= 0) rows.passed(end);
      if (order >= 0) now.passed(end);
    }
    return out.finish();
  }
}

/** The unread part of a column of ranges. */
class Cursor {
  index = 0;
  isOpen = false;
  readonly start: Uint32Array;
  readonly end: Uint32Array;

  constructor(
    private readonly family: Family,
    private readonly lo: Uint32Array,
    private readonly hi: Uint32Array,
  ) {
    this.start = new Uint32Array(family.words);
    this.end = new Uint32Array(family.words);
    this.load();
  }

  /** Everything up to and with `end` is done; `end` lies inside the current range. */
  passed(end: Uint32Array): void {
    const w = this.family.words;
    if (compareAt(end, 0, this.end, 0, w) < 0) {
      copyAt(end, 0, this.start, 0, w);
      incrementAt(this.start, 0, w);
    } else {
      this.index++;
      this.load();
    }
  }

  private load(): void {
    const w = this.family.words;
    const at = this.index * w;
    this.isOpen = at < this.lo.length;
    if (!this.isOpen) return;
    copyAt(this.lo, at, this.start, 0, w);
    copyAt(this.hi, at, this.end, 0, w);
  }
}

/** Collects rows in ascending order, joining neighbours of the same days. */
class Rows {
  private size = 0;
  private readonly lo: Uint32Array;
  private readonly hi: Uint32Array;
  private readonly first: Uint32Array;
  private readonly last: Uint32Array;

  constructor(
    private readonly family: Family,
    room: number,
  ) {
    this.lo = new Uint32Array(room * family.words);
    this.hi = new Uint32Array(room * family.words);
    this.first = new Uint32Array(room);
    this.last = new Uint32Array(room);
  }

  add(from: Uint32Array, to: Uint32Array, first: number, last: number): void {
    const w = this.family.words;
    const before = this.size - 1;
    const isNext = before >= 0 && followsAt(this.hi, before * w, from, 0, w);
    if (isNext && this.first[before] === first && this.last[before] === last) {
      copyAt(to, 0, this.hi, before * w, w);
      return;
    }
    copyAt(from, 0, this.lo, this.size * w, w);
    copyAt(to, 0, this.hi, this.size * w, w);
    this.first[this.size] = first;
    this.last[this.size++] = last;
  }

  finish(): SeenRanges {
    const { size, family } = this;
    const words = size * family.words;
    return new SeenRanges(
      family,
      this.lo.slice(0, words),
      this.hi.slice(0, words),
      this.first.slice(0, size),
      this.last.slice(0, size),
    );
  }
}
