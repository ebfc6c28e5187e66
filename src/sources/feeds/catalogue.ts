import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prettifyError } from 'zod';
import { BlocklistError } from '../../errors.js';
import type { Catalogue } from './catalogue-schema.js';

export type { Catalogue, CatalogueFeed } from './catalogue-schema.js';

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

let lists: string | undefined;

/** Absolute path of a file that ships in `lists/`. */
export function bundledList(name: string): string {
  lists ??= listsAbove(dirname(fileURLToPath(import.meta.url)));
  return join(lists, name);
}

/** Looked for upwards: the program is bundled, and this file is then elsewhere. */
function listsAbove(folder: string): string {
  const found = join(folder, 'lists');
  return existsSync(join(found, 'feeds.json')) || folder === dirname(folder) ? found : listsAbove(dirname(folder));
}
