import { once } from 'node:events';
import type { Writable } from 'node:stream';
import {
  countAddresses,
  decompose,
  FAMILIES,
  fourSets,
  type IpSet,
  LONGEST_PREFIX_TEXT,
  type Prefixes,
  SET_KEYS,
  writeAddress,
  writePrefix,
} from '../ip/index.js';

export const MERGE_FORMATS = ['cidr', 'range', 'nft', 'json'] as const;
export type MergeFormat = (typeof MERGE_FORMATS)[number];

const CHUNK = 1 << 20;
/** Room for one range and its decoration. */
const LINE_ROOM = 2 * LONGEST_PREFIX_TEXT + 8;

/** Collects bytes and hands them to the stream in large pieces, waiting when it is full. */
class Output {
  private chunk = new Uint8Array(CHUNK);
  private at = 0;

  constructor(private readonly stream: Writable) {}

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.chunk[this.at++] = text.charCodeAt(i);
  }

  /** Lets `write` put at most LINE_ROOM bytes into the chunk. */
  line(write: (out: Uint8Array, at: number) => number): void {
    this.at = write(this.chunk, this.at);
  }

  get isFull(): boolean {
    return this.at > CHUNK - LINE_ROOM;
  }

  async flush(): Promise<void> {
    const full = this.chunk.subarray(0, this.at);
    this.chunk = new Uint8Array(CHUNK);
    this.at = 0;
    if (full.length > 0 && !this.stream.write(full)) await once(this.stream, 'drain');
  }
}

/**
 * Writes a set, IPv4 first, numeric order. cidr: one prefix a line; range: `first-last`, a single address alone; nft: a braced
 * element list for a `define`; json: `{"v4":[…],"v6":[…]}`.
 */
export async function writeSet(set: IpSet, format: MergeFormat, stream: Writable): Promise<void> {
  const out = new Output(stream);
  if (format === 'range') await writeRanges(set, out);
  else if (format === 'cidr')
    for (const family of FAMILIES) await writePrefixes(decompose(set.of(family)), out, '', '\n');
  else if (format === 'nft') {
    out.text('{\n');
    for (const family of FAMILIES) await writePrefixes(decompose(set.of(family)), out, '\t', ',\n');
    out.text('}\n');
  } else {
    for (const family of FAMILIES) {
      out.text(family.version === 4 ? '{"v4":[' : '],"v6":[');
      await writePrefixes(decompose(set.of(family)), out, '"', '"', ',');
    }
    out.text(']}\n');
  }
  await out.flush();
}

async function writePrefixes(
  prefixes: Prefixes,
  out: Output,
  before: string,
  after: string,
  between = '',
): Promise<void> {
  const { family, size, words, lengths } = prefixes;
  for (let i = 0; i < size; i++) {
    out.text(i === 0 ? before : between + before);
    out.line((bytes, at) => writePrefix(family, words, i * family.words, lengths[i]!, bytes, at));
    out.text(after);
    if (out.isFull) await out.flush();
  }
}

async function writeRanges(set: IpSet, out: Output): Promise<void> {
  for (const family of FAMILIES) {
    const { lo, hi, size } = set.of(family);
    for (let i = 0; i < size * family.words; i += family.words) {
      out.line((bytes, at) => writeAddress(family, lo, i, bytes, at));
      if (lo.subarray(i, i + family.words).some((word, k) => word !== hi[i + k])) {
        out.text('-');
        out.line((bytes, at) => writeAddress(family, hi, i, bytes, at));
      }
      out.text('\n');
      if (out.isFull) await out.flush();
    }
  }
}

/** What a set holds, in figures instead of prefixes. */
export function summary(set: IpSet, form: 'text' | 'json', rejected: number): string {
  const sets = fourSets(set);
  const rows = SET_KEYS.map((key) => ({
    set: key,
    prefixes: sets[key].size,
    addresses: String(countAddresses(sets[key])),
  }));
  if (form === 'json') {
    return `${JSON.stringify({ schema: 'blocklist/merge-summary', version: 1, sets: rows, rejected })}\n`;
  }
  return rows
    .map(({ set: key, prefixes, addresses }) => `${key}\t${prefixes} prefixes\t${addresses} addresses\n`)
    .join('');
}
