import { ExitStatus } from '../errors.js';
import { grouped, interval } from '../io/figures.js';
import { table } from '../io/table.js';
import { type Catalogue, type CatalogueFeed, readCatalogue } from '../sources/feeds/catalogue.js';
import { type Command, commandLine, say } from './context.js';

/** Every feed and profile that the program knows by name. */
export const run: Command<unknown> = async (options, context) => {
  const catalogue = await readCatalogue();
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/feeds', ...catalogue })}\n`);
    return ExitStatus.done;
  }
  context.stdout.write(`${feedTable(catalogue.feeds)}\n${profileTable(catalogue)}`);
  say(context, options, `\n${catalogue.dead.length} feeds that are no more are known by name, too`);
  say(context, options, `all about one: ${commandLine(context, options, 'feeds show ID')}`);
  return ExitStatus.done;
};

function feedTable(feeds: readonly CatalogueFeed[]): string {
  const columns = [
    { title: 'feed' },
    { title: 'use' },
    { title: 'category' },
    { title: 'IP' },
    { title: 'entries', align: 'right' },
    { title: 'at most every', align: 'right' },
    { title: 'risk' },
    { title: 'remarks' },
  ] as const;
  const rows = feeds.map((feed) => [
    feed.id,
    feed.role === 'block' ? `block ${feed.direction}` : feed.role,
    feed.category,
    feed.family === 'both' ? '4 6' : feed.family,
    feed.entries === undefined ? '' : grouped(feed.entries),
    interval(feed.interval * 1000),
    feed.risk,
    remarksOf(feed).join(', '),
  ]);
  return table(columns, rows);
}

function remarksOf(feed: CatalogueFeed): string[] {
  return [
    ...(feed.refused === undefined ? [] : ['not usable']),
    ...(feed.status === 'alive' ? [] : [feed.status]),
    ...(feed.key?.required === true ? ['needs a key'] : []),
    ...(feed.for === undefined ? [] : [`for: ${feed.for}`]),
    ...(feed.snapshot === undefined ? [] : ['bundled']),
  ];
}

function profileTable({ profiles }: Catalogue): string {
  const rows = Object.entries(profiles).map(([name, { description, feeds }]) => [
    name,
    String(feeds.length),
    description,
  ]);
  return table([{ title: 'profile' }, { title: 'feeds', align: 'right' }, { title: 'for' }], rows);
}
