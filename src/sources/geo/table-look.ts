import { BlocklistError } from '../../errors.js';
import { ColumnsLook } from '../../io/columns-look.js';
import { errnoOf } from '../../io/read.js';
import { type Address, type Column, compareIn } from '../../ip/index.js';
import type { Answer, GeoKind } from './contract.js';
import { placeOfTable, type TablePlace } from './table-columns.js';

/** A table in its parsed form on disk, asked for single addresses without being loaded. */
export interface TableLook {
  /** @throws BlocklistError `file-unreadable` where the file is damaged */
  ask(address: Address): Answer | undefined;
  close(): void;
}

/** undefined when the file is not there, is not ours to read, or was made of something else than `key` names. */
export function lookAtTable(path: string, key: string, kind: GeoKind): TableLook | undefined {
  const look = openWhereAllowed(path);
  const place = look && placeOfTable(look.header, look.sizes, key, kind);
  if (look === undefined || place === undefined) {
    look?.close();
    return undefined;
  }
  const ranges = ([lo, hi, own]: TablePlace['v4']) => [look.column(lo), look.column(hi), look.column(own)] as const;
  const [v4, v6, labels, offsets] = [
    ranges(place.v4),
    ranges(place.v6),
    look.column(place.labels),
    look.column(place.offsets),
  ];
  return {
    ask: ({ family, words }) => {
      const [lo, hi, own] = family.version === 4 ? v4 : v6;
      const w = family.words;
      const r = lastAtOrBefore(lo, words, w);
      if (r < 0 || compareIn(hi, r * w, words, 0, w) < 0) return undefined;
      const label = own.at(r)!;
      const i = lastAtOrBefore(labels, Uint32Array.of(label), 1);
      const name = i < 0 ? '' : look.bytes(place.names, offsets.at(i)!, offsets.at(i + 1)!).toString('utf8');
      return { label, name };
    },
    close: () => look.close(),
  };
}

function openWhereAllowed(path: string): ColumnsLook | undefined {
  try {
    return ColumnsLook.open(path);
  } catch (error) {
    if (error instanceof BlocklistError && errnoOf(error.cause) === 'EACCES') return undefined;
    throw error;
  }
}

/** Index of the last row of a sorted column that is not above `words`, or −1. */
function lastAtOrBefore(column: Column, words: Uint32Array, w: number): number {
  let low = 0;
  let high = column.length / w;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIn(column, middle * w, words, 0, w) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
