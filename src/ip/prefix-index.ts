import type { Prefix } from './family.js';
import { widened } from './window.js';
import { compareAt, lastOfPrefix } from './words.js';

/** Something that is about a block. */
interface Row<T> {
  readonly prefix: Prefix;
  readonly value: T;
  /** in the order in which they were given */
  readonly number: number;
}

/** Tells which of many blocks have addresses of another one, where some lie inside others and some are there twice. */
export class PrefixIndex<T> {
  private readonly rows: readonly Row<T>[];
  private readonly lengths: readonly number[];

  constructor(values: readonly T[], prefixOf: (value: T) => Prefix) {
    this.rows = values.map((value, number) => ({ prefix: prefixOf(value), value, number })).sort(compareRows);
    this.lengths = [...new Set(this.rows.map(({ prefix }) => prefix.length))];
  }

  /** In the order in which they were given. O(prefix lengths × log size + result). */
  touching(block: Prefix): T[] {
    const { family } = block;
    const last = new Uint32Array(family.words);
    lastOfPrefix(block.words, 0, block.length, last, 0, family.words);
    // Two blocks have something in common only when one is inside the other: first those around this one, then those inside it, which stand together.
    const found: Row<T>[] = [];
    for (const length of this.lengths) {
      const around = widened(block, length);
      if (around.length < block.length) this.take(around, ({ prefix }) => comparePrefixes(prefix, around) === 0, found);
    }
    const isInside = ({ prefix }: Row<T>) =>
      prefix.family === family && compareAt(prefix.words, 0, last, 0, family.words) <= 0;
    this.take(block, isInside, found);
    return found.sort((a, b) => a.number - b.number).map(({ value }) => value);
  }

  /** Rows from the first one that is not before `from`, as long as they are wanted. */
  private take(from: Prefix, isWanted: (row: Row<T>) => boolean, found: Row<T>[]): void {
    const { rows } = this;
    let low = 0;
    for (let high = rows.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (comparePrefixes(rows[middle]!.prefix, from) < 0) low = middle + 1;
      else high = middle;
    }
    for (; low < rows.length && isWanted(rows[low]!); low++) found.push(rows[low]!);
  }
}

function compareRows(a: Row<unknown>, b: Row<unknown>): number {
  return comparePrefixes(a.prefix, b.prefix) || a.number - b.number;
}

/** By family, first address, and then the wider one first. */
function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family.version - b.family.version;
  return compareAt(a.words, 0, b.words, 0, a.family.words) || a.length - b.length;
}
