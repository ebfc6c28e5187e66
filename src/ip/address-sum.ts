import type { Family } from './family.js';

/** Below this many additions of a difference of words, each below 2^32, a sum is exact as a double. */
const EXACT = 1 << 20;

/** Adds up how many addresses ranges hold, exact up to 2^128, without a bigint for each: those take half of the time of a build of countries. */
export class AddressSum {
  /** sums of the differences of each word */
  private readonly words: Float64Array;
  private ranges = 0;
  private settled = 0n;

  constructor(private readonly w: Family['words']) {
    this.words = new Float64Array(w);
  }

  /** Adds the range from `lo[i]` to `hi[j]`, both inclusive. */
  add(lo: Uint32Array, i: number, hi: Uint32Array, j: number): void {
    for (let k = 0; k < this.w; k++) this.words[k]! += hi[j + k]! - lo[i + k]!;
    if (++this.ranges === EXACT) this.settle();
  }

  total(): bigint {
    this.settle();
    return this.settled;
  }

  private settle(): void {
    const { words } = this;
    let sum = 0n;
    for (let k = 0; k < this.w; k++) sum = (sum << 32n) + BigInt(words[k]!);
    this.settled += sum + BigInt(this.ranges);
    words.fill(0);
    this.ranges = 0;
  }
}

/** How many addresses ranges hold that do not overlap. O(size). */
export function countRanges({ words: w }: Family, lo: Uint32Array, hi: Uint32Array): bigint {
  if (w === 1) return BigInt(countWords(lo, hi));
  const sum = new AddressSum(w);
  for (let i = 0; i < lo.length; i += w) sum.add(lo, i, hi, i);
  return sum.total();
}

/** For one word, exact: all of IPv4 is below 2^53. */
function countWords(lo: Uint32Array, hi: Uint32Array): number {
  let count = lo.length;
  for (let i = 0; i < lo.length; i++) count += hi[i]! - lo[i]!;
  return count;
}
