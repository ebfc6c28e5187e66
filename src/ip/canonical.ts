import type { Prefixes } from './decompose.js';
import { EntrySlot, parseEntry } from './entry.js';
import { type Family, IPV6, type Prefix } from './family.js';
import { prefixLines } from './format.js';
import { simpleV4Line, simpleV6Line } from './lines.js';
import { compareAt, differingBitsAt, hostMask, lastOfPrefix } from './words.js';

export type CanonicalList =
  | { readonly ok: true; readonly prefixes: Prefixes }
  /** `line`: 1 is the first */
  | { readonly ok: false; readonly line: number; readonly problem: string };

const LF = 0x0a;
const CR = 0x0d;
const SLASH = 0x2f;
const LINES = { before: '', after: '\n' };

/**
 * Reads a list that must be, byte for byte, what `prefixLines` writes of a minimal set: one prefix a line in its canonical text, in numeric order, none
 * inside another one, no two that are one block. For lists that we rendered, which somebody may have changed since: nothing is sorted or merged.
 */
export function readCanonical(bytes: Uint8Array, family: Family): CanonicalList {
  const read = parseRendered(bytes, family);
  if (!read.ok) return read;
  const { prefixes } = read;
  const wrong = firstNotMinimal(prefixes);
  if (wrong >= 0) return bad(wrong + 1, NOT_CANONICAL);
  // Of IPv4 the parser takes one text an address; IPv6 has many.
  const line = family.words === 1 ? lineOfOtherForm(bytes, prefixes) : lineOfOtherText(bytes, prefixes);
  return line === 0 ? read : bad(line, NOT_CANONICAL);
}

const NOT_CANONICAL = 'this line is not in canonical form (sorted, minimal)';

function bad(line: number, problem: string): CanonicalList {
  return { ok: false, line, problem };
}

/** The lines of readCanonical alone, for lists that are known to be unchanged since they were rendered. */
export function parseRendered(bytes: Uint8Array, family: Family): CanonicalList {
  const w = family.words;
  const size = count(bytes, bytes.length);
  if (bytes.length > 0 && bytes[bytes.length - 1] !== LF) return bad(size + 1, 'the last line has no end');
  const words = new Uint32Array(size * w);
  const lengths = new Uint8Array(size);
  const line = new Uint32Array(5);
  let at = 0;
  for (let i = 0; i < size; i++) {
    at = w === 1 ? simpleV4Line(bytes, at, line) : v6Line(bytes, at, line);
    if (at < 0) return bad(i + 1, `not an IPv${family.version} address or block`);
    for (let k = 0; k < w; k++) words[i * w + k] = line[k]!;
    lengths[i] = line[4]!;
  }
  return { ok: true, prefixes: { family, size, words, lengths } };
}

/** The only other forms of an IPv4 line that parse: `/32` behind an address, and a carriage return. 0 for none. */
function lineOfOtherForm(bytes: Uint8Array, { size, lengths }: Prefixes): number {
  let at = 0;
  for (let i = 0; i < size; i++) {
    const end = bytes.indexOf(LF, at);
    if (bytes[end - 1] === CR || (lengths[i] === 32 && bytes[end - 3] === SLASH)) return i + 1;
    at = end + 1;
  }
  return 0;
}

function lineOfOtherText(bytes: Uint8Array, prefixes: Prefixes): number {
  const text = prefixLines(prefixes, LINES);
  const size = Math.min(bytes.length, text.length);
  for (let i = 0; i < size; i++) if (bytes[i] !== text[i]) return count(bytes, i) + 1;
  return bytes.length === text.length ? 0 : count(bytes, size) + 1;
}

/** simpleV6Line leaves addresses that begin with eight zero bytes to parseEntry, which knows IPv4-mapped ones. */
function v6Line(bytes: Uint8Array, at: number, line: Uint32Array): number {
  const next = simpleV6Line(bytes, at, bytes.length, line);
  if (next >= 0) return next;
  const slot = new EntrySlot();
  const end = bytes.indexOf(LF, at);
  if (parseEntry(bytes, at, end, slot) !== end || slot.family !== IPV6 || slot.length < 0) return -1;
  line.set(slot.lo);
  line[4] = slot.length;
  return end + 1;
}

/**
 * Index of the first prefix that has host bits, that does not lie behind the one before it, or that is one block with it; −1 for none. In a sorted list of
 * disjoint blocks two that could be one are neighbours, so looking at neighbours is enough.
 */
function firstNotMinimal({ family, size, words, lengths }: Prefixes): number {
  const w = family.words;
  const last = new Uint32Array(w);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < w; k++) if ((words[i * w + k]! & hostMask(lengths[i]!, k)) !== 0) return i;
    if (i === 0) continue;
    lastOfPrefix(words, (i - 1) * w, lengths[i - 1]!, last, 0, w);
    if (compareAt(words, i * w, last, 0, w) <= 0) return i;
    const isSameSize = lengths[i] === lengths[i - 1];
    if (isSameSize && differingBitsAt(words, (i - 1) * w, words, i * w, w) === family.bits - lengths[i]! + 1) return i;
  }
  return -1;
}

function count(bytes: Uint8Array, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** Index of the first prefix of `a` that has addresses in common with one of `b`; −1 for none. Both in numeric order without overlaps. */
export function firstOverlap(a: Prefixes, b: Prefixes): number {
  const w = a.family.words;
  const last = new Uint32Array(w);
  let k = 0;
  for (let i = 0; i < a.size; i++) {
    // Past the blocks of b that end before this one begins.
    for (; k < b.size; k++) {
      lastOfPrefix(b.words, k * w, b.lengths[k]!, last, 0, w);
      if (compareAt(last, 0, a.words, i * w, w) >= 0) break;
    }
    if (k === b.size) return -1;
    lastOfPrefix(a.words, i * w, a.lengths[i]!, last, 0, w);
    if (compareAt(b.words, k * w, last, 0, w) <= 0) return i;
  }
  return -1;
}

/** A prefix of the list that has addresses in common with `block`; undefined for none. Looks up, for lists in numeric order without overlaps. */
export function overlapping({ family, size, words, lengths }: Prefixes, block: Prefix): Prefix | undefined {
  if (family !== block.family) return undefined;
  const w = family.words;
  const last = new Uint32Array(w);
  lastOfPrefix(block.words, 0, block.length, last, 0, w);
  let [from, to] = [0, size];
  // How many begin at or below the last address of the block: the hindmost of them is the only one to look at.
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareAt(words, middle * w, last, 0, w) <= 0) from = middle + 1;
    else to = middle;
  }
  const i = from - 1;
  if (i < 0) return undefined;
  lastOfPrefix(words, i * w, lengths[i]!, last, 0, w);
  if (compareAt(last, 0, block.words, 0, w) < 0) return undefined;
  return { family, words: words.slice(i * w, (i + 1) * w), length: lengths[i]! };
}
