import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
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
 * Writes a file so that it is the old one or the new one at every moment: temporary name in the same folder, fsync, rename.
 * @throws BlocklistError `file-unwritable`; the old file is then untouched.
 */
export async function writeAtomic(path: string, data: Uint8Array | string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(
      path,
      typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.length),
    );
  } catch (cause) {
    throw unwritable(path, cause);
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
