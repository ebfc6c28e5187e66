import { z } from 'zod';
import { duration, httpUrl, keyFile, keyHeader, path } from './values.js';

/** The schema of `geo:`, the databases that say where an address is used and which network announces it. */

const MEBIBYTE = 2 ** 20;

const shape = {
  member: z.string().min(1).optional().describe('the file meant, when a zip or tar holds more than one'),
  'max-bytes': z
    .int()
    .min(1)
    .max(2 ** 31)
    .default(256 * MEBIBYTE)
    .describe('cap on the database, packed and unpacked'),
};
const fromFile = z.strictObject({ file: path, ...shape });
const fromUrl = z.strictObject({
  url: httpUrl,
  ...shape,
  timeout: z.int().min(1).max(3600).default(300).describe('seconds'),
  interval: duration.prefault('12h').describe('not asked again before this has passed'),
  'key-file': keyFile,
  'key-header': keyHeader,
});

const place = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const isUrl = /^https?:\/\//.test(text);
    if (isUrl ? URL.canParse(text) : !/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return;
    context.addIssue({ code: 'custom', message: 'expected a path or an http:// or https:// address' });
  })
  .transform((text) => (/^https?:\/\//.test(text) ? fromUrl.parse({ url: text }) : fromFile.parse({ file: text })))
  .describe('path of a file, relative to the folder of this one, or an address that it is fetched from');

const WANTED = 'expected a path, an address, or a map with the key file or url';
const database = z.union([place, fromFile, fromUrl], { error: WANTED });
const databases = z
  .union([database, z.array(database).min(1)], { error: `${WANTED}, or a list of these` })
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .optional();

export const geo = z
  .strictObject({
    country: databases.describe(
      'country database: mmdb, CSV or registry statistics; of several the first that knows an address; default: the one that ships with blocklist',
    ),
    asn: databases.describe('database of networks (AS numbers): mmdb or CSV; default: none'),
    'max-age': duration.prefault('365d').describe('a database that was made longer ago counts as failing'),
  })
  .describe('databases of countries and networks');

/** One database. Paths are relative to the folder of the configuration until it is loaded. */
export type DatabaseEntry = z.output<typeof database>;
export type GeoConfig = z.output<typeof geo>;
