import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlocklistError } from '../errors.js';
import { fileLines } from '../io/file-lines.js';
import { errnoOf } from '../io/read.js';
import { LoginBook } from './book.js';
import type { LoginEvents } from './event.js';
import { findRecords, type RecordFile } from './find.js';
import { type JournalPlace, journalEvents, readJournal } from './journal.js';
import { kindOfFile } from './kind.js';
import { READERS, type Reading } from './readers.js';
import type { Visit } from './visit.js';

/** Records that are read, by what a person calls them. */
export interface RecordSource {
  /** a path, or `journal` */
  readonly name: string;
  readonly open: (reading: Reading) => LoginEvents;
}

export interface Sources {
  readonly all: readonly RecordSource[];
  /** those of them that are files where they usually are */
  readonly files: readonly RecordFile[];
  /** what could not be looked at */
  readonly closed: readonly Unread[];
}

/** What could not be read, and why. */
export interface Unread {
  readonly name: string;
  readonly why: string;
  readonly hint: string | undefined;
}

export interface Gathered {
  readonly files: readonly RecordFile[];
  readonly book: LoginBook;
  /** in the order of time */
  readonly visits: readonly Visit[];
  /** names of what was read to its end */
  readonly read: readonly string[];
  readonly unread: readonly Unread[];
}

/**
 * The records of the system below `root`.
 * @param since milliseconds since 1970: files that were not changed after it are left out
 */
export async function sourcesBelow(root: string, since: number | undefined): Promise<Sources> {
  const { files, closed } = await findRecords(root);
  const wanted = files.filter(({ changed }) => since === undefined || changed >= since);
  const journal = await journalBelow(root);
  const hidden = journal === undefined ? [] : await hiddenJournals(journal);
  // The log before btmp, which is looked up in what the others told.
  const [late, early] = [wanted.filter(({ kind }) => kind === 'btmp'), wanted.filter(({ kind }) => kind !== 'btmp')];
  return {
    all: [
      ...early.map(ofFile),
      ...(journal === undefined ? [] : [{ name: 'journal', open: () => readJournal(journal, since) }]),
      ...late.map(ofFile),
    ],
    files,
    closed: [
      ...closed.map(({ path, why }) => ({ name: path, why, hint: undefined })),
      ...hidden,
      ...(journal === undefined && !files.some(({ kind }) => kind === 'log') ? [NO_LOG] : []),
    ],
  };
}

const NO_LOG: Unread = {
  name: 'logs',
  why: 'there is neither a log nor a journal here, and of logins without a terminal (scp, ssh HOST COMMAND) nothing else tells',
  hint: 'see that journald or syslog keeps them',
};

function ofFile({ kind, path }: RecordFile): RecordSource {
  return { name: path, open: (reading) => READERS[kind](path, reading) };
}

/** Files that somebody names, each by what it holds. @throws BlocklistError `file-unreadable`, `source-empty` */
export async function sourcesOf(paths: readonly string[], since: number | undefined): Promise<Sources> {
  const all = await Promise.all(
    paths.map(async (path): Promise<RecordSource> => {
      const kind = await kindOfFile(path);
      if (kind === 'journal')
        return { name: path, open: () => readJournal({ argv: ['--file', path], name: path }, since) };
      if (kind === 'journal-json') return { name: path, open: () => journalEvents(fileLines(path), path) };
      return ofFile({ kind, path, changed: 0 });
    }),
  );
  return { all, files: [], closed: [] };
}

/** A journal on disk: its folder, and its files below it. */
interface Journal extends JournalPlace {
  readonly folder: string;
  readonly files: readonly string[];
}

/** Where the journal of a system is: with persistent storage, or until the next start. */
async function journalBelow(root: string): Promise<Journal | undefined> {
  for (const folder of ['var/log/journal', 'run/log/journal']) {
    const path = join(root, folder);
    const files = await journalsIn(path);
    if (files.length === 0) continue;
    // Of this host journalctl merges both, and asks journald to write down what it has.
    return {
      argv: root === '/' ? [] : ['--directory', path],
      name: root === '/' ? 'journal' : path,
      folder: path,
      files,
    };
  }
  return undefined;
}

/** journalctl leaves out in silence what this user may not read: the journals of the system and of others. */
async function hiddenJournals({ folder, files }: Journal): Promise<Unread[]> {
  const readable = await Promise.all(files.map((name) => mayRead(join(folder, name))));
  const count = readable.filter((may) => !may).length;
  if (count === 0) return [];
  const why = `${count} of ${files.length} files may not be read`;
  return [{ name: folder, why, hint: 'run as root, or as a member of the group systemd-journal' }];
}

async function journalsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.journal'));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

async function mayRead(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch (error) {
    // Put aside meanwhile.
    return errnoOf(error) === 'ENOENT';
  }
}

/** Reads all of them, one after the other. What cannot be read is told, and the rest is read all the same. */
export async function gatherLogins({ all, files, closed }: Sources, reading: Reading): Promise<Gathered> {
  const book = new LoginBook();
  const read: string[] = [];
  const unread = [...closed];
  for (const { name, open } of all) {
    try {
      for await (const event of open(reading)) book.take(event);
      read.push(name);
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      unread.push({ name, why: error.message, hint: error.hint });
    }
  }
  return { files, book, visits: book.close(), read, unread };
}
