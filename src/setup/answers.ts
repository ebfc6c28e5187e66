import { nearName } from '../config/issues.js';
import { operatorPrefix } from '../config/operator.js';
import { BlocklistError } from '../errors.js';

/** The names that answers are checked against, from the catalogue. */
export interface Known {
  readonly profiles: readonly string[];
  /** feeds that may be allowed */
  readonly proxies: readonly string[];
}

type Check = (word: string) => string;

/** @throws BlocklistError `bad-usage` with what was expected */
export function checkProfile({ profiles }: Known): Check {
  return (word) => oneOf(word, profiles, '--profile', 'a profile');
}

export function checkProxy({ proxies }: Known): Check {
  return (word) => oneOf(word, proxies, '--proxy', 'an allow feed');
}

export function checkCountry(word: string): string {
  if (/^[a-z]{2}$/i.test(word)) return word.toLowerCase();
  throw unfit('--country', `${word}: expected a two-letter country code (ISO 3166-1) like cn`);
}

export function checkAdmin(word: string): string {
  const read = operatorPrefix(word);
  if (read.ok) return word;
  throw unfit('--admin', read.problem);
}

/** Answers typed on one line, between blanks or commas. */
export function words(answer: string): string[] {
  return answer.split(/[\s,]+/).filter((word) => word !== '');
}

/**
 * Where the SSH session comes from in which this runs (sshd(8), SSH_CONNECTION): the address that must not be locked out first of all.
 */
export function sshPeer({ SSH_CONNECTION: connection = '' }: Readonly<Record<string, string | undefined>>): string[] {
  const [peer = ''] = connection.split(' ');
  return operatorPrefix(peer).ok ? [peer] : [];
}

function oneOf(word: string, known: readonly string[], where: string, what: string): string {
  if (known.includes(word)) return word;
  throw unfit(where, `${word} is not ${what} of the catalogue${nearName(word, known) || `: ${known.join(', ')}`}`);
}

function unfit(where: string, message: string): BlocklistError {
  return new BlocklistError('bad-usage', message, { where, hint: 'blocklist feeds list shows what is known by name' });
}
