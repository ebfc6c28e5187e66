import { z } from 'zod';
import { decodeColumns, encodeColumns } from '../io/columns-file.js';
import type { ColumnsLook } from '../io/columns-look.js';
import { type Column, FAMILIES, type Family, IpSet, type RangeSet, setOfColumns, touching } from '../ip/index.js';
import type { ListBody } from './feeds/formats/contract.js';
import type { ParsedForm } from './last-good.js';

/** What a body holds once it is read, and how it was packed. */
export interface ReadBody extends ListBody {
  /** bytes glued behind the packed data */
  readonly trailing: number;
}

/** The addresses of a body, and of these the ones that it lists one by one. */
export type BodySets = Pick<ReadBody, 'set' | 'nodes'>;

/** Counts up when a format reads the same body otherwise than before: what older programs wrote is then read again. */
const READER = 1;

const headerSchema = z.object({
  key: z.string(),
  trailing: z.number(),
  /** all: every address is listed one by one, so that one pair of columns serves both sets */
  nodes: z.enum(['all', 'own']),
  report: z.object({
    entries: z.number(),
    rejected: z.number(),
    reasons: z.record(z.string(), z.number()),
    samples: z.array(z.object({ line: z.number(), text: z.string(), reason: z.string() })),
    hostBits: z.number(),
    widest: z.object({ v4: z.number(), v6: z.number() }),
    leftOut: z.number(),
    records: z.number().optional(),
  }),
});

/** The parsed form of a body, for the way of reading that `key` names. */
export function encodeBody({ set, nodes, report, trailing }: ReadBody, key: string): Buffer {
  const isAll = nodes.equals(set);
  const sets = isAll ? [set] : [set, nodes];
  return encodeColumns({
    header: { key: `${READER} ${key}`, trailing, nodes: isAll ? 'all' : 'own', report },
    columns: sets.flatMap((each) => FAMILIES.flatMap((family) => [each.of(family).lo, each.of(family).hi])),
  });
}

/** undefined when the bytes are damaged, or were made by another way of reading. What it returns is a part of them. */
export function decodeBody(bytes: Buffer, key: string): ReadBody | undefined {
  const file = decodeColumns(bytes, 'bytes');
  const header = headerSchema.safeParse(file?.header).data;
  if (file === undefined || header?.key !== `${READER} ${key}`) return undefined;
  const sets = setsAt(file.columns, header.nodes, setOfColumns);
  return sets && { ...sets, trailing: header.trailing, report: header.report as ListBody['report'] };
}

const nodesSchema = headerSchema.pick({ nodes: true });

/** What the sets have of these regions, whichever way the body was read. undefined when they are no sets. */
export function lookIntoBody(look: ColumnsLook, regions: IpSet): BodySets | undefined {
  // For fifty headers: compiling the schema takes longer than using it as it is.
  const header = nodesSchema.safeParse(look.header, { jitless: true }).data;
  const columns = look.sizes.map((_, i) => look.column(i));
  const part: SetReader<Column> = (family, lo, hi) => touching(family, lo, hi, regions);
  return header && setsAt(columns, header.nodes, part);
}

type SetReader<Words> = (family: Family, lo: Words, hi: Words) => RangeSet | undefined;

function setsAt<Words>(columns: readonly Words[], kind: 'all' | 'own', read: SetReader<Words>): BodySets | undefined {
  const set = setAt(columns, 0, read);
  const nodes = kind === 'own' ? setAt(columns, 4, read) : set;
  return set === undefined || nodes === undefined ? undefined : { set, nodes };
}

function setAt<Words>(columns: readonly Words[], from: number, read: SetReader<Words>): IpSet | undefined {
  const [v4, v6] = FAMILIES.map((family, i) => {
    const [lo, hi] = columns.slice(from + 2 * i, from + 2 * i + 2);
    return lo === undefined || hi === undefined ? undefined : read(family, lo, hi);
  });
  return v4 === undefined || v6 === undefined ? undefined : IpSet.of(v4, v6);
}

/** The parsed form of lists, for last good. */
export const LIST_FORM: ParsedForm<ReadBody> = { encode: encodeBody, decode: decodeBody };
