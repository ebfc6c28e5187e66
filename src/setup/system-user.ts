import { BlocklistError } from '../errors.js';
import { findAccount } from '../io/passwd.js';
import { type RunResult, run } from '../io/run.js';
import { below, PLACE, SYSTEM_USER } from './layout.js';

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** The numbers of a local user, undefined when there is none. */
export function idsOf(user: string, root = '/'): Promise<Ids | undefined> {
  return findAccount(({ name }) => name === user, below(root, '/etc/passwd'));
}

/** The ways to make a system user, the first that is installed: systemd's, that of most others, busybox's. */
const WAYS: ReadonlyArray<ReadonlyArray<readonly [string, ...string[]]>> = [
  [['systemd-sysusers', PLACE.systemUser]],
  [
    [
      'useradd',
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      PLACE.updateState,
      '--shell',
      '/usr/sbin/nologin',
      SYSTEM_USER,
    ],
  ],
  [
    ['addgroup', '-S', SYSTEM_USER],
    ['adduser', '-S', '-D', '-H', '-h', PLACE.updateState, '-s', '/sbin/nologin', '-G', SYSTEM_USER, SYSTEM_USER],
  ],
];

/** @throws BlocklistError `program-missing`, `program-failed` */
export async function makeUser(): Promise<void> {
  for (const way of WAYS) {
    try {
      for (const argv of way) requireDone(argv, await run(argv));
      return;
    } catch (error) {
      if (!(error instanceof BlocklistError) || error.code !== 'program-missing') throw error;
    }
  }
  throw new BlocklistError('program-missing', 'there is neither systemd-sysusers nor useradd nor adduser', {
    where: SYSTEM_USER,
    hint: `make a system user and group ${SYSTEM_USER} by hand, then install again`,
  });
}

/** @throws BlocklistError `program-failed` with what the program said */
export function requireDone(argv: readonly string[], { status, stderr }: RunResult): void {
  if (status === 0) return;
  const said = stderr.trim().split('\n').slice(-3).join(' ').slice(0, 300);
  throw new BlocklistError('program-failed', `${argv.join(' ')}: ${said || `exit status ${status}`}`, {
    where: argv[0] ?? '',
    hint: 'mend what it says, then run this again: what is done already is not done twice',
  });
}
