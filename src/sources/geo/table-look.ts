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
      if (r < 0 || compared(look.words(hi, r * w, w), words) < 0) return undefined;
      const label = look.words(own, r, 1)[0]!;
      const i = lastAtOrBefore(look, labels, Uint32Array.of(label), 1);
      const [from = 0, to = 0] = i < 0 ? [] : look.words(offsets, i, 2);
      return { label, name: look.bytes(names, from, to).toString('utf8') };
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
    if (compared(look.words(column, middle * w, w), words) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function compared(a: Uint32Array, b: Uint32Array): number {
  for (const [k, word] of a.entries()) if (word !== b[k]!) return word < b[k]! ? -1 : 1;
  return 0;
}
