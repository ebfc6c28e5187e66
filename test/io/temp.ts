import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BlocklistError } from '../../src/errors.js';

/** An empty folder that goes away with the test. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'blocklist-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The BlocklistError that `work` ends with; any other error goes through, and so does success. */
export async function problemOf(work: () => Promise<unknown>): Promise<BlocklistError> {
  let value: unknown;
  try {
    value = await work();
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
  throw new Error(`expected a BlocklistError, got ${JSON.stringify(value)}`);
}

/** All bytes of a stream of chunks. */
export async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(Uint8Array.from(chunk));
  return Buffer.concat(kept);
}

/** The pieces as a stream, a turn of the event loop apart. */
export async function* piecewise(...pieces: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await new Promise(setImmediate);
    yield typeof piece === 'string' ? Buffer.from(piece) : piece;
  }
}
