import { z } from 'zod';
import { decodeColumns, encodeColumns } from '../io/columns-file.js';
import { FAMILIES, IpSet, setOfColumns } from '../ip/index.js';
import type { ListBody } from './feeds/formats/contract.js';
import type { ParsedForm } from './last-good.js';

/** What a body holds once it is read, and how it was packed. */
export interface ReadBody extends ListBody {
  /** bytes glued behind the packed data */
  readonly trailing: number;
}

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

/** undefined when the bytes are damaged, or were made by another way of reading. */
export function decodeBody(bytes: Buffer, key: string): ReadBody | undefined {
  const file = decodeColumns(bytes);
  const header = headerSchema.safeParse(file?.header).data;
  if (file === undefined || header?.key !== `${READER} ${key}`) return undefined;
  const [set, own] = [setAt(file.columns, 0), header.nodes === 'own' ? setAt(file.columns, 4) : undefined];
  const nodes = header.nodes === 'own' ? own : set;
  if (set === undefined || nodes === undefined) return undefined;
  return { set, nodes, trailing: header.trailing, report: header.report as ListBody['report'] };
}

function setAt(columns: readonly Uint32Array[], from: number): IpSet | undefined {
  const [v4, v6] = FAMILIES.map((family, i) => {
    const [lo, hi] = columns.slice(from + 2 * i, from + 2 * i + 2);
    return lo === undefined || hi === undefined ? undefined : setOfColumns(family, lo, hi);
  });
  return v4 === undefined || v6 === undefined ? undefined : IpSet.of(v4, v6);
}

/** The parsed form of lists, for last good. */
export const LIST_FORM: ParsedForm<ReadBody> = { encode: encodeBody, decode: decodeBody };
