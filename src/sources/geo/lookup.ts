import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import type { Address } from '../../ip/index.js';
import type { Answer, DatabaseContent, GeoKind } from './contract.js';
import { foundOnDisk } from './offline.js';
import { type DatabaseSpec, databaseSpecs, whereOf } from './specs.js';
import { countryOfLabel } from './table.js';

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

type Ask = (address: Address) => Answer | undefined;

/**
 * The databases of a configuration for questions about single addresses. Offline, only reads; `cache` is the folder of downloads.
 * @throws BlocklistError `bad-database`, `file-unreadable`: for whom this is an ornament, to be caught.
 */
export async function openGeo(config: Config, cache: string): Promise<GeoLookup> {
  const specs = databaseSpecs(config);
  const asksFor = async (kind: GeoKind) => {
    const asks = await Promise.all(specs[kind].map((spec) => askOf(spec, kind, join(cache, 'databases', spec.id))));
    return asks.filter((ask) => ask !== undefined);
  };
  const [countries, networks] = await Promise.all([asksFor('country'), asksFor('asn')]);
  return {
    countryOf: (address) => {
      const answer = firstOf(countries, address);
      return answer && countryOfLabel(answer.label);
    },
    networkOf: (address) => {
      const answer = firstOf(networks, address);
      return answer && { asn: answer.label, name: answer.name };
    },
  };
}

/** Of several databases the first one that knows an address. */
function firstOf(asks: readonly Ask[], address: Address): Answer | undefined {
  for (const ask of asks) {
    const answer = ask(address);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** A way to ask one database; undefined when it was never fetched. */
async function askOf(spec: DatabaseSpec, kind: GeoKind, folder: string): Promise<Ask | undefined> {
  const found = foundOnDisk(spec, folder);
  const content = await found.content();
  if (content !== undefined) return askContent(content, kind);
  const bytes = await found.body();
  if (bytes === undefined) return undefined;
  const { askDatabase, readDatabase } = await import('./reading.js');
  const ask = await askDatabase(spec.reading, bytes, kind, whereOf(spec));
  return ask ?? askContent(await readDatabase(spec.reading, bytes, whereOf(spec)), kind);
}

function askContent({ tables }: DatabaseContent, kind: GeoKind): Ask {
  const table = tables[kind];
  return ({ family, words }) => {
    const label = table?.of(family).at(words, 0);
    return label === undefined ? undefined : { label, name: table?.nameOf(label) ?? '' };
  };
}
