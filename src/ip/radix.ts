const DIGITS = 0x10000;

/**
 * Sorts `count` addresses of `w` words ascending, least significant 16-bit digit first. Digits that all
 * addresses share are skipped, so a list of IPv6 prefixes costs about half of the passes.
 *
 * Cost: O(passes × count); needs `scratch` of the same size. The result is in one of the two columns given,
 * which one depends on the number of passes: use the returned column, the other holds garbage.
 */
export function radixSort(keys: Uint32Array, scratch: Uint32Array, count: number, w: number): Uint32Array {
  if (w === 1) return sortWords(keys, scratch, count);
  let from = keys;
  let to = scratch;
  const offsets = new Uint32Array(DIGITS);
  for (let k = w - 1; k >= 0; k--) {
    for (let shift = 0; shift <= 16; shift += 16) {
      if (!bucketOffsets(from, count, w, k, shift, offsets)) continue;
      scatter(from, to, count, w, k, shift, offsets);
      [from, to] = [to, from];
    }
  }
  return from;
}

/** Fills `offsets` with the first position of each digit. Returns false when all share one digit. */
function bucketOffsets(
  keys: Uint32Array,
  count: number,
  w: number,
  k: number,
  shift: number,
  offsets: Uint32Array,
): boolean {
  offsets.fill(0);
  for (let i = k, end = count * w; i < end; i += w) {
    const digit = (keys[i]! >>> shift) & 0xffff;
    offsets[digit] = offsets[digit]! + 1;
  }
  let position = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const size = offsets[digit]!;
    if (size === count) return false;
    offsets[digit] = position;
    position += size;
  }
  return true;
}

function scatter(
  from: Uint32Array,
  to: Uint32Array,
  count: number,
  w: number,
  k: number,
  shift: number,
  offsets: Uint32Array,
): void {
  for (let i = 0, end = count * w; i < end; i += w) {
    const digit = (from[i + k]! >>> shift) & 0xffff;
    const position = offsets[digit]!;
    offsets[digit] = position + 1;
    const target = position * w;
    for (let m = 0; m < w; m++) to[target + m] = from[i + m]!;
  }
}

/** radixSort for one word, both histograms in one pass: the general loops make `merge` of IPv4 lists a tenth slower. */
function sortWords(keys: Uint32Array, scratch: Uint32Array, count: number): Uint32Array {
  const low = new Uint32Array(DIGITS);
  const high = new Uint32Array(DIGITS);
  for (let i = 0; i < count; i++) {
    const key = keys[i]!;
    low[key & 0xffff]!++;
    high[key >>> 16]!++;
  }
  let atLow = 0;
  let atHigh = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const [inLow, inHigh] = [low[digit]!, high[digit]!];
    low[digit] = atLow;
    high[digit] = atHigh;
    atLow += inLow;
    atHigh += inHigh;
  }
  for (let i = 0; i < count; i++) scratch[low[keys[i]! & 0xffff]!++] = keys[i]!;
  for (let i = 0; i < count; i++) keys[high[scratch[i]! >>> 16]!++] = scratch[i]!;
  return keys;
}
