import { z } from 'zod';
import { decodeColumns, encodeColumns } from '../../io/columns-file.js';
import { FAMILIES, LabelledRanges, REJECT_REASONS } from '../../ip/index.js';
import type { DatabaseContent, GeoKind } from './contract.js';
import { GeoTable } from './table.js';

/** Counts up when the same body is read otherwise than before: what older programs wrote is then read again. */
const READER = 2;
/** Columns that a table has in the file: three a family, then labels, networks, offsets and names. */
const COLUMNS = 10;

const headerSchema = z.object({
  key: z.string(),
  kinds: z.array(z.enum(['country', 'asn'])),
  built: z.number().optional(),
  entries: z.number(),
  rejected: z.number(),
  samples: z.array(z.object({ line: z.number(), text: z.string(), reason: z.enum(REJECT_REASONS) })),
});

/** The parsed form of a database, for the way of reading and the body that `key` names: loads by looking, in some ten milliseconds. */
export function encodeDatabase({ tables, built, entries, rejected, samples }: DatabaseContent, key: string): Buffer {
  const kinds = Object.keys(tables) as GeoKind[];
  const columns = kinds.flatMap((kind) => {
    const table = tables[kind];
    if (table === undefined) return [];
    const { labels, networks, offsets, names } = table.columns;
    const ranges = FAMILIES.flatMap((family) => [table.of(family).lo, table.of(family).hi, table.of(family).labels]);
    return [...ranges, labels, networks, offsets, asWords(names)];
  });
  // One order of keys, whoever made the object: two that say the same are the same bytes.
  const facts = { ...(built === undefined ? {} : { built }), entries, rejected, samples };
  return encodeColumns({ header: { key: `${READER} ${key}`, kinds, ...facts }, columns });
}

/** undefined when the bytes are damaged, or were made of something else or by another way of reading. What it returns is a part of them. */
export function decodeDatabase(bytes: Buffer, key: string): DatabaseContent | undefined {
  const file = decodeColumns(bytes, 'bytes');
  const header = headerSchema.safeParse(file?.header).data;
  if (file === undefined || header?.key !== `${READER} ${key}`) return undefined;
  const { kinds, entries, rejected, samples, built } = header;
  const tables: { [Kind in GeoKind]?: GeoTable } = {};
  for (const [i, kind] of kinds.entries()) {
    const table = tableOf(kind, file.columns.slice(i * COLUMNS, (i + 1) * COLUMNS));
    if (table === undefined) return undefined;
    tables[kind] = table;
  }
  return { tables, entries, rejected, samples, ...(built === undefined ? {} : { built }) };
}

/** Where the columns of a table are in a file: first and last addresses and labels of each family, then the names. */
export interface TablePlace {
  readonly v4: readonly [lo: number, hi: number, labels: number];
  readonly v6: readonly [lo: number, hi: number, labels: number];
  readonly labels: number;
  readonly offsets: number;
  readonly names: number;
}

/** undefined when the file was made of something else than `key` names, or has no table of this kind. */
export function placeOfTable(
  fileHeader: unknown,
  sizes: readonly number[],
  key: string,
  kind: GeoKind,
): TablePlace | undefined {
  const header = headerSchema.safeParse(fileHeader).data;
  const at = header?.key === `${READER} ${key}` ? header.kinds.indexOf(kind) * COLUMNS : -1;
  if (at < 0 || sizes.length < at + COLUMNS) return undefined;
  return { v4: [at, at + 1, at + 2], v6: [at + 3, at + 4, at + 5], labels: at + 6, offsets: at + 8, names: at + 9 };
}

function tableOf(kind: GeoKind, columns: readonly Uint32Array[]): GeoTable | undefined {
  const [labels, networks, offsets, words] = columns.slice(6);
  const [v4, v6] = FAMILIES.map((family, i) => {
    const [lo, hi, own] = columns.slice(3 * i, 3 * i + 3);
    return lo && hi && own && LabelledRanges.ofColumns(family, lo, hi, own);
  });
  if (v4 === undefined || v6 === undefined) return undefined;
  if (labels === undefined || networks === undefined || offsets === undefined || words === undefined) return undefined;
  const size = offsets.at(-1) ?? 0;
  if (offsets.length !== labels.length + 1 || networks.length !== labels.length || size > words.byteLength) {
    return undefined;
  }
  const names = Buffer.from(words.buffer, words.byteOffset, size);
  return new GeoTable(kind, { v4, v6, labels, networks, offsets, names });
}

/** Bytes in a column of words, with zeros behind them. */
function asWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
