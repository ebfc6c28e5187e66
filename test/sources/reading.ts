import type { FormatName, FormatOptions } from '../../src/config/formats.js';
import { BlocklistError } from '../../src/errors.js';
import { FORMATS } from '../../src/sources/feeds/formats/index.js';
import { textOf } from '../ip/lists.js';

async function* streamOf(pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

/** What a format reads from text, cut into these pieces. */
export async function readAs(format: FormatName, options: FormatOptions, ...pieces: readonly (string | Uint8Array)[]) {
  const { set, nodes, report } = await FORMATS[format].read(streamOf(pieces), options);
  const { entries, rejected, hostBits, leftOut, reasons, records } = report;
  return { prefixes: textOf(set), nodes: textOf(nodes), entries, rejected, hostBits, leftOut, reasons, records };
}

/** The BlocklistError that a format ends with; any other error goes through, and so does success. */
export async function refusalOf(format: FormatName, options: FormatOptions, text: string): Promise<BlocklistError> {
  try {
    await readAs(format, options, text);
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
  throw new Error(`expected ${format} to refuse ${JSON.stringify(text.slice(0, 100))}`);
}

/** Options with which each format can be called. */
export const OPTIONS: Readonly<Record<FormatName, FormatOptions>> = {
  plain: {},
  score: { 'min-score': 2 },
  csv: { column: 1 },
  json: { paths: ['prefixes[].ip_prefix'] },
  ndjson: { field: 'cidr' },
  dshield: {},
  delegated: {},
  p2p: {},
  'integer-range': {},
  keyword: { keyword: 'ExitAddress' },
  rbldnsd: {},
  'host-port': {},
  url: {},
  ripestat: {},
};
export const NAMES = Object.keys(OPTIONS) as FormatName[];
