import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { errnoOf, readWhole } from '../io/read.js';
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

/** A body of last good with its facts. */
export interface Kept {
  readonly meta: LastGoodMeta;
  readonly body: Buffer;
}

const META_CAP = 1 << 16;
/** Above every `max-bytes` that makes sense. */
const BODY_CAP = 2 ** 31;

function nameOf(body: Uint8Array): string {
  return `${createHash('sha256').update(body).digest('hex')}.body`;
}

/**
 * The newest body of a source that passed its guards, as it came. The body has its digest as name, `meta.json` names it and is renamed
 * into place last: whatever moment the power fails, a complete pair is found.
 */
export class LastGood {
  constructor(private readonly folder: string) {}

  /**
   * What is kept for this origin. Undefined when there is nothing, or nothing that is as it was written: damaged from outside is as if nothing was
   * kept, so that the next update heals it.
   */
  async read(origin: string): Promise<Kept | undefined> {
    try {
      const text = await readWhole(join(this.folder, 'meta.json'), META_CAP);
      const meta = metaSchema.safeParse(JSON.parse(text?.toString('utf8') ?? 'null')).data;
      if (meta?.origin !== origin) return undefined;
      const body = await readWhole(join(this.folder, meta.body), BODY_CAP);
      return body !== undefined && nameOf(body) === meta.body ? { meta, body } : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || (error instanceof BlocklistError && error.code === 'too-large'))
        return undefined;
      throw error;
    }
  }

  /** Keeps a body that passed. Older bodies are removed after the switch. */
  async keep(
    origin: string,
    body: Uint8Array,
    facts: Omit<LastGoodMeta, 'version' | 'origin' | 'body'>,
  ): Promise<void> {
    const name = nameOf(body);
    const before = await this.read(origin);
    if (before?.meta.body !== name) await writeAtomic(join(this.folder, name), body);
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
