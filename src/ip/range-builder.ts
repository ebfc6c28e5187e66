import { setOfBlocks, writeBlockKey } from './block-key.js';
import type { Family } from './family.js';
import { radixSort } from './radix.js';
import { RangeSet } from './range-set.js';
import { compareAt } from './words.js';

/**
 * Entries held before they are merged into a set: bounds the memory of an endless stream of repeated lines,
 * and is above any real list.
 */
const PENDING_LIMIT = 1 << 24;
const FIRST_CHUNK = 1 << 4;
const LARGEST_CHUNK = 1 << 18;

const NOTHING = new Uint32Array(0);

/** An append-only column in chunks: growing never copies, so the peak is the data and not twice the data. */
class Column {
  private readonly full: Uint32Array[] = [];
  private current = NOTHING;
  private used = 0;
  private fullWords = 0;

  constructor(private readonly w: Family['words']) {}

  get count(): number {
    return (this.fullWords + this.used) / this.w;
  }

  push(words: Uint32Array, i: number): void {
    if (this.used === this.current.length) this.grow();
    const { current, used } = this;
    current[used] = words[i]!;
    if (this.w === 4) {
      current[used + 1] = words[i + 1]!;
      current[used + 2] = words[i + 2]!;
      current[used + 3] = words[i + 3]!;
    }
    this.used = used + this.w;
  }

  /** Appends the key of a block. */
  pushBlock(words: Uint32Array, i: number, length: number): void {
    if (this.used === this.current.length) this.grow();
    writeBlockKey(words, i, length, this.current, this.used, this.w);
    this.used += this.w;
  }

  /** Appends the first `count` words, for one-word families. */
  pushWords(words: Uint32Array, count: number): void {
    for (let from = 0; from < count; ) {
      if (this.used === this.current.length) this.grow();
      const taken = Math.min(count - from, this.current.length - this.used);
      this.current.set(words.subarray(from, from + taken), this.used);
      this.used += taken;
      from += taken;
    }
  }

  private grow(): void {
    this.full.push(this.current);
    this.fullWords += this.used;
    const { length } = this.current;
    // A set of one block is made a hundred thousand times in a run, and a list of a million entries a few times.
    this.current = new Uint32Array(length === 0 ? FIRST_CHUNK * this.w : Math.min(length * 4, LARGEST_CHUNK * this.w));
    this.used = 0;
  }

  /** The addresses in ascending order, and a column of the same size that is free for use. */
  sorted(): { readonly keys: Uint32Array; readonly spare: Uint32Array } {
    const { count } = this;
    const all = new Uint32Array(count * this.w);
    let at = 0;
    for (const chunk of this.full) {
      all.set(chunk, at);
      at += chunk.length;
    }
    all.set(this.current.subarray(0, this.used), at);
    const other = new Uint32Array(count * this.w);
    if (isSorted(all, count, this.w)) return { keys: all, spare: other };
    const keys = radixSort(all, other, count, this.w);
    return { keys, spare: keys === all ? other : all };
  }
}

function isSorted(keys: Uint32Array, count: number, w: number): boolean {
  for (let i = w; i < count * w; i += w) if (compareAt(keys, i - w, keys, i, w) > 0) return false;
  return true;
}

/** Collects addresses and ranges of one family, in any order and with repeats. */
export class RangeBuilder {
  private readonly w: Family['words'];
  private nodes: Column;
  private blocks: Column;
  private starts: Column;
  private ends: Column;
  private merged: RangeSet;
  private single: RangeSet;

  constructor(readonly family: Family) {
    this.w = family.words;
    this.nodes = new Column(this.w);
    this.blocks = new Column(this.w);
    this.starts = new Column(this.w);
    this.ends = new Column(this.w);
    this.merged = RangeSet.empty(family);
    this.single = this.merged;
  }

  /** Adds the first `count` words as IPv4 addresses: the path of nearly every line of a feed. */
  addWords(words: Uint32Array, count: number): void {
    this.nodes.pushWords(words, count);
    if (this.nodes.count >= PENDING_LIMIT) this.merge();
  }

  /** Adds the CIDR block `words[i]`/`length`; bits behind `length` do not matter. */
  addBlock(words: Uint32Array, i: number, length: number): void {
    if (length === this.family.bits) this.nodes.push(words, i);
    else this.blocks.pushBlock(words, i, length);
    if (this.blocks.count >= PENDING_LIMIT) this.merge();
  }

  /** Adds the range from `lo[i]` to `hi[j]`, both inclusive; `lo` must not be above `hi`. */
  addRange(lo: Uint32Array, i: number, hi: Uint32Array, j: number): void {
    if (compareAt(lo, i, hi, j, this.w) === 0) {
      this.nodes.push(lo, i);
    } else {
      this.starts.push(lo, i);
      this.ends.push(hi, j);
    }
    if (this.nodes.count + this.starts.count >= PENDING_LIMIT) this.merge();
  }

  addSet(set: RangeSet): void {
    this.merged = this.merged.union(set);
  }

  /** The set of all that was added. The builder may be used on. */
  build(): RangeSet {
    this.merge();
    return this.merged;
  }

  /** Of what was added, the addresses that came one by one, not as a block, a range or a set. */
  buildNodes(): RangeSet {
    this.merge();
    return this.single;
  }

  private merge(): void {
    const { nodes, blocks, starts, ends, family } = this;
    this.nodes = new Column(this.w);
    this.blocks = new Column(this.w);
    this.starts = new Column(this.w);
    this.ends = new Column(this.w);
    if (nodes.count > 0) {
      const { keys, spare } = nodes.sorted();
      const listed = RangeSet.fromSorted(family, { starts: keys, ends: keys, spare }, nodes.count);
      this.single = this.single.union(listed);
      this.addSet(listed);
    }
    if (blocks.count > 0) {
      const { keys, spare } = blocks.sorted();
      this.addSet(setOfBlocks(family, keys, spare, blocks.count));
    }
    if (starts.count > 0) {
      const { keys, spare } = starts.sorted();
      this.addSet(RangeSet.fromSorted(family, { starts: keys, ends: ends.sorted().keys, spare }, starts.count));
    }
  }
}
