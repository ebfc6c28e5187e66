import type { Writable } from 'node:stream';
import { BlocklistError } from '../errors.js';
import { put } from '../io/put.js';
import {
  BlockWalk,
  countAddresses,
  type Decoration,
  FAMILIES,
  formatAddress,
  formatPrefix,
  fourSets,
  type IpSet,
  SET_KEYS,
  writeBlocks,
} from '../ip/index.js';

export type MergeFormat = 'cidr' | 'range' | 'nft' | 'json';

const CHUNK = 1 << 18;

/**
 * Writes a set, IPv4 first, numeric order. cidr: one prefix a line; range: `first-last`, a single address alone; nft: a braced
 * element list for a `define`; json: `{"v4":[…],"v6":[…]}`.
 */
export async function writeSet(set: IpSet, format: MergeFormat, stream: Writable): Promise<void> {
  if (format === 'range') return writeRanges(set, stream);
  if (format === 'cidr') return writeBoth(set, { before: '', after: '\n' }, stream);
  if (format === 'nft') {
    if (set.isEmpty) {
      throw new BlocklistError('empty-result', 'the set is empty, and nft knows no empty element list', {
        hint: 'leave the define out, or use another --format',
      });
    }
    await put(stream, '{\n');
    await writeBoth(set, { before: '\t', after: ',\n' }, stream);
    return put(stream, '}\n');
  }
  await put(stream, '{"v4":[');
  await writeQuoted(new BlockWalk(set.v4), stream);
  await put(stream, '],"v6":[');
  await writeQuoted(new BlockWalk(set.v6), stream);
  return put(stream, ']}\n');
}

async function writeBoth(set: IpSet, decoration: Decoration, stream: Writable): Promise<void> {
  for (const family of FAMILIES) await writeWalk(new BlockWalk(set.of(family)), decoration, stream);
}

/** JSON strings with a comma between them. */
async function writeQuoted(walk: BlockWalk, stream: Writable): Promise<void> {
  if (!walk.next()) return;
  const { family, words, length } = walk;
  await put(stream, `"${formatPrefix({ family, words, length })}"`);
  await writeWalk(walk, { before: ',"', after: '"' }, stream);
}

async function writeWalk(walk: BlockWalk, decoration: Decoration, stream: Writable): Promise<void> {
  const chunk = new Uint8Array(CHUNK);
  for (let size = writeBlocks(walk, decoration, chunk); size > 0; size = writeBlocks(walk, decoration, chunk)) {
    await put(stream, chunk.subarray(0, size));
  }
}

async function writeRanges(set: IpSet, stream: Writable): Promise<void> {
  for (const family of FAMILIES) {
    const { lo, hi, size } = set.of(family);
    let lines: string[] = [];
    for (let r = 0; r < size; r++) {
      const [first, last] = [lo, hi].map((column) => formatAddress(family, column, r * family.words));
      lines.push(first === last ? `${first}\n` : `${first}-${last}\n`);
      if (lines.length < 10_000 && r + 1 < size) continue;
      await put(stream, lines.join(''));
      lines = [];
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
