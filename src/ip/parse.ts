import { BlocklistError } from '../errors.js';
import { EntrySlot, parseEntry } from './entry.js';
import type { Address, Prefix } from './family.js';

/** ASCII bytes of `text`; anything beyond ASCII becomes a byte that no address contains. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code < 128 ? code : 255;
  }
  return bytes;
}

/** Reads `text` as exactly one entry, or returns undefined with `slot.reason` set. */
export function parseWhole(text: string, slot: EntrySlot): EntrySlot | undefined {
  const bytes = asciiBytes(text);
  const p = parseEntry(bytes, 0, bytes.length, slot);
  if (p === bytes.length && p > 0) return slot;
  if (p >= 0) slot.reason = 'text after the address';
  return undefined;
}

/** For messages: the text as JSON, so that control characters cannot reach a terminal, and cut. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
}

/**
 * Reads one IPv4 or IPv6 address, strictly. IPv4-mapped IPv6 becomes IPv4.
 * @throws BlocklistError `bad-address` for anything else: zones, `010.0.0.1`, `1.2.3`, `0x7f.1`, `3232235777`, blocks, blanks.
 */
export function parseAddress(text: string): Address {
  const slot = new EntrySlot();
  const entry = parseWhole(text, slot);
  if (entry === undefined || entry.length !== entry.family.bits || text.includes('/')) {
    const why = entry === undefined ? slot.reason : 'it is a block or a range';
    throw new BlocklistError('bad-address', `${quoted(text)} is not one address: ${why}`, {
      hint: 'write one address like 192.0.2.7 or 2001:db8::7',
    });
  }
  return { family: entry.family, words: entry.lo.slice(0, entry.family.words) };
}

/**
 * Reads an address or a CIDR block; `address/netmask` and `192.0.2.*` are blocks too. Host bits are cleared.
 * @throws BlocklistError `bad-prefix`, also for a range `a-b` (which may need several blocks: use IpSet.from).
 */
export function parsePrefix(text: string): Prefix {
  const slot = new EntrySlot();
  const entry = parseWhole(text, slot);
  if (entry === undefined || entry.length < 0) {
    const why = entry === undefined ? slot.reason : 'it is a range';
    throw new BlocklistError('bad-prefix', `${quoted(text)} is not an address or a CIDR block: ${why}`, {
      hint: 'write a block like 192.0.2.0/24 or 2001:db8::/32',
    });
  }
  return { family: entry.family, words: entry.lo.slice(0, entry.family.words), length: entry.length };
}
