import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { grouped } from './figures.js';

const READ_CHUNK = 1 << 18;
const LARGE_CHUNK = 1 << 20;

/** The system's name of an error (`ENOENT`), or undefined for any other failure. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What stat(2) says of a path, with its links followed; undefined when there is none. At once: another thread would take twenty times as long. */
export function factsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

const READ_ERRORS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ['no such file', 'check the name'],
  EACCES: ['no permission to read it', 'run as a user who may read it'],
  EISDIR: ['it is a directory', 'name a file in it'],
};

/** A file that cannot be read, and what to do about it. */
export function unreadable(path: string, cause: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const [what, hint] = READ_ERRORS[errnoOf(cause) ?? ''] ?? [String(cause), 'check the file'];
  return new BlocklistError('file-unreadable', `cannot read ${path}: ${what}`, { where: path, hint, cause });
}

/**
 * The bytes of a file, pipe or `/dev/fd/N` in order, in constant memory. Each chunk is overwritten by the next: use it up first.
 * Reads synchronously, which halves the cost per chunk and lets a signal end a read that waits for a pipe.
 * @throws BlocklistError `file-unreadable`.
 */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const file = openSync(path, 'r');
    try {
      yield* chunksFrom(file, READ_CHUNK);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** What is left of an open file, always in the same memory. */
function* chunksFrom(file: number, size: number): Generator<Uint8Array, void, undefined> {
  const chunk = new Uint8Array(size);
  for (let got = readSync(file, chunk); got > 0; got = readSync(file, chunk)) yield chunk.subarray(0, got);
}

/**
 * As fileChunks, but only for a regular file: a configured path that turns out to be a pipe or a device must not
 * hold the night run for ever, so it is opened without waiting and refused.
 */
export async function* regularFileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) throw noList(path);
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

/**
 * The bytes of a regular file in order, without waiting, as fileChunks: for logs of gigabytes. Each chunk is overwritten by the next.
 * @throws BlocklistError `file-unreadable`
 */
export async function* largeFileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) throw noList(path);
      yield* chunksFrom(file, LARGE_CHUNK);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The whole of a small regular file, or undefined when there is none. @throws BlocklistError `file-unreadable`, `too-large`. */
export async function readWhole(path: string, cap: number): Promise<Buffer | undefined> {
  try {
    // As in regularFileChunks; and what is judged is what is read, whoever may change the folder meanwhile.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      requireSmall(await handle.stat(), path, cap);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unreadable(path, cause);
  }
}

/**
 * readWhole for many files in a row, of which each is looked at and dropped: without waiting, and always into the same memory, as a hundred promises and
 * fresh memory for each cost three times the reading. What it returns is overwritten by the next read.
 */
export class FileLooker {
  private memory = Buffer.allocUnsafeSlow(1 << 20);

  /** @throws BlocklistError `file-unreadable`, `too-large`. */
  read(path: string, cap: number): Buffer | undefined {
    try {
      // Half of the files that are looked for are not there, and an error is slow to make.
      if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
      const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { size } = requireSmall(fstatSync(file), path, cap);
        if (size > this.memory.length) this.memory = Buffer.allocUnsafeSlow(size);
        return filled(file, this.memory.subarray(0, size));
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw unreadable(path, cause);
    }
  }
}

/** @throws BlocklistError `file-unreadable`, `too-large` */
function requireSmall(facts: Stats, path: string, cap: number): Stats {
  if (!facts.isFile()) {
    throw new BlocklistError('file-unreadable', `cannot read ${path}: it is not a regular file`, { where: path });
  }
  if (facts.size <= cap) return facts;
  throw new BlocklistError('too-large', `${path} has ${facts.size} bytes, more than the ${cap} expected at most`, {
    where: path,
  });
}

/** The first bytes of a regular file, fewer when it is shorter; undefined when there is none. @throws BlocklistError `file-unreadable` */
export async function readHead(path: string, size: number): Promise<Buffer | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unreadable(path, cause);
  }
}

/**
 * All bytes of a regular file, read at once into memory of its size: in pieces, a country database takes ten times as long.
 * @throws BlocklistError `file-unreadable`, `too-large` beyond `cap` bytes.
 */
export async function readRegular(path: string, cap: number): Promise<Buffer> {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(file);
      if (!facts.isFile()) throw noList(path);
      if (facts.size > cap) throw listTooLarge(cap, path);
      return filled(file, Buffer.allocUnsafeSlow(facts.size));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The memory with the first bytes of a file, less of it when the file has become shorter. */
function filled(file: number, memory: Buffer): Buffer {
  let size = 0;
  for (let got = -1; got !== 0 && size < memory.length; size += got) {
    got = readSync(file, memory, size, memory.length - size, size);
  }
  return memory.subarray(0, size);
}

function noList(path: string): BlocklistError {
  return new BlocklistError('file-unreadable', `cannot read ${path}: it is not a regular file`, {
    where: path,
    hint: 'name a file, not a folder, pipe or device',
  });
}

/** For lists, packed or not, wherever their bytes are counted. */
export function listTooLarge(cap: number, where: string): BlocklistError {
  return new BlocklistError('too-large', `the list is larger than ${grouped(cap)} bytes`, {
    where,
    hint: 'no list that is worth loading is that large; check it, or raise max-bytes for this source',
  });
}
