import { join } from 'node:path';
import { didYouMean } from '../config/issues.js';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import type { Loaded, Network, Source } from './contract.js';
import { bundledList, type CatalogueFeed, readCatalogue } from './feeds/catalogue.js';
import { bundledCountryDatabase, countrySources } from './geo/country-source.js';
import type { SourceLimits } from './guards.js';
import { type ListEnvironment, type ListSpec, listSource } from './list-source.js';

export interface SourceEnvironment {
  /** folder of downloaded lists */
  readonly cache: string;
  readonly userAgent: string;
  readonly now: () => number;
}

/** The sources that a configuration names, in its order. @throws BlocklistError `config-invalid` for an unknown feed. */
export async function configuredSources(config: Config, environment: SourceEnvironment): Promise<Source[]> {
  const at = (id: string): ListEnvironment => ({ ...environment, cache: join(environment.cache, 'sources', id) });
  const { feeds, custom, countries } = config.sources;
  const catalogue = feeds.length > 0 ? await readCatalogue() : [];
  const limits: SourceLimits = {
    maxPrefixV4: config.guards['max-prefix-v4'],
    maxPrefixV6: config.guards['max-prefix-v6'],
    maxRejects: config.guards['max-rejects'],
  };
  const fromCatalogue = feeds.map((entry) => {
    const { id, direction } = typeof entry === 'string' ? { id: entry, direction: undefined } : entry;
    const known = catalogue.find((feed) => feed.id === id);
    if (known === undefined) throw unknownFeed(config, id, catalogue);
    return listSource(catalogueSpec(direction === undefined ? known : { ...known, direction }, limits), at(id));
  });
  const own = custom.map((entry) => {
    const spec: ListSpec = {
      id: entry.id,
      direction: entry.direction,
      format: entry.format,
      ...(entry['min-score'] === undefined ? {} : { minScore: entry['min-score'] }),
      maxBytes: entry['max-bytes'],
      limits,
      origin:
        'file' in entry
          ? { kind: 'file', path: entry.file }
          : { kind: 'url', url: entry.url, timeoutMs: entry.timeout * 1000 },
    };
    return listSource(spec, at(entry.id));
  });
  const database = config.paths['country-database'] ?? bundledCountryDatabase();
  return [...fromCatalogue, ...own, ...countrySources(countries.block, database)];
}

const FEED_TIMEOUT_MS = 60_000;

function catalogueSpec(feed: CatalogueFeed, limits: SourceLimits): ListSpec {
  const { id, direction, format, maxBytes, url, snapshot } = feed;
  const kept = snapshot && { path: bundledList(snapshot.file), date: Date.parse(snapshot.date) };
  return {
    id,
    direction,
    format,
    maxBytes,
    limits,
    origin: { kind: 'url', url, timeoutMs: FEED_TIMEOUT_MS, ...(kept === undefined ? {} : { snapshot: kept }) },
  };
}

function unknownFeed(config: Config, id: string, catalogue: readonly CatalogueFeed[]): BlocklistError {
  const known = catalogue.map((feed) => feed.id);
  return new BlocklistError('config-invalid', `there is no feed '${id}' in the catalogue${didYouMean(id, known)}`, {
    where: config.file,
    hint: 'a list of your own goes under sources.custom with a file or url',
  });
}

/** A source that gave nothing at all. */
export interface Missing {
  readonly id: string;
  readonly problem: BlocklistError;
}

/** Loads all sources, side by side. A source that fails without last good is reported and does not stop the others. */
export async function loadSources(
  sources: readonly Source[],
  network: Network,
): Promise<{ readonly loaded: readonly Loaded[]; readonly missing: readonly Missing[] }> {
  const results = await Promise.all(
    sources.map(async (source): Promise<Loaded | Missing> => {
      try {
        return await source.load(network);
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
