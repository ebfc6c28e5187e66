/**
 * Arithmetic on one address inside a column of addresses: `w` words beginning at offset `i` (already
 * multiplied by the words per address). Offsets instead of objects, so that a million addresses cost no allocation.
 */

/** −1, 0 or 1, as the address at `a[i]` is below, equal to or above the one at `b[j]`. */
export function compareAt(a: Uint32Array, i: number, b: Uint32Array, j: number, w: number): number {
  for (let k = 0; k < w; k++) {
    const x = a[i + k]!;
    const y = b[j + k]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Whether `b[j]` is the address directly after `a[i]`; the last address of a family has no successor. */
export function followsAt(a: Uint32Array, i: number, b: Uint32Array, j: number, w: number): boolean {
  for (let k = w - 1; k >= 0; k--) {
    const next = (a[i + k]! + 1) >>> 0;
    if (b[j + k]! !== next) return false;
    if (next !== 0) {
      for (let m = 0; m < k; m++) if (a[i + m]! !== b[j + m]!) return false;
      return true;
    }
  }
  return false;
}

/**
 * How many of the sorted addresses in `column` are at or before the one at `words[i]`: the index of the first one behind it. O(log size).
 * @param size addresses in the column
 */
export function countUpTo(column: Uint32Array, size: number, words: Uint32Array, i: number, w: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(column, middle * w, words, i, w) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function copyAt(from: Uint32Array, i: number, to: Uint32Array, j: number, w: number): void {
  for (let k = 0; k < w; k++) to[j + k] = from[i + k]!;
}

/** Adds one in place. Returns false (and leaves zero) when the last address was stepped over. */
export function incrementAt(a: Uint32Array, i: number, w: number): boolean {
  for (let k = w - 1; k >= 0; k--) {
    const next = (a[i + k]! + 1) >>> 0;
    a[i + k] = next;
    if (next !== 0) return true;
  }
  return false;
}

/** Subtracts one in place. Returns false (and leaves all ones) when the first address was stepped under. */
export function decrementAt(a: Uint32Array, i: number, w: number): boolean {
  for (let k = w - 1; k >= 0; k--) {
    const word = a[i + k]!;
    a[i + k] = (word - 1) >>> 0;
    if (word !== 0) return true;
  }
  return false;
}

/** The bits of word `k` that lie behind a prefix of `length` bits: zero bits name the network, one bits the hosts. */
export function hostMask(length: number, k: number): number {
  const inWord = length - 32 * k;
  if (inWord <= 0) return 0xffffffff;
  if (inWord >= 32) return 0;
  return 0xffffffff >>> inWord;
}

/** Sets the host bits behind `length` to zero. Returns whether any was set. */
export function maskHostBits(a: Uint32Array, i: number, w: number, length: number): boolean {
  let found = 0;
  for (let k = 0; k < w; k++) {
    const mask = hostMask(length, k);
    found |= a[i + k]! & mask;
    a[i + k] = (a[i + k]! & ~mask) >>> 0;
  }
  return found !== 0;
}

/** Writes the last address of the prefix `a[i]`/`length` to `to[j]`. */
export function lastOfPrefix(a: Uint32Array, i: number, length: number, to: Uint32Array, j: number, w: number): void {
  for (let k = 0; k < w; k++) to[j + k] = (a[i + k]! | hostMask(length, k)) >>> 0;
}

/** The address as a bigint, for counts that leave the range of a double. */
export function toBigInt(a: Uint32Array, i: number, w: number): bigint {
  let value = 0n;
  for (let k = 0; k < w; k++) value = (value << 32n) | BigInt(a[i + k]!);
  return value;
}

/** How many of the low bits are all equal to `bit`. */
export function trailingBitsAt(a: Uint32Array, i: number, w: number, bit: 0 | 1): number {
  for (let k = w - 1; k >= 0; k--) {
    const differs = bit === 0 ? a[i + k]! : ~a[i + k]!;
    if (differs !== 0) return 32 * (w - 1 - k) + 31 - Math.clz32(differs & -differs);
  }
  return 32 * w;
}

/** Bits from the highest one in which the two addresses differ to the end; 0 when they are equal. */
export function differingBitsAt(a: Uint32Array, i: number, b: Uint32Array, j: number, w: number): number {
  for (let k = 0; k < w; k++) {
    const differs = a[i + k]! ^ b[j + k]!;
    if (differs !== 0) return 32 * (w - k) - Math.clz32(differs);
  }
  return 0;
}
