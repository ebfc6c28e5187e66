import { parseRendered } from './canonical.js';
import type { Prefixes } from './decompose.js';
import type { Family, Prefix } from './family.js';
import { compareAt, lastOfPrefix } from './words.js';

const LF = 0x0a;

/**
 * The prefixes of a rendered list (as `prefixLines` writes it: one a line, numeric order, none inside another) that have addresses in common with a block
 * of the same family. Only the lines looked at are read, log2 of them, so that a list of a million lines answers in microseconds. Undefined when one of
 * these is no prefix.
 */
export function searchRendered(bytes: Uint8Array, block: Prefix): Prefixes | undefined {
  const { family } = block;
  const w = family.words;
  const last = new Uint32Array(w);
  lastOfPrefix(block.words, 0, block.length, last, 0, w);
  const behind = firstLineAfter(bytes, family, block.words);
  const end = firstLineAfter(bytes, family, last);
  if (behind === undefined || end === undefined) return undefined;
  // The hindmost line that begins before the block, or at its first address, may hold it.
  const read = parseRendered(bytes.subarray(lineStart(bytes, behind - 1), end), family);
  if (!read.ok || read.prefixes.size === 0) return read.ok ? read.prefixes : undefined;
  const { size, words, lengths } = read.prefixes;
  lastOfPrefix(words, 0, lengths[0]!, last, 0, w);
  if (compareAt(last, 0, block.words, 0, w) >= 0) return read.prefixes;
  return { family, size: size - 1, words: words.subarray(w), lengths: lengths.subarray(1) };
}

/** Where the first line begins whose prefix begins behind the address; the end of the list for none. */
function firstLineAfter(bytes: Uint8Array, family: Family, address: Uint32Array): number | undefined {
  let [from, to] = [0, bytes.length];
  while (from < to) {
    const start = lineStart(bytes, (from + to) >>> 1);
    const found = bytes.indexOf(LF, start);
    const next = found < 0 ? bytes.length : found + 1;
    const read = parseRendered(bytes.subarray(start, next), family);
    if (!read.ok) return undefined;
    if (compareAt(read.prefixes.words, 0, address, 0, family.words) <= 0) from = next;
    else to = start;
  }
  return from;
}

/** Where the line begins that the byte `at` is in; an end of line belongs to the line before it. */
function lineStart(bytes: Uint8Array, at: number): number {
  return at <= 0 ? 0 : bytes.lastIndexOf(LF, at - 1) + 1;
}
