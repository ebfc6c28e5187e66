import type { Family } from './family.js';
import { RangeSet } from './range-set.js';
import { compareAt, followsAt } from './words.js';

/**
 * The set whose `lo` and `hi` were written out before, or undefined when they do not keep the invariant of RangeSet: a file
 * may come back changed. O(size). The columns are taken over.
 */
export function setOfColumns(family: Family, lo: Uint32Array, hi: Uint32Array): RangeSet | undefined {
  const w = family.words;
  if (lo.length % w !== 0 || hi.length !== lo.length) return undefined;
  if (w === 1) return isOrdered(lo, hi) ? RangeSet.adopt(family, lo.length, lo, hi) : undefined;
  for (let i = 0; i < lo.length; i += w) {
    if (compareAt(lo, i, hi, i, w) > 0) return undefined;
    if (i > 0 && (compareAt(hi, i - w, lo, i, w) >= 0 || followsAt(hi, i - w, lo, i, w))) return undefined;
  }
  return RangeSet.adopt(family, lo.length / w, lo, hi);
}

/** The same for one word: a build from cache is measured in milliseconds. */
function isOrdered(lo: Uint32Array, hi: Uint32Array): boolean {
  let before = -2;
  for (let i = 0; i < lo.length; i++) {
    const start = lo[i]!;
    const end = hi[i]!;
    if (start > end || start <= before + 1) return false;
    before = end;
  }
  return true;
}
