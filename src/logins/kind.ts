import { basename } from 'node:path';
import { BlocklistError } from '../errors.js';
import { unpackedFile } from '../io/gzip.js';
import { type FileKind, kindOfName } from './find.js';

/** SQLite file format, section 1.3.1 */
const SQLITE = 'SQLite format 3\0';
/** systemd journal-def.h, struct Header */
const JOURNAL = 'LPKSHHRH';
const HEAD = 512;

/**
 * What a file that somebody names holds, by its first bytes; of what has none that tell, by its name. `journal`: a file of journald; `journal-json`: what
 * journalctl(1) printed with -o json.
 * @throws BlocklistError `file-unreadable`, `bad-gzip`
 */
export async function kindOfFile(path: string): Promise<FileKind | 'journal' | 'journal-json'> {
  const name = basename(path);
  const head = await headOf(path);
  const text = head.toString('latin1');
  if (text.startsWith(SQLITE)) return /lastlog/.test(name) ? 'lastlog2' : 'wtmpdb';
  if (text.startsWith(JOURNAL)) return 'journal';
  if (text.startsWith('{')) return 'journal-json';
  const named = kindOfName(name);
  if (named !== undefined) return named;
  // Records of utmp are full of zeros, and a log has none.
  if (!head.includes(0)) return 'log';
  if (/^btmp/.test(name)) return 'btmp';
  return /^utmp/.test(name) ? 'utmp' : 'wtmp';
}

async function headOf(path: string): Promise<Buffer> {
  for await (const chunk of unpackedFile(path)) return Buffer.from(chunk.subarray(0, HEAD));
  throw new BlocklistError('source-empty', 'the file is empty, so it tells of no login', {
    where: path,
    hint: 'name another one; the records of this host are found without --file',
  });
}
