import { join } from 'node:path';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { FileLooker } from '../io/read.js';
import { entryOf, IpSet, type Prefix, partIn, widened } from '../ip/index.js';
import { bansHolding } from './bans/ban-holding.js';
import type { Density } from './contract.js';
import type { GeoKind } from './geo/contract.js';
import { geoHolding, noDatabase } from './geo/geo-holding.js';
import type { GeoLookup } from './geo/lookup.js';
import type { Holding, NamedSource, Unread } from './holding.js';
import { type KeptPlace, keptList, type SpecOf } from './kept-list.js';
import type { ListSpec } from './list-source.js';

export interface HoldingEnvironment {
  /** folder of downloaded lists */
  readonly cache: string;
  /** folder of what the nightly update knows */
  readonly state: string;
  /** what questions will be about, with the nets around it by which density may judge */
  readonly regions: IpSet;
  readonly geo: () => Promise<GeoLookup>;
  /** single addresses are asked of databases; for wider blocks countries and networks are made sets, which takes as long as a build */
  readonly asked: 'addresses' | 'blocks';
}

/** What these sources hold, as the last update left it, in their order. What cannot be looked into is named apart. */
export async function holdingsOf(
  sources: readonly NamedSource[],
  config: Config,
  environment: HoldingEnvironment,
): Promise<{ readonly held: readonly Holding[]; readonly unread: readonly Unread[] }> {
  const open = opener(sources, config, environment);
  const held: Holding[] = [];
  const unread: Unread[] = [];
  for (const source of sources) {
    try {
      held.push(await open(source));
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      unread.push({ id: source.id, problem });
    }
  }
  return { held, unread };
}

/** The way to look into a source of each kind. */
function opener(
  sources: readonly NamedSource[],
  config: Config,
  environment: HoldingEnvironment,
): (source: NamedSource) => Promise<Holding> {
  const densities = densitiesOf(config);
  const kept = placeOf('sources', config, environment);
  const list = (source: NamedSource) => keptList(source, densities.get(source.id), kept);
  const places = { ...kept.folders, cache: join(environment.cache, 'bans'), regions: environment.regions };
  const bans = (source: NamedSource) => bansHolding(source, places);
  const setsOf = setsOnce(sources, config, environment);
  const located = (kind: GeoKind) => async (source: NamedSource) => {
    if (environment.asked === 'addresses') return geoHolding(source, await environment.geo());
    const set = (await setsOf(kind))?.get(source.id);
    if (set === undefined) throw noDatabase(kind, source.id);
    return placeHolding(source, set);
  };
  const ways = { feed: list, file: list, country: located('country'), asn: located('asn'), bans };
  return (source) => ways[source.kind](source);
}

/** The countries or networks among the sources, all out of one walk. */
function setsOnce(sources: readonly NamedSource[], config: Config, { cache }: HoldingEnvironment) {
  const walked: { [Kind in GeoKind]?: Promise<ReadonlyMap<string, IpSet> | undefined> } = {};
  return (kind: GeoKind) => {
    const ids = () => sources.filter((source) => source.kind === kind).map(({ id }) => id);
    walked[kind] ??= import('./geo/places-of.js').then(({ placesOf }) => placesOf(kind, ids(), config, cache));
    return walked[kind];
  };
}

/** The lists under `allow.feeds`. */
export async function allowedLists(
  config: Config,
  environment: Pick<HoldingEnvironment, 'cache' | 'state' | 'regions'>,
): Promise<{ readonly held: readonly Holding[]; readonly unread: readonly Unread[] }> {
  const kept = placeOf('allow', config, environment);
  const held: Holding[] = [];
  const unread: Unread[] = [];
  for (const entry of config.allow.feeds) {
    const id = typeof entry === 'string' ? entry : entry.id;
    try {
      held.push(await keptList({ id, kind: 'feed', direction: 'both' }, undefined, kept));
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      unread.push({ id, problem });
    }
  }
  return { held, unread };
}

function placeOf(
  use: 'sources' | 'allow',
  config: Config,
  { cache, state, regions }: Pick<HoldingEnvironment, 'cache' | 'state' | 'regions'>,
): KeptPlace {
  const folders = { cache: join(cache, use), seen: join(state, 'seen') };
  return { folders, specOf: specsOnce(config, use), regions, looker: new FileLooker() };
}

/** The blocks, and the nets around them that a density rule of the configuration looks at. */
export function regionsOf(blocks: readonly Prefix[], config: Config): IpSet {
  const rules = [
    ...densitiesOf(config).values(),
    ...(config.sources.density === undefined ? [] : [config.sources.density]),
  ];
  const widest = (version: 4 | 6) =>
    Math.min(...rules.map((rule) => (version === 4 ? rule.v4 : rule.v6)?.prefix ?? 128));
  const lengths = { 4: widest(4), 6: widest(6) };
  return IpSet.from(blocks.map((block) => widened(block, lengths[block.family.version])));
}

function densitiesOf({ sources: { feeds, custom } }: Config): ReadonlyMap<string, Density> {
  const rules = [...feeds, ...custom].flatMap((entry) =>
    typeof entry === 'string' || entry.density === undefined ? [] : [[entry.id, entry.density] as const],
  );
  return new Map(rules);
}

/** The catalogue is read only for a list whose parsed form is not there. */
function specsOnce(config: Config, use: 'sources' | 'allow'): SpecOf {
  let read: Promise<readonly ListSpec[]> | undefined;
  return async (id) => {
    read ??= specsOf(config, use);
    return (await read).find((spec) => spec.id === id);
  };
}

async function specsOf(config: Config, use: 'sources' | 'allow'): Promise<readonly ListSpec[]> {
  const [{ allowFeeds, blockFeeds, customSpecs }, { readCatalogue }] = await Promise.all([
    import('./configured.js'),
    import('./feeds/catalogue.js'),
  ]);
  const catalogue = await readCatalogue();
  if (use === 'allow') return allowFeeds(config, catalogue);
  return [...(await blockFeeds(config, catalogue)), ...(await customSpecs(config))];
}

function placeHolding({ id, kind, direction }: NamedSource, set: IpSet): Holding {
  return {
    id,
    kind,
    direction,
    partOf: (block) => {
      const part = partIn(set, block);
      return part.isEmpty ? undefined : { set: part, nodes: IpSet.empty };
    },
    entryOf: (block) => entryOf(set, block),
    daysOf: () => undefined,
    detailsOf: () => [],
  };
}
