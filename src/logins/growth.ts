import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { unpackedFile } from '../io/gzip.js';
import { errnoOf } from '../io/read.js';

/** What a file that only grows had when it was looked at last. */
export interface Mark {
  /** inode, as text: it has 64 bits */
  readonly inode: string;
  readonly size: number;
  /** of the bytes up to `size`: lower-case hex of SHA-256 */
  readonly digest: string;
}

/** new: not looked at before; grown: what it had, it has; rotated: a file beside it has that */
export type Growth = 'new' | 'grown' | 'rotated' | 'shrunk' | 'rewritten';

/** Of what is larger, only the ends count: a row cut out or put in moves all that stands behind it. */
const WHOLE = 1 << 26;
const END = 1 << 16;

/** Compares a file with how it was, and says how it is. @throws BlocklistError `file-unreadable` */
export async function growthOf(path: string, before: Mark | undefined): Promise<{ growth: Growth; mark: Mark }> {
  const { ino, size } = await stat(path, { bigint: true });
  const now = Number(size);
  const mark = { inode: String(ino), size: now, digest: (await digestOf(path, now)) ?? '' };
  if (before === undefined) return { growth: 'new', mark };
  // Also when the inode is another one: an editor writes the same bytes into a new file.
  if (now >= before.size && (await has(path, before))) return { growth: 'grown', mark };
  if (await isInRotation(path, before)) return { growth: 'rotated', mark };
  return { growth: now < before.size ? 'shrunk' : 'rewritten', mark };
}

async function has(path: string, { size, digest }: Mark): Promise<boolean> {
  return size === 0 || (await digestOf(path, size)) === digest;
}

/** logrotate(8) renames, or copies and empties. */
async function isInRotation(path: string, before: Mark): Promise<boolean> {
  const name = basename(path);
  const others = (await readdir(dirname(path))).filter((each) => each !== name && each.startsWith(name));
  for (const other of others) {
    try {
      if (await has(join(dirname(path), other), before)) return true;
    } catch (error) {
      // Packed in a way we do not know, or gone meanwhile.
      if (!(error instanceof BlocklistError) && errnoOf(error) === undefined) throw error;
    }
  }
  return false;
}

/** Of the first `size` bytes, unpacked; undefined when there are fewer. */
async function digestOf(path: string, size: number): Promise<string | undefined> {
  const hash = createHash('sha256');
  let at = 0;
  for await (const chunk of unpackedFile(path)) {
    const part = chunk.subarray(0, size - at);
    if (size <= WHOLE) hash.update(part);
    else {
      if (at < END) hash.update(part.subarray(0, END - at));
      const tail = Math.max(0, size - END - at);
      if (tail < part.length) hash.update(part.subarray(tail));
    }
    at += part.length;
    if (at >= size) break;
  }
  return at < size ? undefined : hash.digest('hex');
}
