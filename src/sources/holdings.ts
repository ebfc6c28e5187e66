import { join } from 'node:path';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { FileLooker } from '../io/read.js';
import { entryOf, IpSet, type Prefix, partIn, widened } from '../ip/index.js';
import { bansHolding } from './bans/ban-holding.js';
import type { Density, Loaded } from './contract.js';
import { geoHolding } from './geo/geo-holding.js';
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
  /** single addresses are asked of databases; for wider blocks sources that are no lists are made sets, which takes as long as a build */
  readonly asked: 'addresses' | 'blocks';
  /** the sources of these ids as a build has them */
  readonly load: (ids: readonly string[]) => Promise<readonly (Loaded | Unread)[]>;
}

/** What these sources hold, as the last update left it, in their order. What cannot be looked into is named apart. */
export async function holdingsOf(
  sources: readonly NamedSource[],
  config: Config,
  environment: HoldingEnvironment,
): Promise<{ readonly held: readonly Holding[]; readonly unread: readonly Unread[] }> {
  const open = opener(config, environment);
  const whole = environment.asked === 'addresses' ? [] : sources.filter(isPlace).map(({ id }) => id);
  const loaded = whole.length === 0 ? [] : await environment.load(whole);
  const held: Holding[] = [];
  const unread: Unread[] = [];
  for (const source of sources) {
    try {
      if (!whole.includes(source.id)) {
        held.push(await open(source));
        continue;
      }
      const found = loaded.find(({ id }) => id === source.id) ?? { id: source.id, problem: notConfigured(source) };
      if ('set' in found) held.push(loadedHolding(source, found));
      else unread.push(found);
    } catch (problem) {
      if (!(problem instanceof BlocklistError)) throw problem;
      unread.push({ id: source.id, problem });
    }
  }
  return { held, unread };
}

function isPlace({ kind }: NamedSource): boolean {
  return kind === 'country' || kind === 'asn';
}

function notConfigured({ id }: NamedSource): BlocklistError {
  return new BlocklistError('source-never-fetched', 'the rules hold it, the configuration names it no more', {
    where: id,
    hint: 'run: blocklist build',
  });
}

/** The way to look into a source of each kind. */
function opener(config: Config, environment: HoldingEnvironment): (source: NamedSource) => Promise<Holding> {
  const densities = densitiesOf(config);
  const kept = placeOf('sources', config, environment);
  const list = (source: NamedSource) => keptList(source, densities.get(source.id), kept);
  const places = { ...kept.folders, cache: join(environment.cache, 'bans'), regions: environment.regions };
  const bans = (source: NamedSource) => bansHolding(source, places);
  const located = async (source: NamedSource) => geoHolding(source, await environment.geo());
  const ways = { feed: list, file: list, country: located, asn: located, bans };
  return (source) => ways[source.kind](source);
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

function loadedHolding({ id, kind, direction }: NamedSource, { set, nodes, density }: Loaded): Holding {
  return {
    id,
    kind,
    direction,
    density,
    partOf: (block) => {
      const part = partIn(set, block);
      return part.isEmpty ? undefined : { set: part, nodes: partIn(nodes, block) };
    },
    entryOf: (block) => entryOf(set, block),
    daysOf: () => undefined,
    detailsOf: () => [],
  };
}
