import { join } from 'node:path';
import { readWhole } from '../io/read.js';

/** An account of the system that is looked at, which may not be this one. */
export interface UserAccount {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

export interface Accounts {
  readonly all: readonly UserAccount[];
  /** names of those who may become root: uid 0, and members of the groups that sudo trusts by custom */
  readonly admins: ReadonlySet<string>;
}

const LARGEST = 1 << 24;
/** Debian, the others, old Ubuntu */
const ADMIN_GROUPS: ReadonlySet<string> = new Set(['sudo', 'wheel', 'admin']);

/** The accounts below a root, by passwd(5) and group(5); lines in another form are nobody. @throws BlocklistError `file-unreadable` */
export async function accountsBelow(root: string): Promise<Accounts> {
  const all = (await rowsOf(join(root, 'etc/passwd'))).flatMap(([name = '', , uid = '', , , home = '']) =>
    name !== '' && /^\d{1,10}$/.test(uid) ? [{ name, uid: Number(uid), home }] : [],
  );
  const groups = await rowsOf(join(root, 'etc/group'));
  const members = groups.flatMap(([group = '', , , names = '']) => (ADMIN_GROUPS.has(group) ? names.split(',') : []));
  const roots = all.filter(({ uid }) => uid === 0).map(({ name }) => name);
  return { all, admins: new Set([...roots, ...members.filter((name) => name !== '')]) };
}

async function rowsOf(path: string): Promise<string[][]> {
  const text = (await readWhole(path, LARGEST))?.toString('utf8') ?? '';
  return text.split('\n').map((line) => line.split(':'));
}
