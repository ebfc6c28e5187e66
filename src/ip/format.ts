import type { BlockWalk, Prefixes } from './decompose.js';
import type { Family, Prefix } from './family.js';
import { asciiBytes } from './parse.js';

const DOT = 0x2e;
const COLON = 0x3a;
const SLASH = 0x2f;
/** Room that one formatted prefix needs at most: 8 hextets, 7 colons, `/128`, with the embedded IPv4 form inside that. */
const LONGEST_PREFIX_TEXT = 48;
/** `255.255.255.255/32`, and what writeDecimal writes behind its last digit. */
const LONGEST_V4_TEXT = 20;

/** The three digits of 0…255 in one number, so that no octet costs a division. */
const DIGITS: Uint32Array = Uint32Array.from({ length: 256 }, (_, n) => {
  const text = String(n);
  return [...text].reduce((packed, digit, k) => packed | ((48 + Number(digit)) << (8 * k)), text.length << 24);
});

/** Writes 0…255. */
function writeDecimal(value: number, out: Uint8Array, at: number): number {
  const packed = DIGITS[value]!;
  // Bytes behind the last digit are overwritten by what follows.
  out[at] = packed & 0xff;
  out[at + 1] = (packed >>> 8) & 0xff;
  out[at + 2] = (packed >>> 16) & 0xff;
  return at + (packed >>> 24);
}

function writeHex(value: number, out: Uint8Array, at: number): number {
  let p = at;
  for (let shift = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0; shift >= 0; shift -= 4) {
    const digit = (value >>> shift) & 0xf;
    out[p++] = digit < 10 ? 48 + digit : 87 + digit;
  }
  return p;
}

function writeV4(word: number, out: Uint8Array, at: number): number {
  let p = writeDecimal(word >>> 24, out, at);
  out[p++] = DOT;
  p = writeDecimal((word >>> 16) & 0xff, out, p);
  out[p++] = DOT;
  p = writeDecimal((word >>> 8) & 0xff, out, p);
  out[p++] = DOT;
  return writeDecimal(word & 0xff, out, p);
}

function hextet(words: Uint32Array, i: number, k: number): number {
  return (words[i + (k >> 1)]! >>> (k & 1 ? 0 : 16)) & 0xffff;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero hextets (the first of equals) as `::`. */
function writeV6(words: Uint32Array, i: number, out: Uint8Array, at: number): number {
  let p = at;
  // RFC 5952 section 5: the mixed form for the IPv4-mapped prefix.
  const mapped = words[i] === 0 && words[i + 1] === 0 && words[i + 2] === 0xffff;
  const hextets = mapped ? 6 : 8;
  let runAt = -1;
  let run = 1;
  for (let k = 0; k < hextets; ) {
    let end = k;
    while (end < hextets && hextet(words, i, end) === 0) end++;
    if (end - k > run) {
      run = end - k;
      runAt = k;
    }
    k = end + 1;
  }
  for (let k = 0; k < hextets; k++) {
    if (k === runAt) {
      out[p++] = COLON;
      out[p++] = COLON;
      k += run - 1;
      continue;
    }
    if (k > 0 && k !== runAt + run) out[p++] = COLON;
    p = writeHex(hextet(words, i, k), out, p);
  }
  if (!mapped) return p;
  out[p++] = COLON;
  return writeV4(words[i + 3]!, out, p);
}

/** Writes the address at `words[i]` as ASCII and returns the position behind it. `out` needs LONGEST_PREFIX_TEXT bytes from `at`. */
function writeAddress(family: Family, words: Uint32Array, i: number, out: Uint8Array, at: number): number {
  return family.version === 4 ? writeV4(words[i]!, out, at) : writeV6(words, i, out, at);
}

/** `writeAddress` and, unless it is a single address, `/length`. */
function writePrefix(
  family: Family,
  words: Uint32Array,
  i: number,
  length: number,
  out: Uint8Array,
  at: number,
): number {
  const p = writeAddress(family, words, i, out, at);
  if (length === family.bits) return p;
  out[p] = SLASH;
  return writeDecimal(length, out, p + 1);
}

/** Text around each prefix of a column. */
export interface Decoration {
  readonly before: string;
  readonly after: string;
}

/**
 * Writes the blocks of a walk, from the next one on, each between `before` and `after`, until `out` has no room for another one or there is none.
 * Returns the number of bytes: 0 when the walk has ended.
 */
export function writeBlocks(walk: BlockWalk, { before, after }: Decoration, out: Uint8Array): number {
  const [head, tail] = [asciiBytes(before), asciiBytes(after)];
  const limit = out.length - LONGEST_PREFIX_TEXT - head.length - tail.length;
  if (limit < 0) throw new RangeError(`room for ${out.length} bytes is not enough for one block`);
  let at = 0;
  while (at <= limit && walk.next()) {
    for (let k = 0; k < head.length; k++) out[at++] = head[k]!;
    at = writePrefix(walk.family, walk.words, 0, walk.length, out, at);
    for (let k = 0; k < tail.length; k++) out[at++] = tail[k]!;
  }
  return at;
}

/** All prefixes of a column, each between `before` and `after`. */
export function prefixLines({ family, size, words, lengths }: Prefixes, { before, after }: Decoration): Uint8Array {
  const [head, tail] = [asciiBytes(before), asciiBytes(after)];
  const longest = family.version === 4 ? LONGEST_V4_TEXT : LONGEST_PREFIX_TEXT;
  const out = new Uint8Array(size * (longest + head.length + tail.length));
  let at = 0;
  for (let i = 0; i < size; i++) {
    // A call for two bytes costs more than the bytes.
    for (let k = 0; k < head.length; k++) out[at++] = head[k]!;
    at = writePrefix(family, words, i * family.words, lengths[i]!, out, at);
    for (let k = 0; k < tail.length; k++) out[at++] = tail[k]!;
  }
  return out.slice(0, at);
}

function ascii(bytes: Uint8Array, end: number): string {
  return String.fromCharCode(...bytes.subarray(0, end));
}

/** The address in its canonical text form (RFC 5952 for IPv6). */
export function formatAddress(family: Family, words: Uint32Array, i = 0): string {
  const out = new Uint8Array(LONGEST_PREFIX_TEXT);
  return ascii(out, writeAddress(family, words, i, out, 0));
}

/** `192.0.2.0/24`, `2001:db8::/32`; a single address is printed without `/32` or `/128`. */
export function formatPrefix(prefix: Prefix): string {
  const out = new Uint8Array(LONGEST_PREFIX_TEXT);
  return ascii(out, writePrefix(prefix.family, prefix.words, 0, prefix.length, out, 0));
}
