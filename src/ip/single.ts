import { BlocklistError } from '../errors.js';
import type { Prefix } from './family.js';
import { formatPrefix } from './format.js';
import { parseAddress } from './parse.js';

/**
 * One address as other programs print it, as a prefix of full length; a zone (`fe80::1%eth0`, RFC 4007 section 11) is left out, since
 * sets of the firewall have none. IPv4-mapped IPv6 becomes IPv4. Undefined for anything else.
 */
export function singleAddress(text: string): Prefix | undefined {
  const zone = text.indexOf('%');
  try {
    const { family, words } = parseAddress(zone > 0 ? text.slice(0, zone) : text);
    return { family, words, length: family.bits };
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

/** The same in canonical form (RFC 5952). */
export function canonicalAddress(text: string): string | undefined {
  const found = singleAddress(text);
  return found && formatPrefix(found);
}
