import { formatPrefix } from '../../ip/index.js';
import type { Ban } from './contract.js';

/**
 * Each address and network once, with the ban of it that ends last, and how often it was banned by whoever counted most. A ban of fail2ban stands in
 * its database and, handed over by its action, among our own.
 */
export function onceEach(bans: readonly Ban[]): Ban[] {
  const last = new Map<string, Ban>();
  for (const ban of bans) {
    const key = formatPrefix(ban.prefix);
    const known = last.get(key);
    if (known === undefined) last.set(key, ban);
    else last.set(key, { ...(endOf(ban) > endOf(known) ? ban : known), count: highest(ban.count, known.count) });
  }
  return [...last.values()];
}

function endOf({ until }: Ban): number {
  return until ?? Number.POSITIVE_INFINITY;
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
