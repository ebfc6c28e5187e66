import { BlocklistError } from '../../../errors.js';
import { IPV4, parseAddress } from '../../../ip/index.js';
import { lineFormat } from './text.js';

/**
 * The statistics of the regional registries (RIR statistics exchange format): `registry|cc|type|start|value|date|status`. The value of an
 * ipv4 row is a number of addresses, not always a power of two; of an ipv6 row a prefix length.
 */
export const delegated = lineFormat(
  'delegated',
  'RIR statistics, registry|cc|type|start|value|date|status; countries: keeps only these',
  ({ countries }, entries) => {
    const wanted = countries && new Set(countries.map((code) => code.toUpperCase()));
    return (line) => {
      if (line.startsWith('#')) return;
      const [, country = '', type = '', start = '', value = '', , status = ''] = line.trim().split('|');
      // The version line begins with a number; summary lines have a star for the country.
      if (/^[\d.]+\|/.test(line) || line.trim().endsWith('|summary') || type === 'asn') return;
      if (status === 'available' || status === 'reserved') return;
      if (type !== 'ipv4' && type !== 'ipv6') return entries.reject('missing field', line);
      if (country === '' || (wanted !== undefined && !wanted.has(country))) return entries.leaveOut();
      if (type === 'ipv6') {
        if (!start.includes(':')) return entries.reject('not an address', line);
        return entries.takeText(`${start}/${value}`, line);
      }
      const first = addressWord(start);
      if (first === undefined) return entries.reject('not an address', line);
      const last = /^[1-9]\d{0,9}$/.test(value) ? first + Number(value) - 1 : Number.POSITIVE_INFINITY;
      if (last > 0xffffffff) return entries.reject('bad count', line);
      entries.takeRange(first, last, line);
    };
  },
);

function addressWord(text: string): number | undefined {
  try {
    const { family, words } = parseAddress(text);
    return family === IPV4 ? words[0] : undefined;
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
