import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BlocklistError } from '../../errors.js';
import { errnoOf, factsOf, readWhole } from '../../io/read.js';
import { removeTree, writeAtomic } from '../../io/write.js';
import type { DatabaseContent } from './contract.js';
import { decodeDatabase, encodeDatabase } from './table-columns.js';

/** Above every parsed form. */
const CAP = 2 ** 31;
const ENDING = '.parsed';

/** What a file looks like from outside. */
export interface FileStamp {
  readonly name: string;
  /** milliseconds since 1970 */
  readonly changed: number;
}

/**
 * The parsed form of a database that is a file: named by what the file looks like from outside, since its content is too much to be hashed every
 * night. When the file becomes unreadable, it is last good.
 */
export class ParsedFile {
  constructor(
    /** folder of its own in the cache */
    private readonly folder: string,
    /** way of reading */
    private readonly reading: string,
    /** absolute path of the file */
    private readonly path: string,
  ) {}

  /** How the file looks now. @throws BlocklistError `file-unreadable` */
  stamp(): FileStamp {
    try {
      // Size, times and inode: npm gives every file the same time of change, but ctime and inode it cannot set.
      const { size, mtimeNs, ctimeNs, ino, mtimeMs } = statSync(this.path, { bigint: true });
      return { name: `${size}-${mtimeNs}-${ctimeNs}-${ino}`, changed: Number(mtimeMs) };
    } catch (cause) {
      throw new BlocklistError('file-unreadable', `cannot read the database ${this.path}: ${errnoOf(cause) ?? cause}`, {
        where: this.path,
        hint: 'check geo in the configuration',
        cause,
      });
    }
  }

  /** What was made of the file when it looked like this. */
  of({ name }: FileStamp): Promise<DatabaseContent | undefined> {
    return this.read(`${name}${ENDING}`);
  }

  /** Where that is kept. */
  pathOf({ name }: FileStamp): string {
    return join(this.folder, `${name}${ENDING}`);
  }

  /** Whether anything of that is kept, unread. @throws BlocklistError `file-unreadable` */
  async isKept(): Promise<boolean> {
    return factsOf(this.pathOf(this.stamp()))?.isFile() ?? false;
  }

  /** What was made of it last, whatever became of the file, and when, in milliseconds since 1970. */
  async last(): Promise<{ readonly content: DatabaseContent; readonly at: number } | undefined> {
    const [only] = (await this.names()).filter((name) => name.endsWith(ENDING));
    const content = only === undefined ? undefined : await this.read(only);
    if (only === undefined || content === undefined) return undefined;
    return { content, at: (await stat(join(this.folder, only))).mtimeMs };
  }

  /** A cache that is not ours to write costs time and nothing else. */
  async keep(content: DatabaseContent, stamp: FileStamp): Promise<void> {
    const name = `${stamp.name}${ENDING}`;
    try {
      await writeAtomic(join(this.folder, name), encodeDatabase(content, this.key()));
      // What a killed run left, and what was here when the database was an address, too.
      for (const other of await this.names()) if (other !== name) await removeTree(join(this.folder, other));
    } catch (error) {
      if (!(error instanceof BlocklistError && error.code === 'file-unwritable')) throw error;
    }
  }

  private async read(name: string): Promise<DatabaseContent | undefined> {
    const bytes = await readWhole(join(this.folder, name), CAP);
    return bytes && decodeDatabase(bytes, this.key());
  }

  /** Names the way of reading and the file in the parsed form. */
  key(): string {
    return `${this.reading} ${this.path}`;
  }

  private async names(): Promise<string[]> {
    try {
      return (await readdir(this.folder)).sort();
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return [];
      throw new BlocklistError('file-unreadable', `cannot read ${this.folder}: ${errnoOf(cause) ?? cause}`, {
        where: this.folder,
        hint: 'check who may read the cache',
        cause,
      });
    }
  }
}
