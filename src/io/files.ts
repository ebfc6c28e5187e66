import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lock as takeLock } from 'proper-lockfile';
import writeFileAtomic from 'write-file-atomic';
import { BlocklistError } from '../errors.js';

const READ_CHUNK = 1 << 20;

/** The system's name of an error (`ENOENT`), or undefined for any other failure. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const READ_ERRORS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ['no such file', 'check the name'],
  EACCES: ['no permission to read it', 'run as a user who may read it'],
  EISDIR: ['it is a directory', 'name a file in it'],
};

function unreadable(path: string, cause: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const [what, hint] = READ_ERRORS[errnoOf(cause) ?? ''] ?? [String(cause), 'check the file'];
  return new BlocklistError('file-unreadable', `cannot read ${path}: ${what}`, { where: path, hint, cause });
}

/** The bytes of a file, pipe or `/dev/fd/N` in order, in constant memory. @throws BlocklistError `file-unreadable`. */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_CHUNK })) yield chunk as Uint8Array;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * As fileChunks, but only for a regular file: a configured path that turns out to be a pipe or a device must not
 * hold the night run for ever, so it is opened without waiting and refused.
 */
export async function* regularFileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) {
        throw new BlocklistError('file-unreadable', `cannot read ${path}: it is not a regular file`, {
          where: path,
          hint: 'a source is a file with addresses, not a folder, pipe or device',
        });
      }
      for await (const chunk of handle.createReadStream({ highWaterMark: READ_CHUNK, autoClose: false })) {
        yield chunk as Uint8Array;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The whole of a small regular file, or undefined when there is none. @throws BlocklistError `file-unreadable`, `too-large`. */
export async function readWhole(path: string, cap: number): Promise<Buffer | undefined> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) {
      throw new BlocklistError('file-unreadable', `cannot read ${path}: it is not a regular file`, { where: path });
    }
    if (facts.size > cap) {
      throw new BlocklistError('too-large', `${path} has ${facts.size} bytes, more than the ${cap} expected at most`, {
        where: path,
      });
    }
    return await readFile(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unreadable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): BlocklistError {
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

/**
 * Runs `work` while holding the one lock of all writers in `folder`. A lock whose owner died is taken over after 30 s without a sign of life.
 * @throws BlocklistError `locked` when another run holds it.
 */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await makeFolder(folder);
  let release: () => Promise<void>;
  try {
    release = await takeLock(folder, { stale: 30_000, retries: { retries: 20, minTimeout: 100, maxTimeout: 500 } });
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
