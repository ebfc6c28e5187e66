import { pipeline, Readable } from 'node:stream';
import { BlocklistError } from '../errors.js';
import { largeFileChunks, listTooLarge } from './read.js';

/**
 * The chunks, unpacked when they begin with the gzip magic (RFC 1952 section 2.3.1: `1f 8b`), whatever the name says.
 * @throws BlocklistError `too-large` when more than `cap` bytes come out, `bad-gzip` for a damaged or truncated stream.
 */
export async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  cap: number,
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let headBytes = 0;
  while (headBytes < 2) {
    const next = await iterator.next();
    if (next.done === true) break;
    // A copy: the reader may overwrite a chunk as soon as the next one is asked for.
    head.push(new Uint8Array(next.value));
    headBytes += next.value.length;
  }
  const [first = 0, second = 0] = head.flatMap((chunk) => [...chunk.subarray(0, 2)]);
  const whole = rejoin(head, iterator);
  yield* capped(first === 0x1f && second === 0x8b ? gunzip(copies(whole), where) : whole, cap, where);
}

/** Far above what a disk holds of one file: an end for what unpacks without one. */
const ENDLESS = 2 ** 40;

/**
 * The bytes of a regular file of any size, unpacked, in constant memory. Each chunk is overwritten by the next.
 * @throws BlocklistError `file-unreadable`, `too-large`, `bad-gzip`
 */
export function unpackedFile(path: string, cap = ENDLESS): AsyncGenerator<Uint8Array, void, undefined> {
  return unpacked(largeFileChunks(path), cap, path);
}

/** Passes the chunks on. @throws BlocklistError `too-large` when they are more than `cap` bytes together. */
async function* capped(
  chunks: AsyncIterable<Uint8Array>,
  cap: number,
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > cap) throw listTooLarge(cap, where);
    yield chunk;
  }
}

async function* rejoin(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* head;
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

/** For who keeps a chunk while the next one is read, as zlib does in another thread. */
export async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array, void, undefined> {
  // Loaded when needed: most lists are not packed, and `merge` is measured in milliseconds.
  const { createGunzip } = await import('node:zlib');
  const output = pipeline(Readable.from(chunks, { objectMode: true }), createGunzip({ chunkSize: 1 << 18 }), () => {
    // The error is thrown by the iteration below.
  });
  try {
    for await (const chunk of output) yield chunk as Uint8Array;
  } catch (cause) {
    if (cause instanceof BlocklistError) throw cause;
    throw new BlocklistError('bad-gzip', 'the gzip data is damaged or cut off', {
      where,
      hint: 'fetch the file again',
      cause,
    });
  }
}
