import type { Family } from './family.js';

/** 2,048 buckets stay in the first-level cache; three digits make a word. */
const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const DIGITS_PER_WORD = 3;

/** Groups up to this size are sorted by insertion: clearing the counters of a radix pass would cost more. */
const SMALL_GROUP = 32;

/**
 * Sorts `count` addresses of `w` words ascending. IPv6 is sorted by its first 64 bits, then each group that shares them by the rest: in lists of
 * prefixes and of hosts alike such groups are small, and half of the passes are saved.
 *
 * Cost: O(passes × count); needs `scratch` of the same size. The result is in one of the two columns given: use the returned column, the other
 * holds garbage.
 */
export function radixSort(keys: Uint32Array, scratch: Uint32Array, count: number, w: Family['words']): Uint32Array {
  if (w === 1) return sortByWords(keys, scratch, count, w, 0, 1);
  const sorted = sortByWords(keys, scratch, count, w, 0, 2);
  sortGroups(sorted, sorted === keys ? scratch : keys, count);
  return sorted;
}

/** Sorts by the words from `first` up to, not including, `end`; stable, least significant digit first. Digits that all share are skipped. */
function sortByWords(
  keys: Uint32Array,
  scratch: Uint32Array,
  count: number,
  w: Family['words'],
  first: number,
  end: number,
): Uint32Array {
  const sizes = digitCounts(keys, count, w, first, end);
  let from = keys;
  let to = scratch;
  for (let digit = (end - first) * DIGITS_PER_WORD - 1; digit >= 0; digit--) {
    const offsets = sizes.subarray(digit * BUCKETS, (digit + 1) * BUCKETS);
    if (!toOffsets(offsets, count)) continue;
    const word = first + Math.floor(digit / DIGITS_PER_WORD);
    const shift = shiftOf(digit % DIGITS_PER_WORD);
    if (w === 1) scatterWords(from, to, count, shift, offsets);
    else scatter(from, to, count, word, shift, offsets);
    [from, to] = [to, from];
  }
  return from;
}

/** Sorts each group of IPv6 addresses with the same first 64 bits by the other 64. */
function sortGroups(keys: Uint32Array, scratch: Uint32Array, count: number): void {
  for (let start = 0; start < count; ) {
    let end = start + 1;
    while (end < count && keys[4 * end] === keys[4 * start] && keys[4 * end + 1] === keys[4 * start + 1]) end++;
    const size = end - start;
    if (size > SMALL_GROUP) {
      const group = keys.subarray(4 * start, 4 * end);
      const sorted = sortByWords(group, scratch.subarray(0, 4 * size), size, 4, 2, 4);
      if (sorted !== group) group.set(sorted);
    } else if (size > 1) insertionSort(keys, start, end);
    start = end;
  }
}

/** By the last two words. */
function insertionSort(keys: Uint32Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const high = keys[4 * i + 2]!;
    const low = keys[4 * i + 3]!;
    let k = i - 1;
    for (; k >= start; k--) {
      const other = keys[4 * k + 2]!;
      if (other < high || (other === high && keys[4 * k + 3]! <= low)) break;
      keys[4 * k + 6] = other;
      keys[4 * k + 7] = keys[4 * k + 3]!;
    }
    keys[4 * k + 6] = high;
    keys[4 * k + 7] = low;
  }
}

/** Digit 0 of a word is the most significant one. */
function shiftOf(digit: number): number {
  return (DIGITS_PER_WORD - 1 - digit) * DIGIT_BITS;
}

/** How often each value of each digit occurs, BUCKETS entries a digit, most significant digit first. */
function digitCounts(keys: Uint32Array, count: number, w: number, first: number, end: number): Uint32Array {
  const counts = new Uint32Array((end - first) * DIGITS_PER_WORD * BUCKETS);
  for (let word = first; word < end; word++) {
    const high = (word - first) * DIGITS_PER_WORD * BUCKETS;
    const middle = high + BUCKETS;
    const low = middle + BUCKETS;
    for (let i = word; i < count * w; i += w) {
      const key = keys[i]!;
      counts[low + (key & 0x7ff)]!++;
      counts[middle + ((key >>> DIGIT_BITS) & 0x7ff)]!++;
      counts[high + (key >>> (2 * DIGIT_BITS))]!++;
    }
  }
  return counts;
}

/** Turns counts into the first position of each value. Returns false when all addresses share one value. */
function toOffsets(counts: Uint32Array, count: number): boolean {
  let position = 0;
  for (let value = 0; value < BUCKETS; value++) {
    const size = counts[value]!;
    if (size === count) return false;
    counts[value] = position;
    position += size;
  }
  return true;
}

/** Four words written out, since a loop over them takes twice the time. */
function scatter(
  from: Uint32Array,
  to: Uint32Array,
  count: number,
  word: number,
  shift: number,
  offsets: Uint32Array,
): void {
  for (let i = 0, end = count * 4; i < end; i += 4) {
    const target = offsets[(from[i + word]! >>> shift) & 0x7ff]!++ * 4;
    to[target] = from[i]!;
    to[target + 1] = from[i + 1]!;
    to[target + 2] = from[i + 2]!;
    to[target + 3] = from[i + 3]!;
  }
}

function scatterWords(from: Uint32Array, to: Uint32Array, count: number, shift: number, offsets: Uint32Array): void {
  for (let i = 0; i < count; i++) {
    const key = from[i]!;
    to[offsets[(key >>> shift) & 0x7ff]!++] = key;
  }
}

/** Keys of one word in ascending order, and the number that stood beside each. */
export interface SortedPairs {
  readonly keys: Uint32Array;
  readonly values: Uint32Array;
}

/** Sorts one-word keys ascending and takes their values along; stable. The columns given hold garbage afterwards. O(passes × count). */
export function sortPairs(keys: Uint32Array, values: Uint32Array): SortedPairs {
  const count = keys.length;
  const sizes = digitCounts(keys, count, 1, 0, 1);
  let from: SortedPairs = { keys, values };
  let to: SortedPairs = { keys: new Uint32Array(count), values: new Uint32Array(count) };
  for (let digit = DIGITS_PER_WORD - 1; digit >= 0; digit--) {
    const offsets = sizes.subarray(digit * BUCKETS, (digit + 1) * BUCKETS);
    if (!toOffsets(offsets, count)) continue;
    scatterPairs(from, to, shiftOf(digit), offsets);
    [from, to] = [to, from];
  }
  return from;
}

function scatterPairs(from: SortedPairs, to: SortedPairs, shift: number, offsets: Uint32Array): void {
  const { keys, values } = from;
  const { keys: sorted, values: taken } = to;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const at = offsets[(key >>> shift) & 0x7ff]!++;
    sorted[at] = key;
    taken[at] = values[i]!;
  }
}
