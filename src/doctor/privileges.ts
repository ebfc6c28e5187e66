import { access, constants } from 'node:fs/promises';
import { requireTrusted } from '../config/owner.js';
import { BlocklistError } from '../errors.js';
import { errnoOf } from '../io/read.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';
import { attempt, wordsOf } from './look.js';

export interface PrivilegeFacts {
  readonly uid: number;
  /** CAP_NET_ADMIN in the effective set */
  readonly mayChangeFirewall: boolean;
  /** files and folders of ours that this user may not read */
  readonly unreadable: readonly string[];
  /** files that others could change for root */
  readonly untrusted: ReadonlyArray<{ readonly where: string; readonly what: string; readonly fix: string }>;
}

/** capabilities(7), bit 12 */
const CAP_NET_ADMIN = 1n << 12n;

async function gather({ root, uid, config, folders, trust }: Host): Promise<PrivilegeFacts> {
  const status = await wordsOf(root, '/proc/self/status');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const ours = [
    ...(config instanceof BlocklistError ? [] : [config.file, config.paths.rules]),
    folders.state,
    folders.cache,
  ];
  const isDenied = await Promise.all(ours.map(isUnreadable));
  const found = trust.flatMap(({ paths, theirs }) =>
    paths.map((path) => attempt(async () => requireTrusted([path], theirs))),
  );
  const untrusted = (await Promise.all(found)).filter((each) => each instanceof BlocklistError);
  // One folder is behind several files.
  const unique = new Map(untrusted.map((error) => [error.where ?? '', error]));
  return {
    uid,
    mayChangeFirewall: (effective & CAP_NET_ADMIN) !== 0n,
    unreadable: ours.filter((_, i) => isDenied[i]),
    untrusted: [...unique].map(([where, { message, hint = '' }]) => ({ where, what: message, fix: hint })),
  };
}

async function isUnreadable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return false;
  } catch (error) {
    // What is not there is told by who needs it.
    return errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM';
  }
}

export function judgePrivileges(facts: PrivilegeFacts, { line }: Bench): Finding[] {
  const { uid, mayChangeFirewall, unreadable, untrusted } = facts;
  return [
    mayChangeFirewall
      ? good('rights', uid === 0 ? 'root, with CAP_NET_ADMIN' : `user ${uid}, with CAP_NET_ADMIN`)
      : uid === 0
        ? told(
            'rights',
            'problem',
            'root without CAP_NET_ADMIN: nothing can be loaded',
            'in a container: run it with --cap-add NET_ADMIN, or run blocklist on the host',
          )
        : told(
            'rights',
            'note',
            'not root: update and build work, loading does not, and much cannot be seen',
            `sudo ${line('doctor')}`,
          ),
    ...unreadable.map((path) =>
      told(
        'readable',
        uid === 0 ? 'problem' : 'unknown',
        `${path} may not be read by this user`,
        `sudo ${line('doctor')}; or chmod a+rX ${path}`,
        path,
      ),
    ),
    ...(untrusted.length === 0
      ? [good('owners', 'nobody else can change what root believes')]
      : untrusted.map(({ where, what, fix }) => told('owners', 'problem', what, fix, where))),
  ];
}

export const privileges = examination('privileges', { gather, judge: judgePrivileges });
