import { formatOptionShape } from '../config/formats.js';
import { nearName } from '../config/issues.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { grouped, interval } from '../io/figures.js';
import { type Catalogue, type CatalogueFeed, readCatalogue } from '../sources/feeds/catalogue.js';
import { FORMATS } from '../sources/feeds/formats/index.js';
import type { Command } from './context.js';

/** All that is known of a feed or a profile, dead ones included. */
export const run: Command<{ readonly id: string }> = async ({ id, ...options }, context) => {
  const catalogue = await readCatalogue();
  const found = factsOf(catalogue, id);
  if (found === undefined) {
    const names = [...catalogue.feeds, ...catalogue.dead].map((each) => each.id);
    const words = nearName(id, [...names, ...Object.keys(catalogue.profiles)]);
    throw new BlocklistError('bad-usage', `there is no feed or profile '${id}'${words}`, { hint: 'see feeds list' });
  }
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/feed', version: 1, ...found.data })}\n`);
    return ExitStatus.done;
  }
  const width = Math.max(...found.rows.map(([name]) => name.length));
  const lines = found.rows.map(
    ([name, text]) => `${name.padEnd(width)}  ${text.split('\n').join(`\n${' '.repeat(width + 2)}`)}`,
  );
  context.stdout.write(`${lines.join('\n')}\n`);
  return ExitStatus.done;
};

interface Facts {
  readonly data: object;
  readonly rows: ReadonlyArray<readonly [name: string, text: string]>;
}

function factsOf({ feeds, dead, profiles }: Catalogue, id: string): Facts | undefined {
  const feed = feeds.find((each) => each.id === id);
  if (feed !== undefined) {
    const within = Object.keys(profiles).filter((name) => profiles[name]?.feeds.includes(id));
    return { data: { kind: 'feed', ...feed, profiles: within }, rows: rowsOf(feed, within) };
  }
  const gone = dead.find((each) => each.id === id);
  if (gone !== undefined) {
    const instead = gone.instead.length === 0 ? 'nothing like it' : gone.instead.join(', ');
    return {
      data: { kind: 'dead', ...gone },
      rows: [
        ['feed', `${gone.id}: ${gone.name}`],
        ['status', `no more: ${gone.why}`],
        ['instead', instead],
      ],
    };
  }
  const profile = Object.hasOwn(profiles, id) ? profiles[id] : undefined;
  if (profile === undefined) return undefined;
  return {
    data: { kind: 'profile', id, ...profile },
    rows: [
      ['profile', `${id}: ${profile.description}`],
      ['feeds', profile.feeds.join('\n')],
      ['to use it', `sources: {profile: ${id}}`],
    ],
  };
}

function rowsOf(feed: CatalogueFeed, profiles: readonly string[]): Facts['rows'] {
  const optional = (name: string, text: string | undefined) => (text === undefined ? [] : [[name, text] as const]);
  const options = Object.keys(formatOptionShape).flatMap((key) => {
    const value = feed[key as keyof typeof formatOptionShape];
    return value === undefined ? [] : [`, ${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`];
  });
  const use =
    feed.role === 'allow'
      ? 'allow: {feeds: [ID]}'
      : feed.for === undefined
        ? 'sources: {feeds: [ID]}'
        : 'sources: {feeds: [{id: ID, for: […]}]}';
  return [
    ['feed', `${feed.id}: ${feed.name}`],
    ['status', feed.status],
    ...optional('not usable', feed.refused),
    ['addresses', feed.urls.join('\n')],
    ['use', `${feed.role}, ${feed.direction === 'both' ? 'in and out' : feed.direction}; ${feed.category}`],
    ['format', `${feed.format}${options.join('')} (${FORMATS[feed.format].description})`],
    [
      'entries',
      feed.entries === undefined
        ? 'not known'
        : `about ${grouped(feed.entries)}, IPv${feed.family === 'both' ? '4 and IPv6' : feed.family}`,
    ],
    ['asked', `at most every ${interval(feed.interval * 1000)}`],
    ['limits', `${grouped(feed['max-bytes'])} bytes${feed['can-be-empty'] ? '; may be empty' : ''}`],
    ...optional('key', feed.key && `${feed.key.required ? 'needed' : 'optional'}: ${feed.key.get}`),
    ['risk', `${feed.risk} (of blocking the innocent)`],
    ['licence', feed.licence],
    ['terms', `commercial use: ${feed.terms.commercial}\nto pass on: ${feed.terms.redistribute}`],
    ...optional('notes', feed.notes),
    ...optional('profiles', profiles.length === 0 ? undefined : profiles.join(', ')),
    ...(feed.refused === undefined ? [['to use it', use.replace('ID', feed.id)] as const] : []),
  ];
}
