import type { Family } from './family.js';
import type { RangeSet } from './range-set.js';
import { compareAt, copyAt } from './words.js';

/** Ranges in ascending order with the number of the set that each comes from. */
export interface Gathered {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
  readonly owner: Uint32Array;
}

/**
 * The ranges of sets that have nothing in common, as those of countries, in one order; undefined as soon as two are found that have. A heap of the
 * sets by their next range: O(ranges × log(sets)) with a tenth of the constant of joining them two by two.
 */
export function gatherDisjoint(family: Family, sets: readonly RangeSet[]): Gathered | undefined {
  const w = family.words;
  const total = sets.reduce((sum, { size }) => sum + size, 0);
  const [lo, hi] = [new Uint32Array(total * w), new Uint32Array(total * w)];
  const owner = new Uint32Array(total);
  const queue = new Queue(sets, w);
  for (let at = 0; at < total; at++) {
    const first = queue.first();
    const set = sets[first]!;
    const from = queue.next[first]! * w;
    if (at > 0 && compareAt(hi, (at - 1) * w, set.lo, from, w) >= 0) return undefined;
    copyAt(set.lo, from, lo, at * w, w);
    copyAt(set.hi, from, hi, at * w, w);
    owner[at] = first;
    queue.pass();
  }
  return { lo, hi, owner };
}

/** Sets that have ranges left, the one whose next range begins first at the top. */
class Queue {
  /** index of the next range of each set */
  readonly next: Uint32Array;
  private readonly heap: number[];

  constructor(
    private readonly sets: readonly RangeSet[],
    private readonly w: number,
  ) {
    this.next = new Uint32Array(sets.length);
    this.heap = sets.flatMap(({ size }, i) => (size > 0 ? [i] : []));
    for (let i = (this.heap.length >>> 1) - 1; i >= 0; i--) this.sink(i);
  }

  first(): number {
    return this.heap[0]!;
  }

  /** The next range of the first set is done. */
  pass(): void {
    const { heap, next, sets } = this;
    const set = heap[0]!;
    if (++next[set]! === sets[set]!.size) {
      const last = heap.pop()!;
      if (heap.length > 0) heap[0] = last;
    }
    this.sink(0);
  }

  private sink(from: number): void {
    const { heap } = this;
    const sinking = heap[from]!;
    let i = from;
    // Without pairs of values: a walk over countries is over before V8 knows how to do without them.
    for (let child = 2 * i + 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && this.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.isBefore(heap[child]!, sinking)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    if (i !== from) heap[i] = sinking;
  }

  /** Whether the next range of set `a` begins before that of set `b`. */
  private isBefore(a: number, b: number): boolean {
    const { sets, next, w } = this;
    return compareAt(sets[a]!.lo, next[a]! * w, sets[b]!.lo, next[b]! * w, w) < 0;
  }
}
