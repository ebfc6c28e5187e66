import { ColumnsLook } from '../../io/columns-look.js';
import type { Address } from '../../ip/index.js';
import type { Answer, GeoKind } from './contract.js';
import { placeOfTable } from './table-columns.js';

/** A table in its parsed form on disk, asked for single addresses without being loaded. */
export interface TableLook {
  ask(address: Address): Answer | undefined;
  close(): void;
}

/** undefined when the file is not there, or was made of something else than `key` names. */
export function lookAtTable(path: string, key: string, kind: GeoKind): TableLook | undefined {
  const look = ColumnsLook.open(path);
  const place = look && placeOfTable(look.header, look.sizes, key, kind);
  if (look === undefined || place === undefined) {
    look?.close();
    return undefined;
  }
  const { labels, offsets, names } = place;
  return {
    ask: ({ family, words }) => {
      const [lo, hi, own] = family.version === 4 ? place.v4 : place.v6;
      const w = family.words;
      const r = lastAtOrBefore(look, lo, words, w);
      if (r < 0 || compared(look, hi, r, words, w) < 0) return undefined;
      const label = look.word(own, r);
      const i = lastAtOrBefore(look, labels, Uint32Array.of(label), 1);
      const name = i < 0 ? '' : look.bytes(names, look.word(offsets, i), look.word(offsets, i + 1)).toString('utf8');
      return { label, name };
    },
    close: () => look.close(),
  };
}

/** Index of the last row of a sorted column that is not above `words`, or −1. */
function lastAtOrBefore(look: ColumnsLook, column: number, words: Uint32Array, w: number): number {
  let low = 0;
  let high = look.sizes[column]! / w;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compared(look, column, middle, words, w) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** −1, 0 or 1, as the row is below, equal to or above `words`. */
function compared(look: ColumnsLook, column: number, row: number, words: Uint32Array, w: number): number {
  for (let k = 0; k < w; k++) {
    const [x, y] = [look.word(column, row * w + k), words[k]!];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
