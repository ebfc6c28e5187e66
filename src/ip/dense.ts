import type { Prefix } from './family.js';
import type { RangeSet } from './range-set.js';
import { compareAt, copyAt, incrementAt, lastOfPrefix, maskHostBits } from './words.js';

/** A net, and how many of its addresses are in the set it was found in. */
export interface DenseNet {
  readonly prefix: Prefix;
  readonly nodes: number;
}

/**
 * The nets of one prefix length that hold at least `atLeast` addresses of `nodes`, in numeric order. O(size + nets touched).
 * Meant for addresses that were listed one by one: counts are exact below 2^53.
 */
export function denseNets(nodes: RangeSet, length: number, atLeast: number): DenseNet[] {
  const { family, lo, hi, size } = nodes;
  const w = family.words;
  const found: DenseNet[] = [];
  const from = new Uint32Array(w);
  const net = new Uint32Array(w);
  const netEnd = new Uint32Array(w);
  const current = new Uint32Array(w);
  let count = 0;
  const close = () => {
    if (count >= atLeast) found.push({ prefix: { family, words: current.slice(), length }, nodes: count });
    count = 0;
  };
  for (let i = 0; i < size * w; i += w) {
    copyAt(lo, i, from, 0, w);
    for (let open = true; open; ) {
      copyAt(from, 0, net, 0, w);
      maskHostBits(net, 0, w, length);
      lastOfPrefix(net, 0, length, netEnd, 0, w);
      if (compareAt(net, 0, current, 0, w) !== 0) {
        close();
        copyAt(net, 0, current, 0, w);
      }
      const goesOn = compareAt(hi, i, netEnd, 0, w) > 0;
      count += goesOn ? span(from, 0, netEnd, 0, w) : span(from, 0, hi, i, w);
      copyAt(netEnd, 0, from, 0, w);
      open = goesOn && incrementAt(from, 0, w);
    }
  }
  close();
  return found;
}

/** Number of addresses from `a[i]` to `b[j]`, both inclusive. */
function span(a: Uint32Array, i: number, b: Uint32Array, j: number, w: number): number {
  let size = 0;
  for (let k = 0; k < w; k++) size = size * 2 ** 32 + (b[j + k]! - a[i + k]!);
  return size + 1;
}

/** Whether a set has every address of a block. O(log size). */
export function coversPrefix(set: RangeSet, { family, words, length }: Prefix): boolean {
  const w = family.words;
  const last = new Uint32Array(w);
  lastOfPrefix(words, 0, length, last, 0, w);
  const r = set.rangeAtOrBefore(words, 0);
  return r >= 0 && compareAt(last, 0, set.hi, r * w, w) <= 0;
}
