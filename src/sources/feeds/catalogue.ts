import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../../errors.js';

/** Found through the package's own name, because the program is bundled and this file is then elsewhere. */
const LISTS = join(dirname(createRequire(import.meta.url).resolve('blocklist/package.json')), 'lists');

const feedSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  url: z.url(),
  format: z.enum(['plain', 'score']),
  direction: z.enum(['in', 'out', 'both']),
  /** cap on the body, packed and unpacked */
  maxBytes: z.int().min(1),
  licence: z.string(),
  homepage: z.url(),
  /** a body that ships with the package, where its licence allows that */
  snapshot: z
    .strictObject({ file: z.string(), date: z.iso.date(), commit: z.string(), licenceFile: z.string() })
    .optional(),
});
const catalogueSchema = z.strictObject({ version: z.literal(1), feeds: z.array(feedSchema) });

export type CatalogueFeed = z.output<typeof feedSchema>;

/** The feeds that the program knows by name. */
export async function readCatalogue(): Promise<readonly CatalogueFeed[]> {
  const text = await readFile(bundledList('feeds.json'), 'utf8');
  const checked = catalogueSchema.safeParse(JSON.parse(text));
  if (checked.success) return checked.data.feeds;
  throw new BlocklistError('internal', `lists/feeds.json: ${z.prettifyError(checked.error)}`, {
    hint: 'the installed package is damaged: install it again',
  });
}

/** Absolute path of a file that ships in `lists/`. */
export function bundledList(name: string): string {
  return join(LISTS, name);
}
