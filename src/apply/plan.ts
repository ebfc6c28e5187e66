import type { RuleSets } from '../build/build.js';
import { IpSet, type PrefixChanges, prefixChanges } from '../ip/index.js';
import { namedSets, type SetName } from '../render/layout.js';
import { type Content, structureDifferences } from './differences.js';
import type { LiveTable } from './live.js';

/** What came and went in one set. */
export interface SetChange extends PrefixChanges {
  readonly name: SetName;
}

/**
 * What an apply does to the kernel.
 * - nothing: it holds this artefact already, as far as digest, chains and rules tell;
 * - delta: nodes that came are added and interval sets that changed are refilled, then nodes that went are deleted;
 * - full: everything is flushed and refilled, or loaded for the first time.
 */
export type Plan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'delta'; readonly changes: readonly SetChange[]; readonly transactions: 1 | 2 }
  | { readonly kind: 'full'; readonly why: string; readonly changes: readonly SetChange[] | undefined };

/** What is in the kernel and known: our table, and the artefact that was loaded last, when it was kept. */
export interface Situation {
  /** our table without its elements; undefined when there is none */
  readonly live: LiveTable | undefined;
  /** what was loaded with `live.digest`, when it was kept */
  readonly base: Content | undefined;
}

/** A delta pays while it is the smaller half of the single addresses; above, nft is faster with one refill. Of few it does not matter. */
const LARGEST_DELTA = 0.5;
const FEW = 1000;

/** Decides by the digest in the kernel. Reads no element and changes nothing. */
export function planOf(artefact: Content, { live, base }: Situation): Plan {
  if (live === undefined) return { kind: 'full', why: 'nothing of ours is loaded', changes: undefined };
  const { words } = structureDifferences(artefact, live);
  if (live.digest === artefact.digest && words.length === 0) return { kind: 'nothing' };
  const changes = base === undefined ? undefined : changesOf(base.sets, artefact.sets);
  const full = (why: string): Plan => ({ kind: 'full', why, changes });
  if (live.digest === undefined) return full('what is loaded was not completed, or not by this version');
  if (words.length > 0) return full(words.join('; '));
  if (changes === undefined) return full('the artefact that is loaded was not kept here');
  const nodes = changes.filter(({ name }) => isNodes(name));
  const count = nodes.reduce((sum, { added, removed }) => sum + added.size + removed.size, 0);
  const all = namedSets(artefact.sets).reduce(
    (sum, { name, prefixes }) => sum + (isNodes(name) ? prefixes.size : 0),
    0,
  );
  if (count > Math.max(FEW, all * LARGEST_DELTA)) return full('more than half of the single addresses changed');
  // nft reads what is loaded once for each transaction: a second one is for moves alone.
  return { kind: 'delta', changes, transactions: hasMovesIntoNets(artefact.sets, changes) ? 2 : 1 };
}

export function isNodes(name: SetName): boolean {
  return name.includes('nodes');
}

/** What came and went in each set that is in either; sets that did not change are left out. */
function changesOf(before: RuleSets, after: RuleSets): SetChange[] {
  const found = new Map(namedSets(before).map(({ name, prefixes }) => [name, prefixes]));
  return namedSets(after).flatMap(({ name, prefixes }) => {
    const { family } = prefixes;
    const none = { family, size: 0, words: new Uint32Array(), lengths: new Uint8Array() };
    const change = prefixChanges(found.get(name) ?? none, prefixes);
    return change.added.size + change.removed.size === 0 ? [] : [{ name, ...change }];
  });
}

/**
 * Whether an address leaves the single addresses of a family for one of its nets. Within one transaction it would be open for some
 * milliseconds: a refilled interval set is published to packets after the commit, a hash set at once.
 */
export function hasMovesIntoNets(sets: RuleSets, changes: readonly SetChange[]): boolean {
  const nets = new Map(namedSets(sets).map(({ name, prefixes }) => [name, prefixes]));
  return changes.some(({ name, removed }) => {
    const into = nets.get(name.replace('nodes', 'nets') as SetName);
    if (!isNodes(name) || into === undefined || removed.size === 0) return false;
    return !IpSet.ofPrefixes(removed).intersect(IpSet.ofPrefixes(into)).isEmpty;
  });
}
