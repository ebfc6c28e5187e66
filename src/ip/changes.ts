import type { Prefixes } from './decompose.js';

export interface PrefixChanges {
  /** only in the later one */
  readonly added: Prefixes;
  /** only in the earlier one */
  readonly removed: Prefixes;
}

/** What came and went between two lists of prefixes of one family, both in numeric order. One walk over both. */
export function prefixChanges(before: Prefixes, after: Prefixes): PrefixChanges {
  const w = after.family.words;
  const [added, removed]: [number[], number[]] = [[], []];
  let i = 0;
  let k = 0;
  while (i < before.size || k < after.size) {
    const order = i >= before.size ? 1 : k >= after.size ? -1 : compare(before, i, after, k, w);
    if (order < 0) removed.push(i++);
    else if (order > 0) added.push(k++);
    else {
      i++;
      k++;
    }
  }
  return { added: pick(after, added), removed: pick(before, removed) };
}

/** The order of two prefixes: by first address, then by length. */
function compare(a: Prefixes, i: number, b: Prefixes, k: number, w: number): number {
  for (let n = 0; n < w; n++) {
    const difference = a.words[i * w + n]! - b.words[k * w + n]!;
    if (difference !== 0) return difference;
  }
  return a.lengths[i]! - b.lengths[k]!;
}

function pick({ family, words, lengths }: Prefixes, indexes: readonly number[]): Prefixes {
  const w = family.words;
  const chosen = new Uint32Array(indexes.length * w);
  indexes.forEach((from, to) => {
    chosen.set(words.subarray(from * w, from * w + w), to * w);
  });
  return { family, size: indexes.length, words: chosen, lengths: Uint8Array.from(indexes, (i) => lengths[i]!) };
}

/** Some neighbours of the list: `count` from `start`, fewer at its end. A view: nothing is copied. */
export function slicePrefixes({ family, size, words, lengths }: Prefixes, start: number, count: number): Prefixes {
  const end = Math.min(size, start + count);
  return {
    family,
    size: Math.max(0, end - start),
    words: words.subarray(start * family.words, end * family.words),
    lengths: lengths.subarray(start, end),
  };
}
