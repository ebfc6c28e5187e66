import { join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../../errors.js';
import { parseJson } from '../../io/json.js';
import { readWhole } from '../../io/read.js';
import { writeAtomic } from '../../io/write.js';
import { readBanLines, writeBanLines } from './ban-lines.js';
import type { KnownBans } from './contract.js';

const metaSchema = z.object({
  origin: z.string(),
  date: z.number(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});

/** Above any real number of bans: a million. */
const CAP = 2 ** 28;
const LF = 0x0a;

/** The file of what is kept of a source of bans. */
export function keptBansFile(cache: string, id: string): string {
  return join(cache, `${id}.jsonl`);
}

/**
 * The bans of a source as they were last read, undefined when there are none of this origin. What was damaged from outside is as if nothing was
 * kept.
 * @param origin undefined: wherever they are from
 */
export async function readKeptBans(path: string, origin?: string): Promise<KnownBans | undefined> {
  try {
    const bytes = await readWhole(path, CAP);
    const end = bytes?.indexOf(LF) ?? -1;
    if (bytes === undefined || end < 0) return undefined;
    const meta = metaSchema.safeParse(parseJson(bytes.toString('utf8', 0, end))).data;
    if (meta === undefined || meta.origin !== (origin ?? meta.origin)) return undefined;
    const { bans, rejected } = readBanLines(bytes.subarray(end + 1), path);
    return rejected > 0 ? undefined : { ...meta, bans };
  } catch (error) {
    const isDamage =
      error instanceof BlocklistError && ['source-format', 'source-records', 'too-large'].includes(error.code);
    if (isDamage) return undefined;
    throw error;
  }
}

/** One file: where the bans are from and when they were current in the first line, then the bans themselves as ban-lines.ts writes them. */
export async function writeKeptBans(
  path: string,
  { bans, ...rest }: KnownBans & { readonly origin: string },
): Promise<void> {
  const meta: z.input<typeof metaSchema> = rest;
  await writeAtomic(path, `${JSON.stringify(meta)}\n${writeBanLines(bans, { at: rest.date })}`);
}
