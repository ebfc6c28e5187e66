import type { Config } from '../config/load.js';
import { readCatalogue } from './feeds/catalogue.js';

/** The shortest prefix lengths that a configuration lets any of its sources have: `guards`, or less where a source has limits of its own. */
export async function widestAllowed(config: Config): Promise<{ readonly v4: number; readonly v6: number }> {
  const { profile, feeds, custom } = config.sources;
  const catalogue = await readCatalogue();
  const known = new Map(catalogue.feeds.map((feed) => [feed.id, feed]));
  const own = [
    ...(catalogue.profiles[profile ?? '']?.feeds ?? []).map((id) => known.get(id)),
    ...feeds.map((entry) =>
      typeof entry === 'string' ? known.get(entry) : { ...known.get(entry.id), ...entry.guards },
    ),
    ...custom.map(({ guards }) => guards),
  ];
  const shortest = (key: 'max-prefix-v4' | 'max-prefix-v6') =>
    Math.min(config.guards[key], ...own.flatMap((each) => each?.[key] ?? []));
  return { v4: shortest('max-prefix-v4'), v6: shortest('max-prefix-v6') };
}
