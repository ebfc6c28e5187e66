import { z } from 'zod';
import { duration, httpUrl, id, keyFile, keyHeader, path } from './values.js';

/** What another host wrote with `blocklist bans --export`: one file, or one address. */
export const bans = z.array(
  z.union([
    z.strictObject({ id, file: path }),
    z.strictObject({
      id,
      url: httpUrl,
      interval: duration.prefault('0s').describe('not asked again before this has passed'),
      timeout: z.int().min(1).max(600).default(60).describe('seconds'),
      'key-file': keyFile,
      'key-header': keyHeader,
    }),
  ]),
);
