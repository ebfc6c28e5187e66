import fs from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { lock as takeLock } from 'proper-lockfile';
import { BlocklistError } from '../errors.js';
import { errnoOf } from './read.js';
import { FOLDER_MODE, makeFolder, unwritable } from './write.js';

/** The lock is a folder: who can put a file into it keeps it from being given back. */
const CLOSED = {
  ...fs,
  mkdir: (path: string, done: (error: Error | null) => void) => fs.mkdir(path, FOLDER_MODE, done),
};

const RETRIES = { usual: 20, long: 80 } as const;

/**
 * Runs `work` while holding the one lock of all writers in `folder`. A lock whose owner died is taken over after 30 s without a sign of life.
 * @param patience how long it waits for another run: `usual` some 10 s, `long` 40 s, for what nobody tries a second time
 * @throws BlocklistError `locked` when another run holds it.
 */
export async function withLock<T>(
  folder: string,
  work: () => Promise<T>,
  patience: keyof typeof RETRIES = 'usual',
): Promise<T> {
  await makeFolder(folder);
  try {
    // The lock would try again and again on a file system that is read-only.
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  let release: () => Promise<void>;
  try {
    release = await takeLock(folder, {
      // Inside the folder: its parent belongs to somebody else on a host where a service user runs the night.
      lockfilePath: join(folder, 'lock'),
      fs: CLOSED,
      stale: 30_000,
      retries: { retries: RETRIES[patience], minTimeout: 100, maxTimeout: 500 },
    });
  } catch (cause) {
    if (errnoOf(cause) !== 'ELOCKED') throw unwritable(folder, cause);
    throw new BlocklistError('locked', 'another blocklist run is writing', {
      where: folder,
      hint: 'wait for it to end; a lock left by a crash is taken over after 30 seconds',
      cause,
    });
  }
  try {
    return await work();
  } finally {
    await release();
  }
}
