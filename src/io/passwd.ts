import { readWhole } from './read.js';

/** An account of this machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** primary group */
  readonly gid: number;
}

const ACCOUNTS = '/etc/passwd';
const LARGEST = 1 << 24;
/** passwd(5): seven fields. (uid_t) −1 stands for "no change" in chown(2) and setreuid(2), so it is nobody's. */
const LINE = /^([a-z_][a-z0-9_-]{0,31}\$?):[^:]*:(\d{1,10}):(\d{1,10}):[^:]*:[^:]*:[^:]*$/;
const NO_ID = 0xffff_ffff;

/** The first account for which `is` holds, as getpwnam(3) finds it; a line in another form is nobody. @throws BlocklistError `file-unreadable`. */
export async function findAccount(is: (account: Account) => boolean, file = ACCOUNTS): Promise<Account | undefined> {
  const text = (await readWhole(file, LARGEST))?.toString('utf8') ?? '';
  for (const line of text.split('\n')) {
    const [, name = '', uid, gid] = LINE.exec(line) ?? [];
    const account = { name, uid: Number(uid), gid: Number(gid) };
    if (name !== '' && account.uid < NO_ID && account.gid < NO_ID && is(account)) return account;
  }
  return undefined;
}
