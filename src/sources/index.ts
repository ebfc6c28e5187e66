import { join } from 'node:path';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { banSources } from './bans/index.js';
import { allowFeeds, blockFeeds, customSpecs } from './configured.js';
import type { Loaded, Network, Source } from './contract.js';
import type { SourceEnvironment } from './environment.js';
import { readCatalogue } from './feeds/catalogue.js';
import type { Database } from './geo/database.js';
import { Databases } from './geo/databases.js';
import { geoSources } from './geo/geo-sources.js';
import { namedPlaces } from './geo/named-places.js';
import { databaseRequests, databaseSpecs } from './geo/specs.js';
import { type ListSpec, listSource } from './list-source.js';
import { networksBy } from './networks.js';

/** What a configuration names: what is to be blocked, and what is never to be. */
export interface Configured {
  readonly block: readonly Source[];
  readonly allow: readonly Source[];
  /** who alone may connect; undefined: everybody */
  readonly only: readonly Source[] | undefined;
  /** those from addresses are to be kept current also when no source asks for them, since persons do */
  readonly databases: readonly Database[];
  /** files that no source asks for */
  readonly unasked: readonly Database[];
}

/** The sources of a configuration, in its order. @throws BlocklistError `config-invalid` for a feed that cannot be used. */
export async function configuredSources(config: Config, environment: SourceEnvironment): Promise<Configured> {
  const { profile, feeds } = config.sources;
  const isAsked = profile !== undefined || feeds.length > 0 || config.allow.feeds.length > 0;
  const catalogue = isAsked ? await readCatalogue() : { version: 2 as const, profiles: {}, feeds: [], dead: [] };
  const { cache, state, now, fetcher, progress, accepted } = environment;
  const made = (folder: 'sources' | 'allow') => (spec: ListSpec) =>
    listSource(spec, {
      cache: join(cache, folder),
      seen: join(state, 'seen'),
      now,
      fetcher,
      progress,
      change: accepted.has(spec.id) ? 'accept' : 'judge',
    });
  const lists = [...(await blockFeeds(config, catalogue)), ...(await customSpecs(config))];
  const databases = await databasesOf(config, environment);
  const { block: places, only } = geoSources(config, databases);
  const bans = await banSources(config, { ...environment, networksOf: networksBy(config, databases) });
  const block = [...lists.map(made('sources')), ...places, ...bans];
  const allow = (await allowFeeds(config, catalogue)).map(made('allow'));
  const isUsed = [...block, ...(only ?? [])].some(({ fetchedWith }) => fetchedWith !== undefined);
  const named = databases.all.filter(({ isFetched }) => isFetched || isUsed);
  const known = [...block, ...allow, ...(only ?? []), ...named].map(({ id }) => id);
  const twice = known.find((id, i) => known.indexOf(id) !== i);
  if (twice !== undefined) {
    throw new BlocklistError('config-invalid', `${twice} is named twice, under sources and allow or in one of them`, {
      where: config.file,
      hint: 'every source has one name: its cache, its history and --source go by it',
    });
  }
  const unknown = [...accepted].find((id) => !known.includes(id));
  const unasked = databases.all.filter((each) => !named.includes(each));
  if (unknown === undefined) return { block, allow, only, databases: named, unasked };
  throw new BlocklistError('bad-usage', `--accept-change: there is no source '${unknown}'`, {
    hint: `the sources are ${known.join(', ')}`,
  });
}

/** The databases that a configuration names, none of them loaded yet. @throws BlocklistError `config-invalid`, `source-key` */
export async function databasesOf(config: Config, { cache, now, fetcher, progress, accepted }: SourceEnvironment) {
  const { shrink, grow } = config.guards;
  const named = namedPlaces(config);
  const requests = await databaseRequests(config);
  const requestFor = (id: string) => {
    const request = requests.get(id);
    return request === undefined ? {} : { request };
  };
  return new Databases(databaseSpecs(config), (id) => ({
    ...requestFor(id),
    cache: join(cache, 'databases'),
    now,
    fetcher,
    progress,
    change: accepted.has(id) ? 'accept' : 'judge',
    limits: { shrink, grow, canBeEmpty: false },
    named,
    maxAgeMs: config.geo['max-age'],
  }));
}

/** A source that gave nothing at all. */
export interface Missing {
  readonly id: string;
  readonly problem: BlocklistError;
}

/** Loads all sources, side by side. A source that fails without last good is reported and does not stop the others. */
export async function loadSources(
  sources: readonly Source[],
  networkOf: (id: string) => Network,
): Promise<{ readonly loaded: readonly Loaded[]; readonly missing: readonly Missing[] }> {
  const results = await Promise.all(
    sources.map(async (source): Promise<Loaded | Missing> => {
      try {
        return await source.load(networkOf(source.id));
      } catch (problem) {
        if (!(problem instanceof BlocklistError)) throw problem;
        return { id: source.id, problem };
      }
    }),
  );
  return {
    loaded: results.filter((result): result is Loaded => 'set' in result),
    missing: results.filter((result): result is Missing => !('set' in result)),
  };
}
