import { copies, unpackedFile } from './gzip.js';
import { linesOf } from './run-lines.js';

const LONGEST = 1 << 23;

/** The lines of a text file, packed or not, in constant memory; one over 8 MiB is left out. @throws BlocklistError `file-unreadable`, `bad-gzip` */
export async function* fileLines(path: string): AsyncGenerator<string, void, undefined> {
  yield* linesOf(copies(unpackedFile(path)), LONGEST);
}
