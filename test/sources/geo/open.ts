import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../../src/config/load.js';
import type { Address, IpSet } from '../../../src/ip/index.js';
import type { Source } from '../../../src/sources/contract.js';
import type { GeoKind } from '../../../src/sources/geo/contract.js';
import { askDatabase, readDatabase } from '../../../src/sources/geo/reading.js';
import { countryOfLabel, labelOfCountry } from '../../../src/sources/geo/table.js';
import { type Configured, configuredSources } from '../../../src/sources/index.js';
import { environmentAt, NOON } from '../specs.js';

/** How a database of one kind is read without any limit of a configuration. */
export function readingOf(...kinds: GeoKind[]) {
  return { kinds, maxBytes: 1 << 30, maxRejects: 0.05 };
}

/** A country database that is a file, read and asked. */
export async function openCountries(file: string) {
  const body = await readFile(file);
  const content = await readDatabase(readingOf('country'), body, file);
  const table = content.tables.country!;
  const ask = await askDatabase(readingOf('country'), body, 'country', file);
  return {
    built: content.built,
    networksOf: (codes: readonly string[]): Map<string, { set: IpSet; networks: number }> => {
      const sets = table.setsOf(codes.map((code) => labelOfCountry(code)!));
      return new Map(
        codes.map((code) => {
          const label = labelOfCountry(code)!;
          return [code, { set: sets.get(label)!, networks: table.networksOf(label) }];
        }),
      );
    },
    countryOf: (address: Address) => {
      const answer = ask?.(address);
      return answer && countryOfLabel(answer.label);
    },
  };
}

/** The sources and databases of a configuration in a folder, with nothing fetched before. */
export async function configuredAt(yaml: string, folder: string, now = NOON): Promise<Configured> {
  const { fetcher, progress } = await environmentAt(join(folder, 'cache'), now);
  const place = { cache: join(folder, 'cache'), state: join(folder, 'state'), accepted: new Set<string>() };
  const config = parseConfig(yaml, join(folder, 'blocklist.yaml'));
  return configuredSources(config, { ...place, now: () => now, fetcher, progress });
}

/** One source for each country, from a database that is a file. */
export async function countrySources(
  codes: readonly string[],
  file: string,
  folder: string,
): Promise<readonly Source[]> {
  const geo = { country: file, 'max-age': '9999d' };
  return (await configuredAt(JSON.stringify({ geo, sources: { countries: { block: codes } } }), folder)).block;
}
