import type { FormatOptions } from '../config/formats.js';
import { formatOptionShape } from '../config/formats.js';
import { didYouMean, nearName } from '../config/issues.js';
import type { Config } from '../config/load.js';
import type { CustomEntry, FeedEntry, OwnGuards } from '../config/source-schema.js';
import { BlocklistError } from '../errors.js';
import { bundledList, type Catalogue, type CatalogueFeed } from './feeds/catalogue.js';
import type { ListRequest } from './fetcher.js';
import type { SourceLimits } from './guards.js';
import { readKey } from './key-file.js';
import type { PartOrigin } from './list-part.js';
import type { ListSpec } from './list-source.js';
import { requestOf } from './request.js';

/** A feed as the configuration names it: an id, or an object with settings of its own. */
type FeedSettings = Partial<Exclude<FeedEntry, string>> & { readonly id: string };

const DAY_MS = 86_400_000;
const MEBIBYTE = 2 ** 20;

/** The feeds of the profile and of `feeds:`, in this order; what stands under `feeds:` wins. */
export async function blockFeeds(config: Config, catalogue: Catalogue): Promise<ListSpec[]> {
  const { profile, feeds, custom } = config.sources;
  const own = feeds.map(settingsOf);
  const fromProfile = profile === undefined ? [] : profileFeeds(config, catalogue, profile);
  const all = [...fromProfile.filter((id) => own.every((entry) => entry.id !== id)).map((id) => ({ id })), ...own];
  const taken = custom.find(({ id }) => all.some((entry) => entry.id === id));
  if (taken !== undefined) {
    throw invalid(config, `sources.custom: expected another id: ${taken.id} is a feed of the profile`, 'rename it');
  }
  return Promise.all(all.map((entry) => feedSpec(config, catalogue, entry, 'block')));
}

/** The feeds under `allow:`. */
export function allowFeeds(config: Config, catalogue: Catalogue): Promise<ListSpec[]> {
  return Promise.all(config.allow.feeds.map((entry) => feedSpec(config, catalogue, settingsOf(entry), 'allow')));
}

/** The lists under `custom:`. */
export function customSpecs(config: Config): Promise<ListSpec[]> {
  return Promise.all(config.sources.custom.map((entry) => customSpec(config, entry)));
}

function settingsOf(entry: string | FeedSettings): FeedSettings {
  return typeof entry === 'string' ? { id: entry } : entry;
}

function profileFeeds(config: Config, { profiles }: Catalogue, name: string): readonly string[] {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return profile.feeds;
  throw invalid(
    config,
    `there is no profile '${name}'${didYouMean(name, Object.keys(profiles))}`,
    'see blocklist feeds list',
  );
}

async function customSpec(config: Config, entry: CustomEntry): Promise<ListSpec> {
  const { id, direction, format, member, density } = entry;
  const common = {
    id,
    direction,
    format,
    options: formatOptionsOf(entry),
    maxBytes: entry['max-bytes'],
    limits: limitsOf(config, entry.guards, {}),
    ...(member === undefined ? {} : { member }),
    ...(density === undefined ? {} : { density }),
  };
  if ('file' in entry) return { ...common, parts: [{ kind: 'file', path: entry.file }] };
  const request = await requestOf(config, id, entry);
  return { ...common, parts: [{ kind: 'url', request }] };
}

async function feedSpec(
  config: Config,
  catalogue: Catalogue,
  settings: FeedSettings,
  use: 'block' | 'allow',
): Promise<ListSpec> {
  const feed = usableFeed(config, catalogue, settings.id, use);
  const targets = targetsOf(config, feed, settings.for);
  const key = await keyOf(config, feed, settings['key-file']);
  // A feed that is one file for all takes its targets as a filter alone.
  const places = feed.urls.some((url) => url.includes('{for}')) ? targets : [''];
  const parts = places.flatMap((target) =>
    feed.urls.map((url): PartOrigin => {
      const request: ListRequest = {
        url: url.replaceAll('{for}', encodeURIComponent(target)),
        ...(key === undefined ? {} : { key }),
        target: 'public',
        timeoutMs: Math.max(60, feed['max-bytes'] / MEBIBYTE) * 1000,
        intervalMs: feed.interval * 1000,
      };
      const { snapshot } = feed;
      const kept = snapshot && { path: bundledList(snapshot.file), date: Date.parse(snapshot.date) };
      return { kind: 'url', request, ...(kept === undefined ? {} : { snapshot: kept }) };
    }),
  );
  return {
    id: feed.id,
    direction: settings.direction ?? feed.direction,
    format: feed.format,
    options: replaced(formatOptionsOf(feed), targets),
    maxBytes: feed['max-bytes'],
    limits: {
      ...limitsOf(config, settings.guards, feed),
      ...(use === 'allow' ? { maxCoverage: config.guards['max-allow-coverage'] } : {}),
    },
    parts,
    ...(feed.member === undefined ? {} : { member: feed.member }),
    ...(settings.density === undefined ? {} : { density: settings.density }),
  };
}

