import { dirname } from 'node:path';
import { BlocklistError } from '../errors.js';
import { factsOf } from '../io/read.js';

/** Whose files root may trust: its own, and those of the person who called sudo. */
export interface TrustedOwners {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;
const STICKY = 0o1000;

/**
 * Run as root, what decides the firewall must not be in anyone else's hands: each path and its folder must belong to a
 * trusted owner and be writable by nobody else. Paths that do not exist yet are passed over.
 * @throws BlocklistError `config-owner`
 */
export function requireTrusted(paths: readonly string[], owners: TrustedOwners): void {
  for (const path of new Set(paths.flatMap((each) => [each, dirname(each)]))) {
    const facts = factsOf(path);
    if (facts === undefined) continue;
    if (!owners.uids.includes(facts.uid)) {
      throw new BlocklistError('config-owner', `${path} belongs to user ${facts.uid}, who could change it for root`, {
        where: path,
        hint: `run as that user, or: chown root ${path}`,
      });
    }
    const others = (facts.mode & OTHERS_WRITE) !== 0 && !(facts.isDirectory() && (facts.mode & STICKY) !== 0);
    const group = (facts.mode & GROUP_WRITE) !== 0 && !owners.gids.includes(facts.gid);
    if (others || group) {
      throw new BlocklistError(
        'config-owner',
        `${path} is writable by ${others ? 'everybody' : `group ${facts.gid}`}`,
        {
          where: path,
          hint: `chmod go-w ${path}`,
        },
      );
    }
  }
}
