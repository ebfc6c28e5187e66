import type { Nft } from '../apply/nft.js';
import { BlocklistError } from '../errors.js';
import { formatPrefix } from '../ip/index.js';
import {
  LOCKDOWN_EMERGENCY,
  LOCKDOWN_TABLE,
  type Lockdown,
  lockdownScript,
  preludeScript,
  REMOVAL_SCRIPT,
} from './lockdown.js';
import { hasLockdownTable, type Standing, standingLockdown } from './standing.js';

/**
 * Puts a lockdown into force, in place of one that stands, and reads it back. Undefined when its time is over by then.
 * @throws BlocklistError as Nft.load: the kernel is then as before; `verify-differs`: something is loaded, and it is not this.
 */
export async function enforce(nft: Nft, lockdown: Lockdown): Promise<Standing | undefined> {
  const isFirst = (await standingLockdown(nft)) === undefined;
  if (isFirst) await nft.load(Buffer.from(preludeScript(lockdown)));
  try {
    await nft.load(Buffer.from(lockdownScript(lockdown)));
  } catch (error) {
    if (isFirst) await nft.load(Buffer.from(REMOVAL_SCRIPT));
    throw error;
  }
  const standing = await standingLockdown(nft);
  if (standing === undefined && lockdown.seconds !== undefined) return undefined;
  if (standing?.isIntact === true && text(standing) === text(lockdown)) return standing;
  throw new BlocklistError('verify-differs', 'the lockdown is loaded, but the kernel differs from it', {
    where: `inet ${LOCKDOWN_TABLE}`,
    hint: `another program changes the table: see nft list ruleset; to remove it: ${LOCKDOWN_EMERGENCY}`,
  });
}

function text({ allow, ports, cutOutbound }: Omit<Lockdown, 'seconds'>): string {
  return `${allow.map(formatPrefix).join(' ')}; ${ports.join(' ')}; ${cutOutbound}`;
}

/** Whether there was one to be removed, in force or not. @throws BlocklistError as Nft.load */
export async function liftLockdown(nft: Nft): Promise<boolean> {
  const isThere = await hasLockdownTable(nft);
  if (isThere) await nft.load(Buffer.from(REMOVAL_SCRIPT));
  return isThere;
}
