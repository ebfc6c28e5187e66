import { join } from 'node:path';
import type { Config } from '../config/load.js';
import { BlocklistError } from '../errors.js';
import { readWhole } from '../io/read.js';
import { IpSet } from '../ip/index.js';
import { allowFeeds } from './configured.js';
import { readCatalogue } from './feeds/catalogue.js';
import { LastGood } from './last-good.js';
import type { ListSpec } from './list-source.js';
import { LIST_FORM } from './parsed-form.js';
import { tryBody } from './trial.js';

/** Above every `max-bytes` of an allow feed. */
const BODY_CAP = 1 << 26;

/**
 * The ranges of CDNs and clouds that are in the cache: those of the configuration, and those of the catalogue that were fetched before.
 * Only reads; what is damaged or was never fetched is left out.
 */
export async function cachedRanges(
  config: Config,
  cache: string,
): Promise<Array<{ readonly id: string; readonly set: IpSet }>> {
  const catalogue = await readCatalogue();
  const feeds = catalogue.feeds
    .filter(({ role, status }) => role === 'allow' && status === 'alive')
    .map(({ id }) => id);
  const found = new Map<string, IpSet>();
  for (const id of feeds) {
    for (const spec of await specsOf(config, id, catalogue)) {
      const set = await read(spec, cache);
      if (!set.isEmpty) found.set(spec.id, set);
    }
  }
  return [...found].map(([id, set]) => ({ id, set }));
}

/** None for a feed that is not to be had without a key. */
async function specsOf(config: Config, feed: string, catalogue: Parameters<typeof allowFeeds>[1]) {
  try {
    return await allowFeeds({ ...config, allow: { ...config.allow, feeds: [feed] } }, catalogue);
  } catch (error) {
    if (error instanceof BlocklistError) return [];
    throw error;
  }
}

async function read(spec: ListSpec, cache: string): Promise<IpSet> {
  const sets = await Promise.all(
    spec.parts.map(async (_, i) => {
      const folder = join(cache, i === 0 ? spec.id : `${spec.id}.${i + 1}`);
      try {
        const meta = await new LastGood(folder, LIST_FORM).meta();
        const body = meta && (await readWhole(join(folder, `${meta.digest}.body`), BODY_CAP));
        return body === undefined ? undefined : (await tryBody(spec, body, spec.id)).content?.set;
      } catch (error) {
        if (error instanceof BlocklistError) return undefined;
        throw error;
      }
    }),
  );
  return IpSet.unionOf(sets.filter((set) => set !== undefined));
}
