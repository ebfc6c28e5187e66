import { countriesOf } from '../../config/continents.js';
import type { Config } from '../../config/load.js';
import { BlocklistError } from '../../errors.js';
import { countRanges, IPV6, IpSet, specialPurpose } from '../../ip/index.js';
import type { Coverage, Loaded, Network, Source } from '../contract.js';
import type { Databases, OpenTable } from './databases.js';
import { type GeoTable, labelOfCountry } from './table.js';

/** What a source takes out of the table of its kind. */
interface Taken {
  readonly id: string;
  readonly kind: 'country' | 'asn';
  readonly label: number;
  /** Why it is wrong that the database does not know it; undefined when it is not. */
  readonly missing?: (where: string) => BlocklistError;
}

export const UNKNOWN_COUNTRY = 'country-unknown';
/** Unicast IPv6 is given out of 2000::/3 alone (RFC 4291 section 2.4, IANA): beyond it there is no country to be known. */
const IPV6_IN_USE = '2000::/3';

/** What a configuration names by what it is. */
interface GeoSources {
  readonly block: readonly Source[];
  /** who alone may connect; undefined: everybody */
  readonly only: readonly Source[] | undefined;
}

/** The countries and networks of a configuration, each a source, all served by one walk over the databases. */
export function geoSources({ sources }: Config, databases: Databases): GeoSources {
  const { countries, asns } = sources;
  const asn = asns.map((label): Taken => {
    const missing = (where: string) =>
      new BlocklistError('source-empty', `the database of networks knows no address of AS${label}`, {
        where,
        hint: 'see blocklist feeds asn NAME; a network that announces nothing has no addresses',
      });
    return { id: `asn-${label}`, kind: 'asn', label, missing };
  });
  const { unknown } = countries;
  const block = [
    ...countryTaken(countries.block, databases),
    ...(countries.only === undefined && unknown === 'drop' ? [unknownSource(databases)] : []),
    ...takenSources(asn, databases),
  ];
  const only = countries.only && [
    ...countryTaken(countries.only, databases),
    ...(unknown === 'pass' ? [unknownSource(databases)] : []),
  ];
  const fetchedWith = [...block, ...(only ?? []), ...databases.all].map(({ id }) => id);
  const together = (source: Source) => ({ ...source, fetchedWith });
  return { block: block.map(together), only: only?.map(together) };
}

function countryTaken(words: readonly string[], databases: Databases): Source[] {
  const taken = countriesOf(words).map(({ code, named }): Taken => {
    const missing = (where: string) =>
      new BlocklistError('source-empty', `the country database knows no network of '${code}'`, {
        where,
        hint: 'use the two letters of ISO 3166-1, for example gb and not uk',
      });
    const label = labelOfCountry(code) ?? 0;
    return { id: `country-${code}`, kind: 'country', label, ...(named === 'itself' ? { missing } : {}) };
  });
  return takenSources(taken, databases);
}

function takenSources(taken: readonly Taken[], databases: Databases): Source[] {
  const labels = taken.map(({ label }) => label);
  let walked: ReturnType<typeof walk> | undefined;
  return taken.map(({ id, kind, label, missing }) => ({
    id,
    kind,
    direction: 'in',
    load: async (network) => {
      walked ??= walk(kind, labels, databases, network);
      const { open, sets, before, allocated } = await walked;
      const entries = open.table.networksOf(label);
      if (entries === 0 && missing !== undefined) throw missing(open.where);
      const set = sets.get(label) ?? IpSet.empty;
      const was = before?.get(label);
      return {
        ...loadedOf(id, kind, set, entries, open),
        coverage: coverageOf(set, allocated),
        ...(was && { before: was }),
      };
    },
  }));
}

async function walk(kind: Taken['kind'], labels: readonly number[], databases: Databases, network: Network) {
  const [open, country] = await Promise.all([databases.tableOf(kind, network), databases.tableOf('country', network)]);
  return {
    open,
    sets: open.table.setsOf(labels),
    before: open.before?.setsOf(labels),
    allocated: allocatedIn(country.table),
  };
}

function unknownSource(databases: Databases): Source {
  return {
    id: UNKNOWN_COUNTRY,
    kind: 'country',
    direction: 'in',
    load: async (network) => {
      const open = await databases.tableOf('country', network);
      const set = unknownTo(open.table);
      const was = open.before && unknownTo(open.before);
      const entries = set.v4.size + set.v6.size;
      // What no country has is no part of what countries have: there is no share of IPv6 to tell.
      const coverage = { v4: set.v4.share() };
      return { ...loadedOf(UNKNOWN_COUNTRY, 'country', set, entries, open), coverage, ...(was && { before: was }) };
    },
  };
}

/** Addresses that ordinary hosts may have and that no country does. */
export function unknownTo(table: GeoTable): IpSet {
  const unknown = table.all().complement().subtract(specialPurpose());
  return IpSet.of(unknown.v4, unknown.v6.intersect(IpSet.from([IPV6_IN_USE]).v6));
}

function loadedOf(
  id: string,
  kind: Taken['kind'],
  set: IpSet,
  entries: number,
  { date, state, problem }: OpenTable,
): Loaded {
  return {
    id,
    kind,
    direction: 'in',
    set,
    nodes: IpSet.empty,
    counts: { entries, rejected: 0, hostBits: 0, samples: [] },
    date,
    state,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** How many IPv6 addresses the country database gives to any country. */
function allocatedIn(table: GeoTable): number {
  const { lo, hi } = table.columns.v6;
  return Number(countRanges(IPV6, lo, hi));
}

function coverageOf({ v4, v6 }: IpSet, allocated: number): Coverage {
  return { v4: v4.share(), v6: allocated === 0 ? 0 : Number(v6.count()) / allocated };
}
