import type { Family } from './family.js';
import { RangeAppender } from './range-appender.js';
import { RangeSet } from './range-set.js';
import { LabelledRows, type Ranges, sweep } from './sweep.js';
import { toBigInt } from './words.js';

/** In place of the number of a set: more than one has the address. */
const MANY = 0xffffffff;

/** Ranges with the number of the one set that has them, or MANY. */
interface Owned extends Ranges {
  readonly owner: Uint32Array;
}

/**
 * Which of many sets of one family has which address: the union and what each set alone brings come out of one pass, joined two by two.
 * O(all ranges × log(number of sets)).
 */
export class Ownership {
  private constructor(
    private readonly family: Family,
    private readonly sets: number,
    private readonly owned: Owned,
  ) {}

  static of(family: Family, sets: readonly RangeSet[]): Ownership {
    const joined = (from: number, to: number): Owned => {
      if (to - from > 1) {
        const half = (from + to) >>> 1;
        return merged(family, joined(from, half), joined(half, to));
      }
      const set = sets[from] ?? RangeSet.empty(family);
      return { lo: set.lo, hi: set.hi, owner: new Uint32Array(set.size).fill(from) };
    };
    return new Ownership(family, sets.length, joined(0, sets.length));
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
    const counts = new Array<bigint>(this.sets).fill(0n);
    const { owner } = this.owned;
    sweep(this.family, this.owned, without, (from, to, inOwned, inWithout) => {
      const set = inOwned < 0 || inWithout >= 0 ? MANY : owner[inOwned]!;
      if (set !== MANY) counts[set]! += toBigInt(to, 0, w) - toBigInt(from, 0, w) + 1n;
    });
    return counts;
  }

  private aloneWords(without: RangeSet): bigint[] {
    const counts = new Float64Array(this.sets);
    const { lo, hi, owner } = this.owned;
    let first = 0;
    for (let i = 0; i < lo.length; i++) {
      const set = owner[i]!;
      if (set === MANY) continue;
      const [start, end] = [lo[i]!, hi[i]!];
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
    const { lo, hi, owner } = this.owned;
    const parts = RangeAppender.withRoom(family, owner.length);
    for (let i = 0; i < owner.length; i++) {
      if (isWanted(owner[i]!)) parts.extend(lo, i * family.words, hi, i * family.words);
    }
    const joined = parts.finish();
    return RangeSet.adopt(family, joined.size, joined.lo, joined.hi);
  }
}

function merged(family: Family, a: Owned, b: Owned): Owned {
  if (family.words === 1) return mergedWords(a, b);
  const rows = new LabelledRows(family, 2 * (a.owner.length + b.owner.length), 1);
  sweep(family, a, b, (from, to, inA, inB) => {
    rows.add(from, to, inA < 0 ? b.owner[inB]! : inB < 0 ? a.owner[inA]! : MANY);
  });
  const { lo, hi, labels } = rows.finish();
  return { lo, hi, owner: labels[0]! };
}

/** The same for one word: the general form takes longer than reading the lists. */
function mergedWords(a: Owned, b: Owned): Owned {
  const { lo: loA, hi: hiA, owner: ownerA } = a;
  const { lo: loB, hi: hiB, owner: ownerB } = b;
  const [sizeA, sizeB] = [ownerA.length, ownerB.length];
  const room = 2 * (sizeA + sizeB);
  const [lo, hi, owner] = [new Uint32Array(room), new Uint32Array(room), new Uint32Array(room)];
  let used = 0;
  let i = 0;
  let j = 0;
  // Where the unread part of each current range begins.
  let startA = sizeA > 0 ? loA[0]! : 0;
  let startB = sizeB > 0 ? loB[0]! : 0;
  while (i < sizeA || j < sizeB) {
    const hasA = i < sizeA;
    const hasB = j < sizeB;
    const isOnlyA = !hasB || (hasA && startA < startB);
    const isOnlyB = !hasA || (hasB && startB < startA);
    const endA = hasA ? hiA[i]! : 0;
    const endB = hasB ? hiB[j]! : 0;
    const start = isOnlyB ? startB : startA;
    let end = isOnlyB ? endB : endA;
    let set = MANY;
    if (isOnlyA) {
      if (hasB && startB <= end) end = startB - 1;
      set = ownerA[i]!;
    } else if (isOnlyB) {
      if (hasA && startA <= end) end = startA - 1;
      set = ownerB[j]!;
    } else if (endB < end) end = endB;
    if (used > 0 && owner[used - 1] === set && hi[used - 1]! + 1 === start) hi[used - 1] = end;
    else {
      lo[used] = start;
      hi[used] = end;
      owner[used++] = set;
    }
    if (!isOnlyB) {
      if (end !== endA) startA = end + 1;
      else if (++i < sizeA) startA = loA[i]!;
    }
    if (!isOnlyA) {
      if (end !== endB) startB = end + 1;
      else if (++j < sizeB) startB = loB[j]!;
    }
  }
  return { lo: lo.slice(0, used), hi: hi.slice(0, used), owner: owner.slice(0, used) };
}
