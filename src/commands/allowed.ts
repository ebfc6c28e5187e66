import { BlocklistError } from '../errors.js';
import { formatPrefix, IpSet, type Prefix } from '../ip/index.js';
import { type AllowedFeed, readAllowFeeds } from '../report/allow-feeds.js';
import { type Context, shortPath } from './context.js';
import { listOf } from './lists.js';
import type { Project } from './project.js';

/** What the configuration allows, by list and feed, as far as this host knows. */
export interface ConfiguredAllow {
  readonly lists: readonly AllowedFeed[];
  readonly all: IpSet;
  /** a list that cannot be read: what it allows is not known here */
  readonly problem: BlocklistError | undefined;
}

/** `allow.files` as they are now, `allow.feeds` as they were at the last build. */
export async function configuredAllow({ config, updateState }: Project, context: Context): Promise<ConfiguredAllow> {
  const named = config.allow.feeds.map((entry) => (typeof entry === 'string' ? entry : entry.id));
  const feeds = named.length === 0 ? [] : await readAllowFeeds(updateState);
  const lists = feeds.filter(({ id }) => named.includes(id));
  let problem: BlocklistError | undefined;
  for (const path of config.allow.files) {
    try {
      lists.push({ id: shortPath(context, path), set: await listOf([path]) });
    } catch (error) {
      // The next build refuses it. What must work at any hour, like a ban or a confirm, does without this list.
      if (!(error instanceof BlocklistError)) throw error;
      problem = error;
    }
  }
  return { lists, all: IpSet.unionOf(lists.map(({ set }) => set)), problem };
}

/** @throws BlocklistError `ban-allowed` naming the list: what the configuration allows is not to be banned */
export function requireNotAllowed(wanted: IpSet, { lists }: ConfiguredAllow): void {
  for (const { id, set } of lists) {
    const [hit] = wanted.intersect(set).prefixes();
    if (hit === undefined) continue;
    throw new BlocklistError('ban-allowed', `${formatPrefix(hit)} is allowed by ${id}; nothing was changed`, {
      where: id,
      hint: 'ban the addresses around it, or take it out of there',
    });
  }
}

/** The same networks without what is allowed. */
export function withoutAllowed(prefix: Prefix, { all }: Pick<ConfiguredAllow, 'all'>): readonly Prefix[] {
  const own = IpSet.from([prefix]);
  return own.intersect(all).isEmpty ? [prefix] : [...own.subtract(all).prefixes()];
}
