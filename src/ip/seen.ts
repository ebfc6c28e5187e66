import type { Family } from './family.js';
import type { RangeSet } from './range-set.js';
import { LabelledRows, sweep } from './sweep.js';
import { type Column, picked, touchedRanges } from './window.js';
import { compareAt, countUpTo } from './words.js';

/** Since when and until when an address was listed, in days since 1970. */
export interface SeenDays {
  readonly first: number;
  readonly last: number;
}

/** Those of SeenRanges: `lo`, `hi`, `first`, `last`. */
export type SeenColumns = readonly [Column, Column, Column, Column];

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
    const r = countUpTo(this.lo, this.first.length, words, i, w) - 1;
    if (r < 0 || compareAt(words, i, this.hi, r * w, w) > 0) return undefined;
    return { first: this.first[r]!, last: this.last[r]! };
  }

  /** Of what was written out in columns, the ranges that have addresses of `regions`. O(regions × log size + result). */
  static touching([lo, hi, first, last]: SeenColumns, regions: RangeSet): SeenRanges {
    const { family } = regions;
    const rows = touchedRanges(lo, hi, regions);
    const words = (column: Column) => picked(column, family.words, rows);
    return new SeenRanges(family, words(lo), words(hi), picked(first, 1, rows), picked(last, 1, rows));
  }

  /**
   * The history once `set` is what is listed on `day`: what is in it keeps its first day, what is not keeps its last one, until that is more
   * than `keptDays` ago. O(size + set.size).
   */
  advanced(set: RangeSet, day: number, keptDays: number): SeenRanges {
    const out = new LabelledRows(this.family, 2 * (this.first.length + set.size), 2);
    sweep(this.family, this, set, (from, to, before, now) => {
      const first = before < 0 ? day : this.first[before]!;
      const last = before < 0 ? day : this.last[before]!;
      // A clock may go back.
      if (now >= 0) out.add(from, to, first, Math.max(last, day));
      else if (day - last <= keptDays) out.add(from, to, first, last);
    });
    const { lo, hi, labels } = out.finish();
    return new SeenRanges(this.family, lo, hi, labels[0]!, labels[1]!);
  }
}
