import { Nft } from '../apply/nft.js';
import { BlocklistError } from '../errors.js';
import { minuteText } from '../io/figures.js';
import { formatPrefix } from '../ip/index.js';
import { LOCKDOWN_TABLE, type Lockdown } from '../respond/lockdown.js';
import { type Standing, standingLockdown } from '../respond/standing.js';
import type { Context } from './context.js';

/** What stands, for commands that only mention it: where the kernel does not answer, their own questions tell why. */
export async function standing(): Promise<Standing | undefined> {
  try {
    return await standingLockdown(new Nft());
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}

/** `LOCKDOWN until 2026-11-28 20:30 UTC: only 203.0.113.7 may reach SSH (port 22); …` */
export function lockdownWords(lockdown: Lockdown, context: Context): string {
  const { allow, ports, cutOutbound } = lockdown;
  const who = allow.length === 0 ? 'nobody' : allow.map(formatPrefix).join(', ');
  const where = `port${ports.length === 1 ? '' : 's'} ${ports.join(', ') || 'none'}`;
  const rest = cutOutbound
    ? 'everything else is dropped, in, through and out'
    : 'everything else that comes in or passes through is dropped';
  return `LOCKDOWN ${timeWords(lockdown, context)}: only ${who} may reach SSH (${where}); ${rest}`;
}

/** Above that, a time of day tells more than a number of seconds. */
const SHORT_SECONDS = 120;

function timeWords({ seconds }: Lockdown, { now }: Context): string {
  if (seconds === undefined) return 'until it is taken back';
  return seconds <= SHORT_SECONDS ? `for ${seconds} s` : `until ${minuteText(now() + seconds * 1000)}`;
}

/** What a look at this host says first while one stands. */
export function shoutLines(lockdown: Standing, context: Context): string[] {
  const altered = `SOMEBODY CHANGED ITS RULES, what they do is not known: nft list table inet ${LOCKDOWN_TABLE}`;
  return [
    `${lockdownWords(lockdown, context)}; to end it: ${context.self} lockdown off`,
    ...(lockdown.isIntact ? [] : [altered]),
  ];
}

/** The same as data; `until` in milliseconds since 1970. */
export function lockdownJson(lockdown: Lockdown, { now }: Context) {
  const { allow, ports, seconds, cutOutbound } = lockdown;
  const until = seconds === undefined ? null : Math.round(now() / 1000 + seconds) * 1000;
  return { allow: allow.map(formatPrefix), ports, until, cutOutbound };
}
