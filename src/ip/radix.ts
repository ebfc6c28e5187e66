const DIGITS = 0x10000;

/**
 * Sorts `count` addresses of `w` words ascending, least significant 16-bit digit first. Digits that all
 * addresses share are skipped, so a list of IPv6 prefixes costs about half of the passes.
 *
 * Cost: O(passes × count); needs `scratch` of the same size. The result is in one of the two columns given,
 * which one depends on the number of passes: use the returned column, the other holds garbage.
 */
export function radixSort(keys: Uint32Array, scratch: Uint32Array, count: number, w: number): Uint32Array {
  let from = keys;
  let to = scratch;
  const offsets = new Uint32Array(DIGITS);
  for (let k = w - 1; k >= 0; k--) {
    for (let shift = 0; shift <= 16; shift += 16) {
      if (!bucketOffsets(from, count, w, k, shift, offsets)) continue;
      if (w === 1) scatterWords(from, to, count, shift, offsets);
      else scatter(from, to, count, w, k, shift, offsets);
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

/** `scatter` for one word: the general loop makes `merge` of IPv4 lists about a tenth slower. */
function scatterWords(from: Uint32Array, to: Uint32Array, count: number, shift: number, offsets: Uint32Array): void {
  for (let i = 0; i < count; i++) {
    const key = from[i]!;
    const digit = (key >>> shift) & 0xffff;
    const position = offsets[digit]!;
    offsets[digit] = position + 1;
    to[position] = key;
  }
}
