import type { UserAccount } from './accounts.js';
import type { LoginEvents } from './event.js';
import type { FileKind } from './find.js';
import { readLastlog } from './lastlog.js';
import { readLastlog2 } from './lastlog2.js';
import { readLog } from './log-file.js';
import { readUtmp } from './utmp-file.js';
import { readWtmpdb } from './wtmpdb.js';
import type { Zone } from './zone.js';

/** What readers need to know beside the file. */
export interface Reading {
  /** of the host that wrote the records */
  readonly zone: Zone;
  readonly accounts: readonly UserAccount[];
  /** milliseconds since 1970 */
  readonly now: number;
}

/** Reads the records of one file. Throws a BlocklistError when it cannot be read or holds something else. */
export type Reader = (path: string, reading: Reading) => LoginEvents;

/** By kind of record; the journal is no file and is read on its own. */
export const READERS: Readonly<Record<FileKind, Reader>> = {
  wtmp: (path, { now }) => readUtmp(path, 'wtmp', now),
  btmp: (path, { now }) => readUtmp(path, 'btmp', now),
  utmp: (path, { now }) => readUtmp(path, 'utmp', now),
  lastlog: (path, { accounts }) => readLastlog(path, accounts),
  wtmpdb: (path, { now }) => readWtmpdb(path, now),
  lastlog2: (path) => readLastlog2(path),
  log: (path, { zone }) => readLog(path, zone),
};
