import type { Writable } from 'node:stream';

/** Writes, and waits until the data has gone, so that its buffer can be used again. */
export function put(stream: Writable, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error == null ? resolve() : reject(error))));
}

const CHUNK = 1 << 16;

/** Writes pieces of text one after the other, many at once, and no faster than they are taken. */
export async function putAll(stream: Writable, pieces: Iterable<string>): Promise<void> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK) continue;
    await put(stream, text);
    text = '';
  }
  if (text !== '') await put(stream, text);
}
