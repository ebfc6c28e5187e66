import type { Family } from './family.js';
import { RangeSet } from './range-set.js';
import { compareAt, copyAt, followsAt, hostMask } from './words.js';

/**
 * A CIDR block as one address-sized key: its network with the first host bit set, that is, the middle of the block. Keys of different blocks
 * differ, and in ascending order a block stands behind the blocks in its lower half and before those in its upper half, so one sort of one
 * column brings all that is needed to join them. Single addresses have no host bit and no key.
 */

/** Writes the key of `words[i]`/`length` to `to[j]`; bits behind `length` do not matter. `length` is below the bits of the family. */
export function writeBlockKey(
  words: Uint32Array,
  i: number,
  length: number,
  to: Uint32Array,
  j: number,
  w: number,
): void {
  for (let k = 0; k < w; k++) to[j + k] = (words[i + k]! & ~hostMask(length, k)) >>> 0;
  const word = j + (length >>> 5);
  to[word] = (to[word]! | (1 << (31 - (length & 31)))) >>> 0;
}

/** The block of the key at `keys[i]`: its first address to `lo[0]`, its last to `hi[0]`. */
function readBlockKey(keys: Uint32Array, i: number, lo: Uint32Array, hi: Uint32Array, w: number): void {
  let isBehind = true;
  for (let k = w - 1; k >= 0; k--) {
    const word = keys[i + k]!;
    lo[k] = isBehind ? word & (word - 1) : word;
    hi[k] = isBehind ? word | (word - 1) : word;
    if (word !== 0) isBehind = false;
  }
}

/**
 * The union of `count` blocks, given as their keys in ascending order. O(count). Both columns are taken over and become those of the set.
 */
export function setOfBlocks(family: Family, keys: Uint32Array, spare: Uint32Array, count: number): RangeSet {
  const w = family.words;
  const lo = new Uint32Array(w);
  const hi = new Uint32Array(w);
  /** words written: never beyond the key that was read last */
  let used = 0;
  for (let i = 0; i < count * w; i += w) {
    readBlockKey(keys, i, lo, hi, w);
    // What lies in the lower half of this block came before it.
    while (used > 0 && compareAt(spare, used - w, lo, 0, w) >= 0) used -= w;
    const last = used - w;
    if (last >= 0 && (compareAt(keys, last, lo, 0, w) >= 0 || followsAt(keys, last, lo, 0, w))) {
      if (compareAt(hi, 0, keys, last, w) > 0) copyAt(hi, 0, keys, last, w);
      continue;
    }
    copyAt(lo, 0, spare, used, w);
    copyAt(hi, 0, keys, used, w);
    used += w;
  }
  return RangeSet.adopt(family, used / w, spare.subarray(0, used), keys.subarray(0, used));
}
