import { join } from 'node:path';
import type { Config } from '../../config/load.js';
import type { Address } from '../../ip/index.js';
import type { Answer, GeoKind } from './contract.js';
import { foundOnDisk } from './offline.js';
import { type DatabaseSpec, databaseSpecs, whereOf } from './specs.js';
import { countryOfLabel } from './table.js';
import { lookAtTable, type TableLook } from './table-look.js';

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
  /** whether the databases of a kind are there to be asked: some are configured, and each is on this host */
  has(kind: GeoKind): boolean;
  /** Closes the files; who ends anyway need not. */
  close(): void;
}

/** One database, open. */
type Asked = TableLook;

/**
 * The databases of a configuration for questions about single addresses. Offline, only reads; `cache` is the folder of downloads.
 * @throws BlocklistError `bad-database`, `file-unreadable`: for whom this is an ornament, to be caught.
 */
export async function openGeo(config: Config, cache: string): Promise<GeoLookup> {
  const specs = databaseSpecs(config);
  const openAll = async (kind: GeoKind) => {
    const opened = await Promise.all(specs[kind].map((spec) => openOne(spec, kind, join(cache, 'databases', spec.id))));
    return opened.filter((each) => each !== undefined);
  };
  const [countries, networks] = await Promise.all([openAll('country'), openAll('asn')]);
  const opened = { country: countries, asn: networks };
  const [askCountry, askNetwork] = [firstOf(countries), firstOf(networks)];
  return {
    countryOf: (address) => {
      const answer = askCountry(address);
      return answer && countryOfLabel(answer.label);
    },
    networkOf: (address) => {
      const answer = askNetwork(address);
      return answer && { asn: answer.label, name: answer.name };
    },
    has: (kind) => specs[kind].length > 0 && opened[kind].length === specs[kind].length,
    close: () => {
      for (const each of [...countries, ...networks]) each.close();
    },
  };
}

/**
 * Of several databases the first one that knows an address. The last answer is kept: two hundred sources that are countries and networks ask for one
 * address after the other.
 */
function firstOf(opened: readonly Asked[]): (address: Address) => Answer | undefined {
  let asked: Uint32Array | undefined;
  let answer: Answer | undefined;
  return (address) => {
    if (address.words === asked) return answer;
    answer = undefined;
    for (let i = 0; i < opened.length && answer === undefined; i++) answer = opened[i]!.ask(address);
    asked = address.words;
    return answer;
  };
}

/** A way to ask one database; undefined when it was never fetched. */
async function openOne(spec: DatabaseSpec, kind: GeoKind, folder: string): Promise<Asked | undefined> {
  const found = foundOnDisk(spec, folder);
  const parsed = await found.parsed();
  const look = parsed && lookAtTable(parsed.path, parsed.key, kind);
  if (look !== undefined) return look;
  const bytes = await found.body();
  if (bytes === undefined) return undefined;
  const { askDatabase, readDatabase } = await import('./reading.js');
  const ask = await askDatabase(spec.reading, bytes, kind, whereOf(spec));
  if (ask !== undefined) return { ask, close: () => undefined };
  const table = (await readDatabase(spec.reading, bytes, whereOf(spec))).tables[kind];
  return {
    ask: ({ family, words }) => {
      const label = table?.of(family).at(words, 0);
      return label === undefined ? undefined : { label, name: table?.nameOf(label) ?? '' };
    },
    close: () => undefined,
  };
}
