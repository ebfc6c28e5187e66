import { open, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './read.js';
import { unwritable } from './write.js';

/** Where a symbolic link leads, as it is written in it; undefined when there is no such link. */
export async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/**
 * Makes a symbolic link lead elsewhere: it is the old one or the new one at every moment. What it leads to must be lasting before (`syncFolder`),
 * or a power cut could leave a link to nothing.
 * @throws BlocklistError `file-unwritable`
 */
export async function switchLink(path: string, target: string): Promise<void> {
  const temporary = temporaryLink(path);
  try {
    await rm(temporary, { force: true });
    await symlink(target, temporary);
    await rename(temporary, path);
  } catch (cause) {
    throw unwritable(path, cause);
  }
  await syncFolder(dirname(path));
}

/** The name that a new link has before it is moved into place. */
export function temporaryLink(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/** Makes the names in a folder lasting; fsync of a file does not (fsync(2)). @throws BlocklistError `file-unwritable` */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
