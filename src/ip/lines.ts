import { BlocklistError } from '../errors.js';
import { isDigit, parseV6 } from './parse-bytes.js';

/** Byte-level facts about lines of text; the reader of lists puts them together. */

const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const SLASH = 0x2f;
const SPACE = 0x20;
const MARK = 0x21;
const DOT = 0x2e;

/**
 * Reads the line at `b[i]` if it is a strict dotted quad, alone or with a prefix length, and nothing else (LF or CRLF behind it): puts the
 * address into `out[0]` and the length (32 for a bare address) into `out[4]`, and returns the position of the next line, or −1. The same
 * rules as parseEntry, unrolled, and without bounds checks, for which `b` must hold an LF at or behind `i`.
 */
export function simpleV4Line(b: Uint8Array, i: number, out: Uint32Array): number {
  let p = i;
  let word = 0;
  let next = 0;
  for (let octet = 0; octet < 4; octet++) {
    let value = b[p]! - 48;
    if (value < 0 || value > 9) return -1;
    next = b[++p]!;
    if (next >= 48 && next <= 57 && value !== 0) {
      value = value * 10 + next - 48;
      next = b[++p]!;
      if (next >= 48 && next <= 57) {
        value = value * 10 + next - 48;
        next = b[++p]!;
        if (value > 255) return -1;
      }
    }
    word = (word << 8) | value;
    p++;
    if (octet < 3 && next !== DOT) return -1;
  }
  out[0] = word;
  out[4] = 32;
  if (next === SLASH) {
    let length = b[p]! - 48;
    if (length < 0 || length > 9) return -1;
    next = b[++p]!;
    if (next >= 48 && next <= 57 && length !== 0) {
      length = length * 10 + next - 48;
      next = b[++p]!;
    }
    if (length > 32) return -1;
    out[4] = length;
    p++;
  }
  if (next === LF) return p;
  return next === CR && b[p] === LF ? p + 1 : -1;
}

/**
 * The same for an IPv6 address or block alone on its line: the words into `out[0…3]`, the length into `out[4]`. IPv4-mapped ones are left to parseEntry.
 */
export function simpleV6Line(b: Uint8Array, i: number, end: number, out: Uint32Array): number {
  let p = parseV6(b, i, end, out, 0);
  if (p < 0 || (out[0] === 0 && out[1] === 0)) return -1;
  let length = 128;
  if (b[p] === SLASH) {
    const from = ++p;
    length = 0;
    while (p - from < 3 && isDigit(b[p]!)) length = length * 10 + b[p++]! - 48;
    if (p === from || length > 128 || (b[from] === 48 && p - from > 1)) return -1;
  }
  out[4] = length;
  if (b[p] === LF) return p + 1;
  return b[p] === CR && b[p + 1] === LF ? p + 2 : -1;
}

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Space, tab, vertical tab, form feed, and the UTF-8 form of the no-break space that web pages leave behind. */
export function skipBlanks(b: Uint8Array, from: number, end: number): number {
  let p = from;
  for (; p < end; p++) {
    const byte = b[p]!;
    if (byte === 0x20 || byte === 0x09 || byte === 0x0b || byte === 0x0c) continue;
    if (byte === 0xc2 && p + 1 < end && b[p + 1] === 0xa0) p++;
    else break;
  }
  return p;
}

export function isComment(b: Uint8Array, p: number, end: number): boolean {
  const byte = b[p]!;
  if (byte === HASH || byte === SEMICOLON) return true;
  const next = p + 1 < end ? b[p + 1]! : SPACE;
  // `! Title` as filter lists write it; `!192.0.2.1` could mean the opposite of an entry, and is none.
  return byte === SLASH ? next === SLASH : byte === MARK && next === SPACE;
}

/** Position behind the first line end (LF, CR or CRLF) at or after `from`, or −1. */
export function lineEndIn(b: Uint8Array, from: number): number {
  for (let i = from; i < b.length; i++) {
    if (b[i] === LF) return i + 1;
    if (b[i] === CR) return b[i + 1] === LF ? i + 2 : i + 1;
  }
  return -1;
}

/** Position behind the last line end of the chunk, `from` when it has none. */
export function lastLineEnd(b: Uint8Array, from: number): number {
  for (let i = b.length - 1; i >= from; i--) if (b[i] === LF || b[i] === CR) return i + 1;
  return from;
}

export function hasUtf8Mark(b: Uint8Array): boolean {
  return b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf;
}

export function refuseUtf16(b: Uint8Array): void {
  if (!((b[0] === 0xff && b[1] === 0xfe) || (b[0] === 0xfe && b[1] === 0xff))) return;
  throw new BlocklistError('bad-encoding', 'the list is UTF-16 text, which no feed uses for addresses', {
    hint: 'convert it first: iconv -f utf-16 -t utf-8 LIST',
  });
}
