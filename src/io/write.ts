import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { errnoOf } from './read.js';

export function unwritable(path: string, cause: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const errno = errnoOf(cause);
  const hint = errno === 'ENOSPC' ? 'free some space; the file is as it was' : 'check the folder and who may write it';
  const what = errno ?? String(cause);
  return new BlocklistError('file-unwritable', `cannot write ${path}: ${what}`, { where: path, hint, cause });
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/**
 * Writes a file so that it is the old one or the new one at every moment: temporary name in the same folder, fsync, rename. Our own, because
 * write-file-atomic takes a short write on a disk that fills up for a whole one, and renames the torso.
 * The temporary name is fixed: all writers hold the lock, and what a killed one left is overwritten.
 * @throws BlocklistError `file-unwritable`; the old file is then untouched.
 */
export async function writeAtomic(path: string, data: Uint8Array | string): Promise<void> {
  let temporary: string | undefined;
  try {
    await mkdir(dirname(path), { recursive: true });
    const { target, mode } = await replaced(path);
    temporary = join(dirname(target), `.${basename(target)}.tmp`);
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(path, cause);
  }
}

/** The file that is replaced, behind links, and its mode. */
async function replaced(path: string): Promise<{ readonly target: string; readonly mode: number }> {
  try {
    const target = await realpath(path);
    return { target, mode: (await stat(target)).mode & 0o777 };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { target: path, mode: 0o644 };
    throw error;
  }
}

export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    throw unwritable(to, cause);
  }
}

export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
