import { join } from 'node:path';
import { z } from 'zod';
import { readWhole } from '../io/read.js';
import { writeAtomic } from '../io/write.js';
import { formatPrefix, IpSet } from '../ip/index.js';

const schema = z.object({
  version: z.literal(1),
  feeds: z.array(z.object({ id: z.string(), prefixes: z.array(z.string()) })),
});

/** The addresses of an allow feed. */
export interface AllowedFeed {
  readonly id: string;
  readonly set: IpSet;
}

const FILE = 'allow-feeds.json';
/** Above the ranges of every cloud together. */
const CAP = 1 << 26;

/**
 * What the allow feeds held at the last build. A ban on this host looks here: it is root's, while the cache of feeds belongs to the user that
 * fetches, and parsing them would cost each ban a second.
 */
export async function writeAllowFeeds(folder: string, feeds: readonly AllowedFeed[]): Promise<void> {
  const value: z.input<typeof schema> = {
    version: 1,
    feeds: feeds.map(({ id, set }) => ({ id, prefixes: [...set.prefixes()].map(formatPrefix) })),
  };
  await writeAtomic(join(folder, FILE), `${JSON.stringify(value)}\n`);
}

/** None when there was no build with allow feeds here, or its note is damaged: the next build writes it anew. */
export async function readAllowFeeds(folder: string): Promise<readonly AllowedFeed[]> {
  const bytes = await readWhole(join(folder, FILE), CAP);
  if (bytes === undefined) return [];
  try {
    const { feeds } = schema.parse(JSON.parse(bytes.toString('utf8')));
    return feeds.map(({ id, prefixes }) => ({ id, set: IpSet.from(prefixes) }));
  } catch {
    return [];
  }
}
