import { escapeText } from '../io/escape.js';
import { addressCount, grouped } from '../io/figures.js';
import { table } from '../io/table.js';
import type { FoundNetwork } from '../sources/geo/find.js';

/** Networks that were looked for by name. */

/** Addresses in a /48, which is what one site gets (RFC 6177): IPv6 is compared by it. */
const SITE = 2n ** 80n;

export function networksText(words: readonly string[], found: readonly FoundNetwork[]): string {
  const columns = [
    { title: 'network' },
    { title: 'name' },
    { title: 'country' },
    { title: 'IPv4 prefixes', align: 'right' },
    { title: 'addresses', align: 'right' },
    { title: 'IPv6 prefixes', align: 'right' },
    { title: '/48s', align: 'right' },
  ] as const;
  const rows = found.map(({ asn, name, country, prefixes, addresses }) => [
    `AS${asn}`,
    name,
    country ?? '',
    grouped(prefixes.v4),
    grouped(addresses.v4),
    grouped(prefixes.v6),
    sites(addresses.v6),
  ]);
  return `${table(columns, rows)}\n${pasteLine(words, found)}\n`;
}

/** In /48s, rounded; `< 1` for what is smaller. */
function sites(addresses: bigint): string {
  if (addresses === 0n) return '0';
  const count = (addresses + SITE / 2n) / SITE;
  return count === 0n ? '< 1' : addressCount(count);
}

/** A line for `sources:` in the configuration. */
function pasteLine(words: readonly string[], found: readonly FoundNetwork[]): string {
  const numbers = found.map(({ asn }) => `AS${asn}`).join(', ');
  const total = found.reduce((sum, { addresses }) => sum + addresses.v4, 0);
  const what = `${found.length} ${found.length === 1 ? 'network' : 'networks'}, ${grouped(total)} IPv4 addresses`;
  return `asns: [${numbers}]   # ${escapeText(words.join(' '))}: ${what}`;
}

/** The same as data. Counts of addresses are strings: IPv6 leaves the range of JSON numbers. */
export function networksJson(words: readonly string[], found: readonly FoundNetwork[]): object {
  return {
    schema: 'blocklist/networks',
    version: 1,
    words,
    networks: found.map(({ asn, name, country, prefixes, addresses }) => ({
      asn,
      name,
      country: country ?? null,
      prefixes,
      addresses: { v4: String(addresses.v4), v6: String(addresses.v6) },
    })),
  };
}
