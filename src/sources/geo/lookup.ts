import type { Config } from '../../config/load.js';
import type { Address } from '../../ip/index.js';
import { bundledCountryDatabase } from './country-source.js';

/** A network of the internet, by its number in the routing system: RFC 1930. */
export interface Network {
  /** 1…4294967295 */
  readonly asn: number;
  /** of the organisation, as the database writes it: escape it before it is shown */
  readonly name: string;
}

/** What the databases of this host say about one address. */
export interface GeoLookup {
  /** lower-case ISO 3166-1 code; undefined when the database knows none */
  countryOf(address: Address): string | undefined;
  /** undefined when the database knows none, when no database is configured, or when it was never fetched */
  networkOf(address: Address): Network | undefined;
}

/**
 * The databases of a configuration for questions about single addresses. Offline, only reads; `cache` is the folder of downloads.
 * @throws BlocklistError `bad-database`, `file-unreadable`: for whom this is an ornament, to be caught.
 */
export async function openGeo(config: Config, _cache: string): Promise<GeoLookup> {
  const { CountryDatabase } = await import('./mmdb.js');
  const countries = await CountryDatabase.open(config.paths['country-database'] ?? bundledCountryDatabase());
  return { countryOf: (address) => countries.countryOf(address), networkOf: () => undefined };
}
