import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errnoOf, readWhole, regularFileChunks } from '../io/read.js';
import { removeTree, writeAtomic } from '../io/write.js';

const metaSchema = z.object({
  version: z.literal(1),
  /** address or path that the body came from: another one makes last good worthless */
  origin: z.string(),
  /** file name of the body in the same folder */
  body: z.string().regex(/^[0-9a-f]{64}\.body$/),
  /** milliseconds since 1970 */
  fetched: z.number(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});
export type LastGoodMeta = z.output<typeof metaSchema>;

const META_CAP = 1 << 16;

/**
 * The newest body of a source that passed its guards, as it came. The body has its digest as name, `meta.json` names it and is renamed
 * into place last: whatever moment the power fails, a complete pair is found.
 */
export class LastGood {
  constructor(private readonly folder: string) {}

  /** undefined when nothing, or nothing readable, is kept for this origin. */
  async meta(origin: string): Promise<LastGoodMeta | undefined> {
    const text = await readWhole(join(this.folder, 'meta.json'), META_CAP);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text.toString('utf8'));
    } catch {
      // Damaged from outside: as if nothing was kept, so that the next update heals it.
      return undefined;
    }
    const checked = metaSchema.safeParse(value);
    return checked.success && checked.data.origin === origin ? checked.data : undefined;
  }

  chunks(meta: LastGoodMeta): AsyncIterable<Uint8Array> {
    return regularFileChunks(join(this.folder, meta.body));
  }

  /** Keeps a body that passed. Older bodies are removed after the switch. */
  async keep(
    origin: string,
    body: Uint8Array,
    facts: Omit<LastGoodMeta, 'version' | 'origin' | 'body'>,
  ): Promise<void> {
    const name = `${createHash('sha256').update(body).digest('hex')}.body`;
    const before = await this.meta(origin);
    if (before?.body !== name) await writeAtomic(join(this.folder, name), body);
    await this.writeMeta({ version: 1, origin, body: name, ...facts });
    await this.removeOthers(name);
  }

  /** The server confirmed the body: it counts as fetched now. */
  async confirm(meta: LastGoodMeta, fetched: number): Promise<void> {
    await this.writeMeta({ ...meta, fetched });
  }

  private async writeMeta(meta: LastGoodMeta): Promise<void> {
    await writeAtomic(join(this.folder, 'meta.json'), `${JSON.stringify(meta, null, 2)}\n`);
  }

  private async removeOthers(kept: string): Promise<void> {
    try {
      for (const name of await readdir(this.folder)) {
        if (name !== kept && name !== 'meta.json') await removeTree(join(this.folder, name));
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
