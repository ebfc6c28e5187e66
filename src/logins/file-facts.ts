import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../io/read.js';
import type { UserAccount } from './accounts.js';

/** What lstat(2) says of a place where a file of records should be. */
export interface FileFacts {
  readonly path: string;
  readonly type: 'file' | 'link' | 'other' | 'missing';
  /** of a link */
  readonly target: string | undefined;
  readonly uid: number;
  /** permission bits */
  readonly mode: number;
  readonly size: number;
  /** milliseconds since 1970 */
  readonly changed: number;
  /** files beside it that logrotate(8) put aside */
  readonly rotations: number;
}

/** What a shell keeps of an account, as far as it says something. */
export interface HistoryFacts extends FileFacts {
  readonly user: string;
}

/** The places of the binary records, in the order of how much they matter. */
const PLACES = ['var/log/wtmp', 'var/log/btmp', 'var/log/lastlog'];
const HISTORIES = ['.bash_history', '.zsh_history', '.ash_history'];

export interface RecordFacts {
  readonly records: readonly FileFacts[];
  readonly histories: readonly HistoryFacts[];
  /** whose the root is: in a copy that somebody made, all of it */
  readonly owner: number;
  /** how old the system is, milliseconds: since its machine-id(5) was made; undefined: not known */
  readonly age: number | undefined;
}

/** Looks at the files alone, not into them. What may not be looked at is missing here, and its reader tells so. */
export async function recordFacts(root: string, accounts: readonly UserAccount[], now: number): Promise<RecordFacts> {
  const records = await Promise.all(PLACES.map((place) => fileFacts(join(root, place))));
  const homes = accounts.filter(({ home }) => home.startsWith('/') && home.length > 1);
  const histories = await Promise.all(
    homes.flatMap(({ name, home }) =>
      HISTORIES.map(async (file) => ({ ...(await fileFacts(join(root, home, file))), user: name })),
    ),
  );
  const machine = await fileFacts(join(root, 'etc/machine-id'));
  return {
    records,
    histories: histories.filter(({ type }) => type !== 'missing'),
    owner: (await fileFacts(root)).uid,
    age: machine.type === 'file' ? now - machine.changed : undefined,
  };
}

async function fileFacts(path: string): Promise<FileFacts> {
  try {
    const facts = await lstat(path);
    const type = facts.isSymbolicLink() ? 'link' : facts.isFile() ? 'file' : 'other';
    return {
      path,
      type,
      target: type === 'link' ? await readlink(path) : undefined,
      uid: facts.uid,
      mode: facts.mode & 0o7777,
      size: facts.size,
      changed: facts.mtimeMs,
      rotations: await rotationsOf(path),
    };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    const nothing = { target: undefined, uid: 0, mode: 0, size: 0, changed: 0 };
    return { path, type: 'missing', ...nothing, rotations: await rotationsOf(path) };
  }
}

async function rotationsOf(path: string): Promise<number> {
  const [, folder = '', name = ''] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
  try {
    return (await readdir(folder)).filter((each) => each.startsWith(`${name}.`) || each.startsWith(`${name}-`)).length;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 0;
  }
}
