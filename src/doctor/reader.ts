import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findAccount } from '../io/passwd.js';
import { errnoOf } from '../io/read.js';
import { wordsOf } from './look.js';

/** An account that is to read a file, as another one examines it. */
export interface Reader {
  readonly name: string;
  readonly uid: number;
  readonly gids: readonly number[];
}

/** The account of this name with all its groups (passwd(5), group(5)). */
export async function readerOf(root: string, name: string): Promise<Reader | undefined> {
  const account = await findAccount((each) => each.name === name, join(root, '/etc/passwd'));
  if (account === undefined) return undefined;
  const groups = (await wordsOf(root, '/etc/group')).split('\n').map((line) => line.split(':'));
  const others = groups.filter(([, , , members = '']) => members.split(',').includes(name));
  return { name, uid: account.uid, gids: [account.gid, ...others.map(([, , gid]) => Number(gid))] };
}

const READ = 4;
const SEARCH = 1;

/**
 * What keeps a reader out: the file itself, or a folder above it (path_resolution(7)), by owner and mode; access lists are not looked at.
 * @returns undefined when nothing does, or it cannot be seen from here
 */
export async function barrierTo(path: string, reader: Reader): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      if (!isOpen(await stat(folder), reader, SEARCH)) return folder;
      if (folder === dirname(folder)) break;
    }
    return isOpen(await stat(real), reader, READ) ? undefined : path;
  } catch (error) {
    // What is not there is told by who reads it.
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Of the three classes the first that fits decides alone, as in the kernel. */
function isOpen({ mode, uid, gid }: Stats, reader: Reader, right: number): boolean {
  if (reader.uid === 0) return true;
  const shift = uid === reader.uid ? 6 : reader.gids.includes(gid) ? 3 : 0;
  return ((mode >> shift) & right) !== 0;
}
