import { constants } from 'node:fs';
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BlocklistError } from '../errors.js';
import { errnoOf } from './read.js';

export function unwritable(path: string, cause: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const errno = errnoOf(cause);
  const hint = errno === 'ENOSPC' ? 'free some space; the file is as it was' : 'check the folder and who may write it';
  const what = errno ?? String(cause);
  return new BlocklistError('file-unwritable', `cannot write ${path}: ${what}`, { where: path, hint, cause });
}

/**
 * Modes of what we make, whatever the umask of who calls: root without CAP_DAC_OVERRIDE reads what the service user writes and the other way round, as
 * anybody may, and nobody else writes it.
 */
export const FOLDER_MODE = 0o755;
export const FILE_MODE = 0o644;

export async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** With those above it. A folder that is there keeps its mode. */
async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  const shortest = resolve(first).length;
  for (let made = resolve(path); made.length >= shortest; made = dirname(made)) await openToAll(made);
}

/** What it opens is the folder that was made, never a link that took its place. */
async function openToAll(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  await handle.chmod(FOLDER_MODE).finally(() => handle.close());
}

/**
 * Writes a file so that it is the old one or the new one at every moment: temporary name in the same folder, fsync, rename. Our own, because
 * write-file-atomic takes a short write on a disk that fills up for a whole one, and renames the torso.
 * The temporary name is fixed: all writers hold the lock, and what a killed one left is removed. So is a link that somebody put there.
 * @param mode default: that of the file that is replaced
 * @throws BlocklistError `file-unwritable`; the old file is then untouched.
 */
export async function writeAtomic(path: string, data: Uint8Array | string, mode?: number): Promise<void> {
  let temporary: string | undefined;
  try {
    await makeFolders(dirname(path));
    const { target, mode: before } = await replaced(path);
    temporary = join(dirname(target), `.${basename(target)}.tmp`);
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.chmod(mode ?? before);
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
    if (errnoOf(error) === 'ENOENT') return { target: path, mode: FILE_MODE };
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
