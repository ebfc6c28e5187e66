import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { type ColumnsLook, lookingInto } from '../io/columns-look.js';
import type { Validators } from '../io/http.js';
import { parseJson } from '../io/json.js';
import { errnoOf, type FileLooker, readWhole } from '../io/read.js';
import { removeTree, writeAtomic } from '../io/write.js';

const metaSchema = z.object({
  version: z.literal(2),
  /** address or path that the body came from: another one makes last good worthless */
  origin: z.string(),
  /** SHA-256 of the body: its name in the same folder, and that of its parsed form */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** milliseconds since 1970 */
  fetched: z.number(),
  /** when the content last became another one */
  changed: z.number(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});
export type LastGoodMeta = z.output<typeof metaSchema>;

/** What is kept of a source, read. */
export interface Kept<Content> {
  readonly meta: LastGoodMeta;
  readonly content: Content;
}

/** A way to read a body, and its name: a body that was read in the same way need not be read again. */
export interface Reading<Content> {
  readonly key: string;
  read(body: Buffer): Promise<Content>;
}

/** How what was read is written down, so that it loads without being read again. */
export interface ParsedForm<Content> {
  encode(content: Content, key: string): Buffer;
  /** undefined when the bytes are damaged, or were made by a reading of another key */
  decode(bytes: Buffer, key: string): Content | undefined;
}

/** A body to be kept, and what it holds. */
export interface NewBody<Content> {
  readonly body: Uint8Array;
  /** digestOf(body) */
  readonly digest: string;
  readonly content: Content;
  /** of the Reading that read it */
  readonly key: string;
}

const META_CAP = 1 << 16;
/** Above every `max-bytes` that makes sense. */
const BODY_CAP = 2 ** 31;

export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function parseMeta(text: Buffer | undefined): LastGoodMeta | undefined {
  return text && metaSchema.safeParse(parseJson(text.toString('utf8')), { jitless: true }).data;
}

/**
 * The newest body of a source that passed its guards, as it came, and its parsed form. Both have the digest of the body as name,
 * `meta.json` names it and is renamed into place last: whatever moment the power fails, a complete pair is found.
 */
export class LastGood<Content> {
  constructor(
    private readonly folder: string,
    private readonly form: ParsedForm<Content>,
  ) {}

  /**
   * What is kept for this origin. Undefined when there is nothing, or nothing that is as it was written: damaged from outside is as if
   * nothing was kept, so that the next update heals it. @throws BlocklistError when the body can no longer be read in this way.
   */
  async read(origin: string, reading: Reading<Content>): Promise<Kept<Content> | undefined> {
    const meta = await this.meta();
    if (meta?.origin !== origin) return undefined;
    const parsed = await this.bytes(`${meta.digest}.parsed`);
    const content = parsed && this.form.decode(parsed, reading.key);
    if (content !== undefined) return { meta, content };
    const body = await this.body(meta.digest);
    if (body === undefined) return undefined;
    const read = await reading.read(body);
    await this.keepParsed(meta.digest, this.form.encode(read, reading.key));
    return { meta, content: read };
  }

  /** The facts of what is kept, whatever its origin. */
  async meta(): Promise<LastGoodMeta | undefined> {
    return parseMeta(await this.bytes('meta.json', META_CAP));
  }

  /**
   * What is kept, whatever its origin and the way it was read, as far as `lookInto` takes it out of the parsed form; nothing is written. `content` is undefined
   * when that is not as it was written. @throws BlocklistError `file-unreadable`
   */
  look<Part>(
    looker: FileLooker,
    lookInto: (parsed: ColumnsLook) => Part | undefined,
  ): { readonly meta: LastGoodMeta; readonly content: Part | undefined } | undefined {
    const meta = parseMeta(looker.read(join(this.folder, 'meta.json'), META_CAP));
    if (meta === undefined) return undefined;
    return { meta, content: lookingInto(join(this.folder, `${meta.digest}.parsed`), lookInto) };
  }

  /** The body that `meta` names, if it is as it was written. */
  bodyOf({ digest }: LastGoodMeta): Promise<Buffer | undefined> {
    return this.body(digest);
  }

  /** Keeps a body that passed. Older ones are removed after the switch. */
  async keep(
    origin: string,
    { body, digest, content, key }: NewBody<Content>,
    facts: Pick<LastGoodMeta, 'fetched'> & Validators,
  ): Promise<LastGoodMeta> {
    const before = await this.meta();
    const isSame = before?.digest === digest && before.origin === origin;
    const isThere = isSame && (await this.body(digest)) !== undefined;
    // The same body again: its parsed form is what `content` came from.
    if (!isThere) {
      await Promise.all([
        this.write(`${digest}.body`, body),
        this.write(`${digest}.parsed`, this.form.encode(content, key)),
      ]);
    }
    const changed = isSame ? before.changed : facts.fetched;
    const meta: LastGoodMeta = { version: 2, origin, digest, changed, ...facts };
    await this.writeMeta(meta);
    await this.removeOthers(digest);
    return meta;
  }

  /** The server confirmed the body: it counts as fetched now. */
  async confirm(meta: LastGoodMeta, fetched: number): Promise<void> {
    await this.writeMeta({ ...meta, fetched });
  }

  /** The body of this digest, if it is as it was written. */
  private async body(digest: string): Promise<Buffer | undefined> {
    const body = await this.bytes(`${digest}.body`);
    return body !== undefined && digestOf(body) === digest ? body : undefined;
  }

  /** Saves the next run some time; who only looks at lists of another user may not write there. */
  private async keepParsed(digest: string, parsed: Buffer): Promise<void> {
    try {
      await this.write(`${digest}.parsed`, parsed);
    } catch (error) {
      if (!(error instanceof BlocklistError && error.code === 'file-unwritable')) throw error;
    }
  }

  private async bytes(name: string, cap = BODY_CAP): Promise<Buffer | undefined> {
    try {
      return await readWhole(join(this.folder, name), cap);
    } catch (error) {
      if (error instanceof BlocklistError && error.code === 'too-large') return undefined;
      throw error;
    }
  }

  private async write(name: string, bytes: Uint8Array | string): Promise<void> {
    await writeAtomic(join(this.folder, name), bytes);
  }

  private async writeMeta(meta: LastGoodMeta): Promise<void> {
    await this.write('meta.json', `${JSON.stringify(meta, null, 2)}\n`);
  }

  private async removeOthers(digest: string): Promise<void> {
    const kept = ['meta.json', `${digest}.body`, `${digest}.parsed`];
    try {
      for (const name of await readdir(this.folder)) {
        if (!kept.includes(name)) await removeTree(join(this.folder, name));
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
