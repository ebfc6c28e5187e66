import type { Family } from './family.js';
import { compareAt, copyAt, followsAt } from './words.js';

/** Ranges in columns: `size` of them, `family.words` words each in `lo` and `hi`. */
export interface RangeColumns {
  readonly size: number;
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
}

/** Collects ranges in ascending order of their first address and hands them out, once. */
export class RangeAppender {
  /** words written */
  private used = 0;

  constructor(
    private readonly family: Family,
    private readonly lo: Uint32Array,
    private readonly hi: Uint32Array,
  ) {}

  static withRoom(family: Family, ranges: number): RangeAppender {
    return new RangeAppender(family, new Uint32Array(ranges * family.words), new Uint32Array(ranges * family.words));
  }

  /** Adds a range that begins behind a gap after the last one. */
  append(lo: Uint32Array, l: number, hi: Uint32Array, h: number): void {
    const w = this.family.words;
    copyAt(lo, l, this.lo, this.used, w);
    copyAt(hi, h, this.hi, this.used, w);
    this.used += w;
  }

  /** Adds the ranges from `from` up to, not including, `to`, which begin behind a gap after the last one. */
  appendRun({ lo, hi }: RangeColumns, from: number, to: number): void {
    const w = this.family.words;
    if (to <= from) return;
    this.lo.set(lo.subarray(from * w, to * w), this.used);
    this.hi.set(hi.subarray(from * w, to * w), this.used);
    this.used += (to - from) * w;
  }

  /** Adds a range that may overlap or touch the last one. */
  extend(lo: Uint32Array, l: number, hi: Uint32Array, h: number): void {
    const w = this.family.words;
    const last = this.used - w;
    if (last < 0 || isGap(this.hi, last, lo, l, w)) this.append(lo, l, hi, h);
    else if (compareAt(hi, h, this.hi, last, w) > 0) copyAt(hi, h, this.hi, last, w);
  }

  /** The loop of `fromSorted` for one word: the general one takes a sixth of the time of a whole `merge` of IPv4 lists. */
  fillFromWords(starts: Uint32Array, ends: Uint32Array, count: number): RangeColumns {
    const { lo, hi } = this;
    let used = 0;
    let first = 0;
    for (let i = 0; i < count; i++) {
      if (i + 1 < count && starts[i + 1]! <= ends[i]! + 1) continue;
      lo[used] = starts[first]!;
      hi[used++] = ends[i]!;
      first = i + 1;
    }
    this.used = used;
    return this.finish();
  }

  /** The loop of `union` for one word, for the same reason. */
  fillUnionOfWords(x: RangeColumns, y: RangeColumns): RangeColumns {
    const { lo, hi } = this;
    let used = 0;
    let end = -2;
    for (let a = 0, b = 0; a < x.size || b < y.size; ) {
      const fromX = b >= y.size || (a < x.size && x.lo[a]! <= y.lo[b]!);
      const start = fromX ? x.lo[a]! : y.lo[b]!;
      const last = fromX ? x.hi[a++]! : y.hi[b++]!;
      if (start > end + 1) {
        lo[used] = start;
        hi[used++] = last;
        end = last;
      } else if (last > end) {
        hi[used - 1] = last;
        end = last;
      }
    }
    this.used = used;
    return this.finish();
  }

  /** The loop of `intersect` for one word. */
  fillIntersectionOfWords(x: RangeColumns, y: RangeColumns): RangeColumns {
    const { lo, hi } = this;
    let used = 0;
    for (let a = 0, b = 0; a < x.size && b < y.size; ) {
      const [startX, startY] = [x.lo[a]!, y.lo[b]!];
      const [endX, endY] = [x.hi[a]!, y.hi[b]!];
      const start = startX > startY ? startX : startY;
      const end = endX < endY ? endX : endY;
      if (start <= end) {
        lo[used] = start;
        hi[used++] = end;
      }
      if (endX <= endY) a++;
      else b++;
    }
    this.used = used;
    return this.finish();
  }

  finish(): RangeColumns {
    const { used } = this;
    // A copy frees the rest, but costs time: only where most of it would be freed.
    const cut = used * 4 > this.lo.length ? 'subarray' : 'slice';
    return { size: used / this.family.words, lo: this.lo[cut](0, used), hi: this.hi[cut](0, used) };
  }
}

/** Whether at least one address lies between the end at `hi[i]` and the start at `lo[j]`. */
export function isGap(hi: Uint32Array, i: number, lo: Uint32Array, j: number, w: number): boolean {
  return compareAt(hi, i, lo, j, w) < 0 && !followsAt(hi, i, lo, j, w);
}
