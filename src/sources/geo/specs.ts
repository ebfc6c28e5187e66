import { createRequire } from 'node:module';
import type { DatabaseEntry } from '../../config/geo-schema.js';
import type { Config } from '../../config/load.js';
import type { ListRequest } from '../fetcher.js';
import { requestOf, type UrlEntry } from '../request.js';
import type { GeoKind } from './contract.js';
import type { DatabaseReading } from './judge.js';

/** The databases that a configuration names, and how each is read. */

/** Where a database comes from; bundled: a file that npm updates, if at all. */
export type DatabaseOrigin =
  | { readonly kind: 'file' | 'bundled'; readonly path: string }
  | { readonly kind: 'url'; readonly entry: UrlEntry };

export interface DatabaseSpec {
  /** `geo-country`, `geo-asn`, `geo-country-2`: name in output, and of its folder in the cache */
  readonly id: string;
  readonly origin: DatabaseOrigin;
  readonly reading: DatabaseReading;
}

export type DatabaseSpecs = Readonly<Record<GeoKind, readonly DatabaseSpec[]>>;

const KINDS: readonly GeoKind[] = ['country', 'asn'];

/** The databases of each kind, in their order. One that is named for both kinds is one database: it is fetched once. */
export function databaseSpecs(config: Config): DatabaseSpecs {
  const made = new Map<string, DatabaseSpec>();
  const named = { country: config.geo.country ?? ['bundled' as const], asn: config.geo.asn ?? [] };
  const specOf = (entry: DatabaseEntry | 'bundled', id: string) => {
    const key = JSON.stringify(entry);
    const kinds = KINDS.filter((kind) => named[kind].some((each) => JSON.stringify(each) === key));
    const spec = made.get(key) ?? databaseSpec(config, entry, id, kinds);
    made.set(key, spec);
    return spec;
  };
  const specsOf = (kind: GeoKind) =>
    named[kind].map((entry, i) => specOf(entry, i === 0 ? `geo-${kind}` : `geo-${kind}-${i + 1}`));
  return { country: specsOf('country'), asn: specsOf('asn') };
}

/**
 * How each database that is an address is asked for, by its id.
 * @throws BlocklistError `config-invalid`, `source-key` for a key that cannot be used
 */
export async function databaseRequests(config: Config): Promise<ReadonlyMap<string, ListRequest>> {
  const { country, asn } = databaseSpecs(config);
  const requests = [...new Set([...country, ...asn])].map(async ({ id, origin }) =>
    origin.kind === 'url' ? [[id, await requestOf(config, id, origin.entry)] as const] : [],
  );
  return new Map((await Promise.all(requests)).flat());
}

function databaseSpec(
  config: Config,
  entry: DatabaseEntry | 'bundled',
  id: string,
  kinds: readonly GeoKind[],
): DatabaseSpec {
  if (entry === 'bundled') return { ...bundledSpec(config, kinds), id };
  const maxRejects = config.guards['max-rejects'];
  const { member } = entry;
  const reading = { kinds, maxBytes: entry['max-bytes'], maxRejects, ...(member === undefined ? {} : { member }) };
  if ('file' in entry) return { id, origin: { kind: 'file', path: entry.file }, reading };
  return { id, origin: { kind: 'url', entry }, reading };
}

/** The database of countries that ships with the program. */
export function bundledSpec(config: Config, kinds: readonly GeoKind[]): DatabaseSpec {
  return {
    id: 'geo-country',
    origin: { kind: 'bundled', path: bundledCountryDatabase() },
    reading: { kinds, maxBytes: 2 ** 28, maxRejects: config.guards['max-rejects'] },
  };
}

/** The CC0 database that ships as a dependency; the combined file is complete where route-only data has holes. */
export function bundledCountryDatabase(): string {
  const require = createRequire(import.meta.url);
  return require.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb');
}

/** Path or address, for messages. */
export function whereOf({ origin }: DatabaseSpec): string {
  return origin.kind === 'url' ? origin.entry.url : origin.path;
}

/** Name of the way of reading: what was read in another way is read again. The limits are no part of it, they judge what was read. */
export function readingKey({ reading: { kinds, member } }: DatabaseSpec): string {
  return JSON.stringify({ kinds, member });
}
