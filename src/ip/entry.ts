import { type Family, IPV4, IPV6 } from './family.js';
import { parseV4, parseV6 } from './parse-bytes.js';
import { compareAt, copyAt, lastOfPrefix, maskHostBits, toBigInt } from './words.js';

/** Why a piece of text is not an entry. The names are shown to people and are stable in `--json`. */
export const REJECT_REASONS = [
  'not an address',
  'bad prefix length',
  'bad netmask',
  'range runs backwards',
  'range mixes families',
  'has a zone',
  'text after the address',
  'line too long',
  'missing field',
  'columns disagree',
  'bad count',
  'not JSON',
  'not a code',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** Caller-owned room for the result of parseEntry: one address, block or range. */
export class EntrySlot {
  family: Family = IPV4;
  /** first address in the first `family.words` words */
  readonly lo: Uint32Array = new Uint32Array(4);
  /** last address, inclusive */
  readonly hi: Uint32Array = new Uint32Array(4);
  /** `192.0.2.5/24`: bits behind the prefix were set, and were cleared */
  hostBits = false;
  /** prefix length when written as one address or block, −1 for a range */
  length = -1;
  /** set when parseEntry returned −1 */
  reason: RejectReason = 'not an address';
}

const SPACE = 0x20;
const TAB = 0x09;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;
const DOT = 0x2e;
const PERCENT = 0x25;
const COLON = 0x3a;

/**
 * Reads one entry at `b[i]`: an address, `address/length`, `address/netmask` (or wildcard mask `0.0.0.255`), `first-last`, `first - last`,
 * or `192.0.2.*`. Returns the position behind it, or −1 with `slot.reason` set. IPv4-mapped IPv6
 * (RFC 4291 section 2.5.5.2), `::ffff:a.b.c.d/96+n`, becomes IPv4 `/n`, because that is what the kernel sees on the wire.
 */
export function parseEntry(b: Uint8Array, i: number, end: number, slot: EntrySlot): number {
  slot.hostBits = false;
  slot.family = IPV4;
  let p = -1;
  if (looksLikeV6(b, i, end)) {
    slot.family = IPV6;
    p = parseV6(b, i, end, slot.lo, 0);
  } else {
    p = parseV4(b, i, end, slot.lo, 0);
    if (p < 0) {
      p = parseStarred(b, i, end, slot);
      if (p >= 0) return p;
    }
  }
  if (p < 0) return refuse(slot, 'not an address');
  if (p < end) {
    const next = b[p]!;
    if (next === PERCENT) return refuse(slot, 'has a zone');
    if (next === SLASH) p = parseLength(b, p + 1, end, slot);
    else {
      const q = dashAfter(b, p, end);
      if (q >= 0) p = parseLast(b, q, end, slot);
      else single(slot);
    }
  } else single(slot);
  if (p >= 0 && slot.family === IPV6) unmap(slot);
  return p;
}

/** An IPv6 address has a colon among its first five characters, an IPv4 one never has. */
function looksLikeV6(b: Uint8Array, i: number, end: number): boolean {
  for (let p = i; p < end && p < i + 5; p++) if (b[p] === COLON) return true;
  return false;
}

function refuse(slot: EntrySlot, reason: RejectReason): -1 {
  slot.reason = reason;
  return -1;
}

function single(slot: EntrySlot): void {
  copyAt(slot.lo, 0, slot.hi, 0, slot.family.words);
  slot.length = slot.family.bits;
}

/** Position behind `-` or ` - ` at `p`, or −1 when no range goes on there. */
function dashAfter(b: Uint8Array, p: number, end: number): number {
  let q = p;
  while (q < end && (b[q] === SPACE || b[q] === TAB)) q++;
  if (q >= end || b[q] !== DASH) return -1;
  q++;
  while (q < end && (b[q] === SPACE || b[q] === TAB)) q++;
  return q;
}

function parseLast(b: Uint8Array, i: number, end: number, slot: EntrySlot): number {
  const { family } = slot;
  let p = family === IPV4 ? parseV4(b, i, end, slot.hi, 0) : parseV6(b, i, end, slot.hi, 0);
  if (p < 0) {
    p = family === IPV4 ? parseV6(b, i, end, new Uint32Array(4), 0) : parseV4(b, i, end, new Uint32Array(1), 0);
    return refuse(slot, p < 0 ? 'not an address' : 'range mixes families');
  }
  if (p < end && b[p] === PERCENT) return refuse(slot, 'has a zone');
  if (p < end && b[p] === SLASH) return refuse(slot, 'text after the address');
  if (compareAt(slot.lo, 0, slot.hi, 0, family.words) > 0) return refuse(slot, 'range runs backwards');
  slot.length = -1;
  return p;
}

function parseLength(b: Uint8Array, i: number, end: number, slot: EntrySlot): number {
  const { family } = slot;
  let p = i;
  let length = 0;
  while (p < end && p - i < 3) {
    const digit = b[p]! - 48;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
    p++;
  }
  if (family === IPV4 && p < end && b[p] === DOT) {
    p = parseV4(b, i, end, slot.hi, 0);
    length = p < 0 ? -1 : lengthOfMask(slot.hi[0]!);
    if (length < 0) return refuse(slot, 'bad netmask');
  } else if (p === i || (p - i > 1 && b[i] === 48) || length > family.bits) {
    return refuse(slot, 'bad prefix length');
  }
  // A length meant for the IPv4 address inside: taken as it stands, `::ffff:192.0.2.5/24` would be `::/24`.
  if (family === IPV6 && length < 96 && isMapped(slot.lo)) return refuse(slot, 'bad prefix length');
  slot.hostBits = maskHostBits(slot.lo, 0, family.words, length);
  lastOfPrefix(slot.lo, 0, length, slot.hi, 0, family.words);
  slot.length = length;
  return p;
}

/** Prefix length of a netmask or of a wildcard (inverted) mask, −1 for neither. `0.0.0.0` could be both and is refused. */
function lengthOfMask(mask: number): number {
  const host = ~mask >>> 0;
  if (mask === 0) return -1;
  if ((host & (host + 1)) === 0) return Math.clz32(host);
  return (mask & (mask + 1)) === 0 ? Math.clz32(mask) : -1;
}

/** `192.0.2.*`, `192.0.*.*`, `192.*.*.*` */
function parseStarred(b: Uint8Array, i: number, end: number, slot: EntrySlot): number {
  let p = i;
  let word = 0;
  let octets = 0;
  while (octets < 4 && p < end && b[p] !== STAR) {
    const start = p;
    let value = 0;
    while (p < end && p - start < 3 && b[p]! >= 48 && b[p]! <= 57) value = value * 10 + b[p++]! - 48;
    if (p === start || value > 255 || (p - start > 1 && b[start] === 48)) return -1;
    if (p >= end || b[p] !== DOT) return -1;
    word = word * 256 + value;
    octets++;
    p++;
  }
  if (octets === 0 || octets === 4) return -1;
  slot.length = octets * 8;
  slot.lo[0] = word * 256 ** (4 - octets);
  for (; octets < 4; octets++) {
    if (p >= end || b[p] !== STAR) return -1;
    p++;
    if (octets === 3) break;
    if (p >= end || b[p] !== DOT) return -1;
    p++;
  }
  lastOfPrefix(slot.lo, 0, slot.length, slot.hi, 0, 1);
  return p;
}

function isMapped(words: Uint32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

/** Turns an entry that lies wholly inside `::ffff:0:0/96` into IPv4. */
function unmap(slot: EntrySlot): void {
  if (!isMapped(slot.lo) || !isMapped(slot.hi)) return;
  slot.family = IPV4;
  slot.lo[0] = slot.lo[3]!;
  slot.hi[0] = slot.hi[3]!;
  if (slot.length >= 0) slot.length -= 96;
}

/** log2 of the number of addresses in the entry, rounded down. */
export function hostBitsOf(slot: EntrySlot): number {
  if (slot.length >= 0) return slot.family.bits - slot.length;
  const w = slot.family.words;
  return (toBigInt(slot.hi, 0, w) - toBigInt(slot.lo, 0, w) + 1n).toString(2).length - 1;
}
