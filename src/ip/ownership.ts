import { AddressSum } from './address-sum.js';
import { gatherDisjoint } from './disjoint.js';
import type { Family } from './family.js';
import { sortPairs } from './radix.js';
import { RangeAppender } from './range-appender.js';
import { RangeSet } from './range-set.js';
import { LabelledRows, type Ranges, sweep } from './sweep.js';
import { compareAt } from './words.js';

/** In place of the number of a set: more than one has the address. */
const MANY = 0xffffffff;

/** Ranges with the number of the one set that has them, or MANY. */
interface Owned extends Ranges {
  readonly owner: Uint32Array;
}

/**
 * Which of many sets of one family has which address: the union and what each set alone brings come out of one pass. O(all ranges); for
 * IPv6, whose sets are small, × log(number of sets).
 */
export class Ownership {
  private constructor(
    private readonly family: Family,
    private readonly sets: number,
    private readonly owned: Owned,
  ) {}

  static of(family: Family, sets: readonly RangeSet[]): Ownership {
    if (family.words === 1) return new Ownership(family, sets.length, ownedWords(sets));
    const joined = (from: number, to: number): Owned => {
      if (to - from > 1) {
        const half = (from + to) >>> 1;
        return merged(family, joined(from, half), joined(half, to));
      }
      const set = sets[from] ?? RangeSet.empty(family);
      return { lo: set.lo, hi: set.hi, owner: new Uint32Array(set.size).fill(from) };
    };
    return new Ownership(family, sets.length, gatherDisjoint(family, sets) ?? joined(0, sets.length));
  }

  union(): RangeSet {
    return this.where(() => true);
  }

  /** What at least two of the sets have. */
  repeated(): RangeSet {
    return this.where((owner) => owner === MANY);
  }

  /** For each set, the number of addresses that no other one has and that are not in `without`. */
  alone(without: RangeSet): bigint[] {
    const w = this.family.words;
    if (w === 1) return this.aloneWords(without);
    const { lo, hi, owner } = this.owned;
    const sums = () => Array.from({ length: this.sets }, () => new AddressSum(w));
    const [all, left] = [sums(), sums()];
    let first = 0;
    for (let r = 0, i = 0; r < owner.length; r++, i += w) {
      const set = owner[r]!;
      if (set === MANY) continue;
      all[set]!.add(lo, i, hi, i);
      while (first < without.size && compareAt(without.hi, first * w, lo, i, w) < 0) first++;
      for (let j = first * w; j < without.lo.length && compareAt(without.lo, j, hi, i, w) <= 0; j += w) {
        const [from, f] = compareAt(lo, i, without.lo, j, w) >= 0 ? [lo, i] : [without.lo, j];
        const [to, t] = compareAt(hi, i, without.hi, j, w) <= 0 ? [hi, i] : [without.hi, j];
        left[set]!.add(from, f, to, t);
      }
    }
    return all.map((sum, i) => sum.total() - left[i]!.total());
  }

  private aloneWords(without: RangeSet): bigint[] {
    const counts = new Float64Array(this.sets);
    const { lo, hi, owner } = this.owned;
    let first = 0;
    for (let i = 0; i < lo.length; i++) {
      const set = owner[i]!;
      if (set === MANY) continue;
      const start = lo[i]!;
      const end = hi[i]!;
      while (first < without.size && without.hi[first]! < start) first++;
      let count = end - start + 1;
      for (let j = first; j < without.size && without.lo[j]! <= end; j++) {
        count -= Math.min(end, without.hi[j]!) - Math.max(start, without.lo[j]!) + 1;
      }
      counts[set]! += count;
    }
    return [...counts].map(BigInt);
  }

  private where(isWanted: (owner: number) => boolean): RangeSet {
    const { family } = this;
    if (family.words === 1) return this.whereWords(isWanted);
    const { lo, hi, owner } = this.owned;
    const parts = RangeAppender.withRoom(family, owner.length);
    for (let i = 0; i < owner.length; i++) {
      if (isWanted(owner[i]!)) parts.extend(lo, i * family.words, hi, i * family.words);
    }
    const joined = parts.finish();
    return RangeSet.adopt(family, joined.size, joined.lo, joined.hi);
  }

  private whereWords(isWanted: (owner: number) => boolean): RangeSet {
    const { lo, hi, owner } = this.owned;
    const [starts, ends] = [new Uint32Array(owner.length), new Uint32Array(owner.length)];
    let used = 0;
    let end = -2;
    for (let i = 0; i < owner.length; i++) {
      if (!isWanted(owner[i]!)) continue;
      if (lo[i]! !== end + 1) starts[used++] = lo[i]!;
      end = hi[i]!;
      ends[used - 1] = end;
    }
    return RangeSet.adopt(this.family, used, starts.subarray(0, used), ends.subarray(0, used));
  }
}

function merged(family: Family, a: Owned, b: Owned): Owned {
  const rows = new LabelledRows(family, 2 * (a.owner.length + b.owner.length), 1);
  sweep(family, a, b, (from, to, inA, inB) => {
    rows.add(from, to, inA < 0 ? b.owner[inB]! : inB < 0 ? a.owner[inA]! : MANY);
  });
  const { lo, hi, labels } = rows.finish();
  return { lo, hi, owner: labels[0]! };
}

/**
 * The same for any number of sets of one word, at once: all first and all last addresses are sorted, and a walk over both knows how many sets are
 * open. Joined two by two, this took as long as reading the lists.
 */
function ownedWords(sets: readonly RangeSet[]): Owned {
  const count = sets.reduce((sum, { size }) => sum + size, 0);
  const [lo, hi] = [new Uint32Array(count), new Uint32Array(count)];
  const [ownerOfLo, ownerOfHi] = [new Uint32Array(count), new Uint32Array(count)];
  let at = 0;
  for (const [i, set] of sets.entries()) {
    lo.set(set.lo, at);
    hi.set(set.hi, at);
    ownerOfLo.fill(i, at, at + set.size);
    ownerOfHi.fill(i, at, at + set.size);
    at += set.size;
  }
  const { keys: starts, values: opening } = sortPairs(lo, ownerOfLo);
  const { keys: ends, values: closing } = sortPairs(hi, ownerOfHi);
  return pieces(starts, opening, ends, closing);
}

function pieces(starts: Uint32Array, opening: Uint32Array, ends: Uint32Array, closing: Uint32Array): Owned {
  const count = starts.length;
  const [lo, hi] = [new Uint32Array(2 * count), new Uint32Array(2 * count)];
  const owner = new Uint32Array(2 * count);
  let used = 0;
  let open = 0;
  // While one set is open, this is its number.
  let sum = 0;
  let from = 0;
  for (let i = 0, j = 0; j < count; ) {
    const opens = i < count && starts[i]! <= ends[j]!;
    const to = opens ? starts[i]! - 1 : ends[j]!;
    if (open > 0 && to >= from) {
      const set = open === 1 ? sum : MANY;
      if (used > 0 && owner[used - 1] === set && hi[used - 1]! + 1 === from) hi[used - 1] = to;
      else {
        lo[used] = from;
        hi[used] = to;
        owner[used++] = set;
      }
    }
    from = to + 1;
    open += opens ? 1 : -1;
    sum += opens ? opening[i++]! : -closing[j++]!;
  }
  return { lo: lo.subarray(0, used), hi: hi.subarray(0, used), owner: owner.subarray(0, used) };
}