function usableFeed(config: Config, catalogue: Catalogue, id: string, use: 'block' | 'allow'): CatalogueFeed {
  const feed = catalogue.feeds.find((each) => each.id === id);
  if (feed === undefined) {
    const dead = catalogue.dead.find((each) => each.id === id);
    if (dead !== undefined) {
      const instead = dead.instead.length === 0 ? '' : `; take ${dead.instead.join(' or ')} instead`;
      throw invalid(
        config,
        `the feed '${id}' (${dead.name}) is no more: ${dead.why.replace(/\.$/, '')}${instead}`,
        'remove it',
      );
    }
    const known = catalogue.feeds.map((each) => each.id);
    const message = `there is no feed '${id}' in the catalogue${nearName(id, known)}`;
    throw invalid(
      config,
      message,
      'see blocklist feeds list; a list of your own goes under sources.custom with a file or url',
    );
  }
  if (feed.refused !== undefined)
    throw invalid(config, `the feed '${id}' cannot be used: ${feed.refused}`, 'remove it');
  if (use === 'block' && feed.role === 'allow') {
    throw invalid(config, `the feed '${id}' lists addresses to allow, not to block`, 'name it under allow.feeds');
  }
  if (use === 'allow' && feed.role === 'block') {
    throw invalid(config, `the feed '${id}' lists offenders, not addresses to allow`, 'name it under sources.feeds');
  }
  return feed;
}

/** What `{for}` stands for, one after the other; a feed without it has one target, the empty one. */
function targetsOf(config: Config, feed: CatalogueFeed, given: readonly string[] | undefined): readonly string[] {
  if (feed.for === undefined) {
    if (given === undefined) return [''];
    throw invalid(config, `the feed '${feed.id}' is one list: expected no key for`, 'remove the key');
  }
  const kinds = {
    country: ['country codes, like [cn, ru]', /^[a-z]{2}$/],
    asn: ['AS numbers, like [4134]', /^\d{1,10}$/],
    id: ['ids', /^[A-Za-z0-9-]+$/],
  } as const;
  const [words, form] = kinds[feed.for];
  const targets = (given ?? []).map((text) => (feed.for === 'id' ? text : text.toLowerCase().replace(/^as(?=\d)/, '')));
  if (targets.length > 0 && targets.every((text) => form.test(text))) return [...new Set(targets)];
  throw invalid(config, `the feed '${feed.id}' needs the key for: ${words}`, `{id: ${feed.id}, for: […]}`);
}

function replaced(options: FormatOptions, targets: readonly string[]): FormatOptions {
  const { where } = options;
  if (where === undefined) return options;
  const values = Object.entries(where).map(([name, value]) => [
    name,
    [value]
      .flat()
      .flatMap((text) =>
        text === '{for}' ? targets : text === '{FOR}' ? targets.map((each) => each.toUpperCase()) : [text],
      ),
  ]);
  return { ...options, where: Object.fromEntries(values) as FormatOptions['where'] };
}

async function keyOf(
  config: Config,
  { id, key }: CatalogueFeed,
  file: string | undefined,
): Promise<ListRequest['key'] | undefined> {
  if (key === undefined) {
    if (file === undefined) return undefined;
    throw invalid(config, `the feed '${id}' takes no key: expected no key-file`, 'remove the key');
  }
  if (file === undefined) {
    if (!key.required) return undefined;
    throw invalid(config, `the feed '${id}' needs a key: expected key-file`, `get a key: ${key.get}`);
  }
  const value = await readKey(file);
  return { value, in: key.in === 'header' ? { header: key.header ?? 'authorization' } : key.in };
}

function formatOptionsOf(entry: FormatOptions): FormatOptions {
  const given = Object.entries(entry).filter(([name, value]) => name in formatOptionShape && value !== undefined);
  return Object.fromEntries(given) as FormatOptions;
}

function limitsOf({ guards }: Config, own: OwnGuards | undefined, feed: Partial<CatalogueFeed>): SourceLimits {
  const days = (value: number | undefined) => (value === undefined ? undefined : value * DAY_MS);
  const maxUnchangedMs = own?.['max-unchanged'] ?? days(feed['max-unchanged']);
  return {
    maxPrefixV4: own?.['max-prefix-v4'] ?? feed['max-prefix-v4'] ?? guards['max-prefix-v4'],
    maxPrefixV6: own?.['max-prefix-v6'] ?? feed['max-prefix-v6'] ?? guards['max-prefix-v6'],
    maxRejects: own?.['max-rejects'] ?? guards['max-rejects'],
    canBeEmpty: own?.['can-be-empty'] ?? feed['can-be-empty'] ?? false,
    shrink: own?.shrink ?? guards.shrink,
    grow: own?.grow ?? guards.grow,
    maxAgeMs: own?.['max-age'] ?? days(feed['max-age']) ?? guards['max-age'],
    ...(maxUnchangedMs === undefined ? {} : { maxUnchangedMs }),
  };
}

function invalid({ file }: Config, message: string, hint: string): BlocklistError {
  return new BlocklistError('config-invalid', message, { where: file, hint });
}
