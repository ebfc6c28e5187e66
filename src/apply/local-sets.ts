import { IpSet, type Prefix } from '../ip/index.js';
import type { KernelCommand, LocalElement } from '../render/commands.js';
import { LOCAL_SETS, type LocalSetName, specOf } from '../render/layout.js';
import type { LocalContent } from './differences.js';

/** A wish about addresses on this host, for a while or for good. */
export interface LocalWish {
  readonly prefix: Prefix;
  /** milliseconds since 1970; undefined: for good */
  readonly until: number | undefined;
}

/** Two dates of one element that are nearer than this are the same: nft prints whole seconds, and time goes on between two looks. */
const SAME_SECONDS = 3;
const FOR_GOOD = Number.POSITIVE_INFINITY;
/** The kernel counts to 292 years (KTIME_MAX). What is to last longer than a hundred stays without an end. */
const LONGEST_SECONDS = 36_525 * 86_400;

/**
 * The elements of the four sets. Wishes may overlap, elements of an interval set may not: an address gets the latest end of all wishes that
 * hold it. Wishes that are over are left out.
 */
export function localContent(allow: readonly LocalWish[], ban: readonly LocalWish[], now: number): LocalContent {
  const [allowed, banned] = [disjoint(allow, now), disjoint(ban, now)];
  return new Map(
    LOCAL_SETS.map((name) => {
      const version = name.endsWith('4') ? 4 : 6;
      const elements = (name.startsWith('allow') ? allowed : banned).filter(
        ({ prefix }) => prefix.family.version === version,
      );
      return [name, elements];
    }),
  );
}

function disjoint(wishes: readonly LocalWish[], now: number): LocalElement[] {
  const open = latest(wishes.filter(({ until }) => until === undefined || until > now));
  const isNode = ({ prefix }: LocalWish) => prefix.length === prefix.family.bits;
  const nets = open.filter((wish) => !isNode(wish));
  const inNets = IpSet.from(nets.map(({ prefix }) => prefix));
  const isAlone = (wish: LocalWish) => isNode(wish) && !inNets.has(wish.prefix);
  // fail2ban may ban thousands of addresses, each with an end of its own: only those inside of nets need set algebra.
  const alone = open.filter(isAlone).sort(byEnd);
  const inside = open.filter((wish) => !isAlone(wish));
  const elements = alone.map(({ prefix, until }) => ({ prefix, seconds: secondsLeft(until, now) }));
  return [...elements, ...apart(inside, now)];
}

/** The latest end first, then by address, so that the order of the wishes does not matter. */
function byEnd(a: LocalWish, b: LocalWish): number {
  const [first, second] = [a.until ?? FOR_GOOD, b.until ?? FOR_GOOD];
  if (first !== second) return first < second ? 1 : -1;
  const i = a.prefix.words.findIndex((word, k) => word !== b.prefix.words[k]);
  return i < 0 ? 0 : (a.prefix.words[i] ?? 0) - (b.prefix.words[i] ?? 0);
}

/** The latest of the wishes for exactly the same. */
function latest(wishes: readonly LocalWish[]): LocalWish[] {
  const found = new Map<string, LocalWish>();
  for (const wish of wishes) {
    const key = keyOf(wish.prefix);
    const known = found.get(key);
    if (known === undefined || (wish.until ?? FOR_GOOD) > (known.until ?? FOR_GOOD)) found.set(key, wish);
  }
  return [...found.values()];
}

function apart(open: readonly LocalWish[], now: number): LocalElement[] {
  // For good is the latest of all; as `undefined` it would be sorted last, whatever compares.
  const ends = [...new Set(open.map(({ until = FOR_GOOD }) => until))].sort((a, b) => (a < b ? 1 : -1));
  let covered = IpSet.empty;
  return ends.flatMap((until) => {
    const mine = IpSet.from(open.filter((wish) => (wish.until ?? FOR_GOOD) === until).map(({ prefix }) => prefix));
    const rest = mine.subtract(covered);
    covered = covered.union(mine);
    return [...rest.prefixes()].map((prefix) => ({ prefix, seconds: secondsLeft(until, now) }));
  });
}

/** undefined: without an end. */
function secondsLeft(until: number | undefined, now: number): number | undefined {
  const left = Math.ceil(((until ?? FOR_GOOD) - now) / 1000);
  return left > LONGEST_SECONDS ? undefined : left;
}

/** The same for equal prefixes, and for no others. */
function keyOf({ family, length, words }: Prefix): string {
  return `${family.version} ${words.join(' ')} ${length}`;
}

/** What makes the sets hold these elements, element by element; nothing when they do already. */
export function localCommands(wanted: LocalContent, found: LocalContent): KernelCommand[] {
  return [...found].flatMap(([name, there]) => {
    const here = wanted.get(name) ?? [];
    const gone = missing(there, here);
    const come = missing(here, there);
    return [...change('delete-local', name, gone), ...change('add-local', name, come)];
  });
}

function change(what: 'add-local' | 'delete-local', name: LocalSetName, elements: LocalElement[]): KernelCommand[] {
  return elements.length === 0 ? [] : [{ do: what, set: specOf(name), elements }];
}

/** The elements that the others do not have. */
function missing(elements: readonly LocalElement[], others: readonly LocalElement[]): LocalElement[] {
  const seconds = new Map(others.map((other) => [keyOf(other.prefix), other.seconds]));
  return elements.filter((element) => {
    const key = keyOf(element.prefix);
    return !seconds.has(key) || !isSameTime(element.seconds, seconds.get(key));
  });
}

function isSameTime(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Math.abs(a - b) <= SAME_SECONDS;
}
