import type { Family } from './family.js';
import { compareAt, copyAt, decrementAt, followsAt, incrementAt } from './words.js';

/** Ranges of one family in ascending order, disjoint; neighbours may touch. `family.words` words each. */
export interface Ranges {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
}

/**
 * Walks over two columns of ranges at once and hands out their pieces in ascending order: each lies in one range of `a` (its index, or −1), in
 * one of `b`, or in both. `from` and `to` are overwritten by the next piece. O(both).
 */
export function sweep(
  family: Family,
  a: Ranges,
  b: Ranges,
  take: (from: Uint32Array, to: Uint32Array, inA: number, inB: number) => void,
): void {
  const w = family.words;
  const [x, y] = [new Cursor(family, a), new Cursor(family, b)];
  const end = new Uint32Array(w);
  while (x.isOpen || y.isOpen) {
    const order = !x.isOpen ? 1 : !y.isOpen ? -1 : compareAt(x.start, 0, y.start, 0, w);
    const [earlier, later] = order <= 0 ? [x, y] : [y, x];
    if (order !== 0 && (!later.isOpen || compareAt(earlier.end, 0, later.start, 0, w) < 0)) {
      copyAt(earlier.end, 0, end, 0, w);
    } else if (order !== 0) {
      copyAt(later.start, 0, end, 0, w);
      decrementAt(end, 0, w);
    } else {
      copyAt(compareAt(x.end, 0, y.end, 0, w) <= 0 ? x.end : y.end, 0, end, 0, w);
    }
    take(earlier.start, end, order <= 0 ? x.index : -1, order >= 0 ? y.index : -1);
    if (order <= 0) x.passed(end);
    if (order >= 0) y.passed(end);
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
    private readonly ranges: Ranges,
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
    const { lo, hi } = this.ranges;
    const w = this.family.words;
    const at = this.index * w;
    this.isOpen = at < lo.length;
    if (!this.isOpen) return;
    copyAt(lo, at, this.start, 0, w);
    copyAt(hi, at, this.end, 0, w);
  }
}

/** Collects ranges with numbers on them in ascending order, joining neighbours whose numbers are the same. */
export class LabelledRows {
  private size = 0;
  private readonly lo: Uint32Array;
  private readonly hi: Uint32Array;
  private readonly labels: readonly Uint32Array[];

  /** `labels`: how many numbers each range carries */
  constructor(
    private readonly family: Family,
    room: number,
    labels: number,
  ) {
    this.lo = new Uint32Array(room * family.words);
    this.hi = new Uint32Array(room * family.words);
    this.labels = Array.from({ length: labels }, () => new Uint32Array(room));
  }

  add(from: Uint32Array, to: Uint32Array, ...labels: readonly number[]): void {
    const w = this.family.words;
    const before = this.size - 1;
    const isSame = before >= 0 && labels.every((label, k) => this.labels[k]![before] === label);
    if (isSame && followsAt(this.hi, before * w, from, 0, w)) {
      copyAt(to, 0, this.hi, before * w, w);
      return;
    }
    copyAt(from, 0, this.lo, this.size * w, w);
    copyAt(to, 0, this.hi, this.size * w, w);
    for (const [k, label] of labels.entries()) this.labels[k]![this.size] = label;
    this.size++;
  }

  finish(): Ranges & { readonly labels: readonly Uint32Array[] } {
    const words = this.size * this.family.words;
    return {
      lo: this.lo.slice(0, words),
      hi: this.hi.slice(0, words),
      labels: this.labels.map((column) => column.slice(0, this.size)),
    };
  }
}
