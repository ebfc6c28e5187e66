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
  const open = wishes.filter(({ until }) => until === undefined || until > now);
  // For good is the latest of all; as `undefined` it would be sorted last, whatever compares.
  const ends = [...new Set(open.map(({ until = FOR_GOOD }) => until))].sort((a, b) => (a < b ? 1 : -1));
  let covered = IpSet.empty;
  return ends.flatMap((until) => {
    const mine = IpSet.from(open.filter((wish) => (wish.until ?? FOR_GOOD) === until).map(({ prefix }) => prefix));
    const rest = mine.subtract(covered);
    covered = covered.union(mine);
    const left = Math.ceil((until - now) / 1000);
    const seconds = left > LONGEST_SECONDS ? undefined : left;
    return [...rest.prefixes()].map((prefix) => ({ prefix, seconds }));
  });
}

/** What makes the sets hold these elements, element by element; nothing when they do already. */
export function localCommands(wanted: LocalContent, found: LocalContent): KernelCommand[] {
  return [...found].flatMap(([name, there]) => {
    const here = wanted.get(name) ?? [];
    const gone = there.filter((element) => !here.some((each) => isSame(each, element)));
    const come = here.filter((element) => !there.some((each) => isSame(each, element)));
    return [...change('delete-local', name, gone), ...change('add-local', name, come)];
  });
}

function change(what: 'add-local' | 'delete-local', name: LocalSetName, elements: LocalElement[]): KernelCommand[] {
  return elements.length === 0 ? [] : [{ do: what, set: specOf(name), elements }];
}

function isSame(a: LocalElement, b: LocalElement): boolean {
  if (!isSamePrefix(a.prefix, b.prefix)) return false;
  if (a.seconds === undefined || b.seconds === undefined) return a.seconds === b.seconds;
  return Math.abs(a.seconds - b.seconds) <= SAME_SECONDS;
}

function isSamePrefix(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && a.length === b.length && a.words.every((word, i) => word === b.words[i]);
}
