import { open, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from 'sql.js';
import { BlocklistError } from '../errors.js';
import { errnoOf, readWhole } from './read.js';

/** Columns of a table or of a query in brackets, as SQL: texts of this program, never of a user. */
export interface SqliteQuery {
  readonly columns: readonly string[];
  readonly from: string;
}

/** The rows of a query, one array for each; what they hold is for the caller to check. @throws BlocklistError `bad-database` */
export type AskSqlite = (query: SqliteQuery) => unknown;

/** Above a database of a million bans with their log lines. */
const CAP = 2 ** 28;
/** SQLite file format, section 1.3.1 */
const MAGIC = 'SQLite format 3\0';

/**
 * Reads a database that another program may be writing, without a lock and without writing anything beside it. The engine is a WebAssembly
 * build, which works on bytes: nothing is compiled or downloaded at install. Loading it takes some 40 ms.
 * @returns what `use` returns, undefined when there is no such file
 * @throws BlocklistError `file-unreadable`, `bad-database` for what is none or damaged, `database-busy` when it holds changes that these bytes do not show
 */
export async function readSqlite<T>(path: string, use: (ask: AskSqlite) => T): Promise<T | undefined> {
  const bytes = await quietBytes(path);
  if (bytes === undefined) return undefined;
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw badDatabase(path, bytes.length === 0 ? 'it is empty' : 'it is no SQLite database');
  }
  const { default: initialise } = await import('sql.js');
  const { Database } = await initialise();
  const database = new Database(bytes);
  try {
    requireWhole(path, database);
    return use(({ columns, from }) => {
      // As one text: a call for each cell takes four times as long.
      const all = `SELECT json_group_array(json_array(${columns.join(', ')})) FROM ${from}`;
      return JSON.parse(String(first(path, database, all)));
    });
  } finally {
    database.close();
  }
}

/** Damage in the middle may leave a query that answers with some of the rows. */
function requireWhole(path: string, database: Database): void {
  const found = first(path, database, 'PRAGMA quick_check(1)');
  if (found !== 'ok') throw badDatabase(path, String(found));
}

function first(path: string, database: Database, sql: string): unknown {
  try {
    return database.exec(sql)[0]?.values[0]?.[0];
  } catch (cause) {
    // The engine throws plain errors, all of them about what it was given.
    throw badDatabase(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function badDatabase(where: string, what: string, cause?: unknown): BlocklistError {
  return new BlocklistError('bad-database', `the database cannot be read: ${what}`, {
    where,
    hint: 'the program that owns it mends or replaces it at its next start',
    cause,
  });
}

const ATTEMPTS = 20;
const PAUSE_MS = 100;

/** The bytes of a moment at which nobody was writing. */
async function quietBytes(path: string): Promise<Buffer | undefined> {
  let busy = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await pause(PAUSE_MS);
    const before = await readWhole(path, CAP);
    if (before === undefined) return undefined;
    // A write that spans both readings is noticed here, every other by what it changed.
    const obstacle = await writing(path);
    busy = obstacle ?? 'it changes all the time';
    if (obstacle !== undefined) continue;
    const after = await readWhole(path, CAP);
    if (after?.equals(before)) return after;
  }
  throw isBusy(path, busy);
}

function isBusy(path: string, what: string): BlocklistError {
  return new BlocklistError('database-busy', `the database holds more than its file shows: ${what}`, {
    where: path,
    hint: 'try again when its writer is done; a copy made by SQLite itself (its backup) can be read at any time',
  });
}

/** What stands in the way of reading the file alone; undefined: nothing. */
async function writing(path: string): Promise<string | undefined> {
  // Changes in a write-ahead log are not in the file yet, and this engine would pass over them in silence (wal.html, section 4).
  if ((await firstByte(`${path}-wal`)) !== undefined) throw isBusy(path, 'a write-ahead log (-wal) lies beside it');
  // A journal whose first byte is zero is over (PRAGMA journal_mode=PERSIST); any other is of a transaction, or of a crash.
  if (((await firstByte(`${path}-journal`)) ?? 0) !== 0) return 'a journal (-journal) lies beside it';
  return (await isLocked(path)) ? 'a writer holds it locked' : undefined;
}

async function firstByte(path: string): Promise<number | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
      return bytesRead === 0 ? undefined : buffer[0];
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw new BlocklistError('file-unreadable', `cannot read ${path}: ${errnoOf(cause)}`, {
      where: path,
      hint: 'run as a user who may read it',
      cause,
    });
  }
}

/** Bytes of the file that stand for its locks (SQLite os.h): PENDING and, behind RESERVED, the shared range. RESERVED alone changes no file yet. */
const PENDING = 0x4000_0000;
const SHARED_END = PENDING + 1 + 510;
/** proc(5), /proc/locks: kind, mode, pid, device and inode, first and last byte */
const LOCK = /(?:POSIX|OFDLCK) +\w+ +WRITE +\S+ +\w+:\w+:(\d+) (\d+) (\d+|EOF)$/;

/** Whether somebody is writing into the file right now. Where the kernel does not tell, what was read twice has to do. */
async function isLocked(path: string): Promise<boolean> {
  const ino = await inodeOf(path);
  const locks = await lockLines();
  return locks.some((line) => {
    const [, inode, from, to] = LOCK.exec(line) ?? [];
    if (inode !== String(ino)) return false;
    const [start, end] = [Number(from), to === 'EOF' ? Number.POSITIVE_INFINITY : Number(to)];
    const isReserved = start === PENDING + 1 && end === PENDING + 1;
    return !isReserved && start <= SHARED_END && end >= PENDING;
  });
}

/** undefined when it went away meanwhile, which the second reading notices. */
async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function lockLines(): Promise<string[]> {
  try {
    const file = await open('/proc/locks', 'r');
    const text = await file.readFile('latin1').finally(() => file.close());
    return text.split('\n');
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}
