import { createRequire } from 'node:module';
import { BlocklistError } from '../../errors.js';
import { IpSet } from '../../ip/index.js';
import type { Loaded, Source } from '../contract.js';

/** The CC0 database that ships as a dependency; the combined file is complete where route-only data has holes. */
export function bundledCountryDatabase(): string {
  const require = createRequire(import.meta.url);
  return require.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb');
}

/** One source per country, all served by one walk over the database. `codes` are lower-case ISO 3166-1 codes. */
export function countrySources(codes: readonly string[], database: string): Source[] {
  let walked: Promise<Map<string, Loaded>> | undefined;
  return codes.map((code) => {
    const id = `country-${code}`;
    return {
      id,
      kind: 'country',
      direction: 'in',
      load: async () => {
        walked ??= walk(codes, database);
        const loaded = (await walked).get(code);
        if (loaded !== undefined) return loaded;
        throw new BlocklistError('source-empty', `the country database knows no network of '${code}'`, {
          where: database,
          hint: 'use the two letters of ISO 3166-1, for example gb and not uk',
        });
      },
    };
  });
}

async function walk(codes: readonly string[], file: string): Promise<Map<string, Loaded>> {
  // Only who blocks countries pays for the reader.
  const { CountryDatabase } = await import('./mmdb.js');
  const database = await CountryDatabase.open(file);
  const loaded = new Map<string, Loaded>();
  for (const [code, { set, networks }] of database.networksOf(codes)) {
    if (networks === 0) continue;
    loaded.set(code, {
      id: `country-${code}`,
      kind: 'country',
      direction: 'in',
      set,
      nodes: IpSet.empty,
      counts: { entries: networks, rejected: 0, hostBits: 0, samples: [] },
      date: database.built,
      state: 'fresh',
    });
  }
  return loaded;
}
