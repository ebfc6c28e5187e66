import { BlocklistError } from '../../../errors.js';
import { IPV4, parseAddress, type RejectReason } from '../../../ip/index.js';

/** A line of the statistics of the regional registries that is about addresses somebody has. */
export interface DelegatedRow {
  /** two letters, upper case; empty where the registry names none */
  readonly country: string;
  readonly type: 'ipv4' | 'ipv6';
  readonly start: string;
  /** ipv4: a number of addresses, not always a power of two; ipv6: a prefix length */
  readonly value: string;
}

/**
 * Reads a line of the RIR statistics exchange format, `registry|cc|type|start|value|date|status`: undefined for what is no entry (comments, version
 * and summary lines, AS numbers, what nobody has).
 */
export function delegatedRow(line: string): DelegatedRow | RejectReason | undefined {
  if (line.startsWith('#')) return undefined;
  const text = line.trim();
  const [, country = '', type = '', start = '', value = '', , status = ''] = text.split('|');
  // The version line begins with a number; summary lines have a star for the country.
  if (/^[\d.]+\|/.test(text) || text.endsWith('|summary') || type === 'asn') return undefined;
  if (status === 'available' || status === 'reserved') return undefined;
  if (type !== 'ipv4' && type !== 'ipv6') return 'missing field';
  return { country, type, start, value };
}

/** First and last address of an ipv4 row. */
export function v4Range({ start, value }: DelegatedRow): readonly [first: number, last: number] | RejectReason {
  const first = addressWord(start);
  if (first === undefined) return 'not an address';
  const last = /^[1-9]\d{0,9}$/.test(value) ? first + Number(value) - 1 : Number.POSITIVE_INFINITY;
  return last > 0xffffffff ? 'bad count' : [first, last];
}

function addressWord(text: string): number | undefined {
  try {
    const { family, words } = parseAddress(text);
    return family === IPV4 ? words[0] : undefined;
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
