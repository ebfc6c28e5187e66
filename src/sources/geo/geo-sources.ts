import type { Config } from '../../config/load.js';
import { BlocklistError } from '../../errors.js';
import { countRanges, IPV6, IpSet } from '../../ip/index.js';
import type { Coverage, Loaded, Network, Source } from '../contract.js';
import type { Databases, OpenTable } from './databases.js';
import { type NamedPlace, namedCountries, namedNetworks } from './named-places.js';
import { requireBothFamilies, UNKNOWN_COUNTRY, unknownTo } from './unknown.js';

/** What a configuration names by what it is. */
interface GeoSources {
  readonly block: readonly Source[];
  /** who alone may connect; undefined: everybody */
  readonly only: readonly Source[] | undefined;
}

/** The countries and networks of a configuration, each a source, all served by one walk over the databases. */
export function geoSources({ sources: { countries, asns } }: Config, databases: Databases): GeoSources {
  const { unknown } = countries;
  const block = [
    ...placeSources(namedCountries(countries.block), databases),
    ...(countries.only === undefined && unknown === 'drop' ? [unknownSource(databases)] : []),
    ...placeSources(namedNetworks(asns), databases),
  ];
  const only = countries.only && [
    ...placeSources(namedCountries(countries.only), databases),
    ...(unknown === 'pass' ? [unknownSource(databases)] : []),
  ];
  const fetchedWith = [...block, ...(only ?? []), ...databases.all].map(({ id }) => id);
  const together = (source: Source) => ({ ...source, fetchedWith });
  return { block: block.map(together), only: only?.map(together) };
}

/** Sources of one kind. */
function placeSources(places: readonly NamedPlace[], databases: Databases): Source[] {
  let walked: ReturnType<typeof walk> | undefined;
  return places.map((place) => ({
    id: place.id,
    kind: place.kind,
    direction: 'in',
    load: async (network) => {
      const { id, kind, label, named } = place;
      walked ??= walk(kind, places, databases, network);
      const { open, sets, before, allocated } = await walked;
      const set = sets.get(label) ?? IpSet.empty;
      // Its networks may all be those that contradict another, or that a database before this one gives to somebody else.
      if (set.isEmpty && named === 'itself') throw notKnown(place, open.where);
      const was = before?.get(label);
      return {
        ...loadedOf(id, kind, set, open.table.networksOf(label), open),
        coverage: coverageOf(set, allocated),
        ...(was && { before: was }),
      };
    },
  }));
}

function notKnown({ id, kind, label }: NamedPlace, where: string): BlocklistError {
  if (kind === 'asn') {
    return new BlocklistError('source-empty', `the database of networks knows no address of AS${label}`, {
      where,
      hint: 'see blocklist feeds asn NAME; a network that announces nothing has no addresses',
    });
  }
  const code = id.slice('country-'.length);
  return new BlocklistError('source-empty', `the country database knows no network of '${code}'`, {
    where,
    hint:
      code === 'zz'
        ? 'whether addresses without a country pass or drop is countries.unknown'
        : 'use the two letters of ISO 3166-1, for example gb and not uk',
  });
}

async function walk(kind: NamedPlace['kind'], places: readonly NamedPlace[], databases: Databases, network: Network) {
  const [open, allocated] = await Promise.all([databases.tableOf(kind, network), allocatedBy(databases, network)]);
  const labels = places.map(({ label }) => label);
  return { open, sets: open.table.setsOf(labels), before: open.before?.setsOf(labels), allocated };
}

function unknownSource(databases: Databases): Source {
  return {
    id: UNKNOWN_COUNTRY,
    kind: 'country',
    direction: 'in',
    load: async (network) => {
      const open = await databases.tableOf('country', network);
      requireBothFamilies(open.table, open.where);
      const set = unknownTo(open.table);
      const was = open.before && unknownTo(open.before);
      const entries = set.v4.size + set.v6.size;
      // What no country has is no part of what countries have: there is no share of IPv6 to tell.
      const coverage = { v4: set.v4.share() };
      return { ...loadedOf(UNKNOWN_COUNTRY, 'country', set, entries, open), coverage, ...(was && { before: was }) };
    },
  };
}

function loadedOf(
  id: string,
  kind: NamedPlace['kind'],
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

/** How many IPv6 addresses the country database gives to any country; undefined when it cannot be read, which takes no network away. */
async function allocatedBy(databases: Databases, network: Network): Promise<number | undefined> {
  try {
    const { lo, hi } = (await databases.tableOf('country', network)).table.columns.v6;
    return Number(countRanges(IPV6, lo, hi));
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

function coverageOf({ v4, v6 }: IpSet, allocated: number | undefined): Coverage {
  if (allocated === undefined) return { v4: v4.share() };
  return { v4: v4.share(), v6: allocated === 0 ? 0 : Number(v6.count()) / allocated };
}
