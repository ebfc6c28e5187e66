import { unpacked } from './gzip.js';
import { largeFileChunks } from './read.js';
import { linesOf } from './run-lines.js';

const LONGEST = 1 << 23;
const CAP = 2 ** 40;

/** The lines of a text file, packed or not, in constant memory; one over 8 MiB is left out. @throws BlocklistError `file-unreadable`, `bad-gzip` */
export async function* fileLines(path: string): AsyncGenerator<string, void, undefined> {
  yield* linesOf(copies(unpacked(largeFileChunks(path), CAP, path)), LONGEST);
}

/** A line may go over chunks, and each chunk is overwritten by the next. */
async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}
