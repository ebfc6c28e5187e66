import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { prettifyError } from 'zod';
import { BlocklistError } from '../../errors.js';
import type { Catalogue } from './catalogue-schema.js';

export type { Catalogue, CatalogueFeed } from './catalogue-schema.js';

/** Found through the package's own name, because the program is bundled and this file is then elsewhere. */
const LISTS = join(dirname(createRequire(import.meta.url).resolve('blocklist/package.json')), 'lists');

/** The feeds that the program knows by name. */
export async function readCatalogue(): Promise<Catalogue> {
  // Only who names feeds pays for their schema.
  const { catalogueSchema } = await import('./catalogue-schema.js');
  const text = await readFile(bundledList('feeds.json'), 'utf8');
  const checked = catalogueSchema.safeParse(JSON.parse(text));
  if (checked.success) return checked.data;
  throw new BlocklistError('internal', `lists/feeds.json: ${prettifyError(checked.error)}`, {
    hint: 'the installed package is damaged: install it again',
  });
}

/** Absolute path of a file that ships in `lists/`. */
export function bundledList(name: string): string {
  return join(LISTS, name);
}
