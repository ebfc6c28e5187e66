import { setOfColumns } from './columns.js';
import { BlockWalk } from './decompose.js';
import type { Family, Prefix } from './family.js';
import { IpSet } from './ip-set.js';
import { RangeSet } from './range-set.js';
import { compareAt, copyAt, lastOfPrefix, maskHostBits } from './words.js';

/** The addresses of one block, without the cost of a builder: for thousands of questions. */
export function setOfBlock(block: Prefix): IpSet {
  const { family, words } = block;
  const range = RangeSet.adopt(family, 1, words.slice(0, family.words), lastOf(block));
  return family.version === 4 ? IpSet.of(range, IpSet.empty.v6) : IpSet.of(IpSet.empty.v4, range);
}

/** Whether two blocks have addresses in common: then one is inside the other. */
export function overlap(a: Prefix, b: Prefix): boolean {
  if (a.family !== b.family) return false;
  const wider = Math.min(a.length, b.length);
  const w = a.family.words;
  return compareAt(widened(a, wider).words, 0, widened(b, wider).words, 0, w) === 0;
}

/** The part of a set that lies in a block. O(log size + ranges in the block). */
export function partIn(set: IpSet, block: Prefix): IpSet {
  const part = within(set.of(block.family), block);
  if (part === undefined) return IpSet.empty;
  return block.family.version === 4 ? IpSet.of(part, IpSet.empty.v6) : IpSet.of(IpSet.empty.v4, part);
}

function within(set: RangeSet, block: Prefix): RangeSet | undefined {
  const { family } = set;
  const w = family.words;
  const last = lastOf(block);
  // Of the ranges that begin before the block only the hindmost can reach into it.
  const before = set.rangeAtOrBefore(block.words, 0);
  const reaches = before >= 0 && compareAt(set.hi, before * w, block.words, 0, w) >= 0;
  const from = reaches ? before : before + 1;
  const to = set.rangeAtOrBefore(last, 0) + 1;
  if (to <= from) return undefined;
  const [lo, hi] = [set.lo.slice(from * w, to * w), set.hi.slice(from * w, to * w)];
  const end = (to - from - 1) * w;
  if (compareAt(lo, 0, block.words, 0, w) < 0) copyAt(block.words, 0, lo, 0, w);
  if (compareAt(hi, end, last, 0, w) > 0) copyAt(last, 0, hi, end, w);
  return RangeSet.adopt(family, to - from, lo, hi);
}

/** Words in memory, as in a Uint32Array, or in a file. */
export interface Column {
  readonly length: number;
  at(index: number): number | undefined;
}

/**
 * Of columns that a set was written out to, the ranges, whole, that have addresses of `regions`; undefined when these do not keep the invariant of RangeSet.
 * The others are not looked at: O(regions × log size + result).
 */
export function touching(family: Family, lo: Column, hi: Column, regions: IpSet): RangeSet | undefined {
  const w = family.words;
  if (lo.length % w !== 0 || hi.length !== lo.length) return undefined;
  const rows = touchedRanges(lo, hi, regions.of(family));
  return setOfColumns(family, picked(lo, w, rows), picked(hi, w, rows));
}

/** Numbers of the ranges in `lo` and `hi` (sorted, disjoint) that have addresses of a set, ascending. */
export function touchedRanges(lo: Column, hi: Column, regions: RangeSet): number[] {
  const w = regions.family.words;
  const size = lo.length / w;
  const found: number[] = [];
  let next = 0;
  for (let r = 0; r < regions.size && next < size; r++) {
    // The first range that ends at or behind the first address of the region.
    let end = size;
    while (next < end) {
      const middle = (next + end) >>> 1;
      if (compareIn(hi, middle * w, regions.lo, r * w, w) < 0) next = middle + 1;
      else end = middle;
    }
    for (; next < size && compareIn(lo, next * w, regions.hi, r * w, w) <= 0; next++) found.push(next);
    // One range may reach into several regions, and is wanted once: the next search begins behind it.
  }
  return found;
}

/** compareAt for a column. */
export function compareIn(column: Column, i: number, b: Uint32Array, j: number, w: number): number {
  for (let k = 0; k < w; k++) {
    const x = column.at(i + k)!;
    const y = b[j + k]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Copies these rows of a column of `w` words a row. */
export function picked(column: Column, w: number, rows: readonly number[]): Uint32Array {
  const out = new Uint32Array(rows.length * w);
  for (const [i, row] of rows.entries()) for (let k = 0; k < w; k++) out[i * w + k] = column.at(row * w + k)!;
  return out;
}

/** Of the fewest blocks that cover exactly the set, the one that has all of `block`; undefined when none has. O(log size). */
export function entryOf(whole: IpSet, block: Prefix): Prefix | undefined {
  const { family } = block;
  const set = whole.of(family);
  const w = family.words;
  const r = set.rangeAtOrBefore(block.words, 0);
  const last = lastOf(block);
  if (r < 0 || compareAt(set.hi, r * w, last, 0, w) < 0) return undefined;
  const range = RangeSet.adopt(family, 1, set.lo.slice(r * w, (r + 1) * w), set.hi.slice(r * w, (r + 1) * w));
  const walk = new BlockWalk(range);
  const end = new Uint32Array(w);
  while (walk.next()) {
    lastOfPrefix(walk.words, 0, walk.length, end, 0, w);
    if (compareAt(end, 0, block.words, 0, w) < 0) continue;
    // A block of the set holds a block asked for, or is a part of it.
    return compareAt(end, 0, last, 0, w) < 0 ? undefined : { family, words: walk.words.slice(), length: walk.length };
  }
  return undefined;
}

/** The block of this prefix length around a block, or the block itself where that is not narrower. */
export function widened({ family, words, length }: Prefix, to: number): Prefix {
  if (to >= length) return { family, words, length };
  const kept = words.slice();
  maskHostBits(kept, 0, family.words, to);
  return { family, words: kept, length: to };
}

function lastOf({ family, words, length }: Prefix): Uint32Array {
  const last = new Uint32Array(family.words);
  lastOfPrefix(words, 0, length, last, 0, family.words);
  return last;
}
