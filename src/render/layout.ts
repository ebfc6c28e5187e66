import type { RuleSets } from '../build/build.js';
import { type Prefixes, SET_KEYS, type SetKey } from '../ip/index.js';
import { DEFAULT_POLICY } from './default-policy.js';
import type { BaseChain, ChainName, JumpChain } from './rule.js';

/** What stands in the kernel: names, hooks and types. DESIGN "The sets and the rules" has the reasons. */

export const FAMILY = 'inet';
export const TABLE = 'blocklist';
/** Empty set whose comment tells what was loaded last; it is the only object that is deleted and made anew. */
export const STATE = 'state';
/** Number of this layout: a change of chains, rules or set types counts it up. */
export const LAYOUT = 3;

/** Before conntrack (−200) and before every other firewall's raw chains (−300), so that running sessions stop, too. */
const EARLY_PRIORITY = -310;
/** Behind conntrack (−200), which tells replies, and before destination NAT (−100): ports are those that the client connects to. */
const STATEFUL_PRIORITY = -150;

/** Name of a set of listed addresses; `out_` when it matches the destination. */
export type ListedName = SetKey | `out_${SetKey}`;
/** Those of who alone may connect. */
export const ONLY_NAMES = ['only_nets4', 'only_nets6'] as const;
/** Name of a set that an artefact fills. */
export type SetName = ListedName | (typeof ONLY_NAMES)[number];
/** Sets that belong to this host alone: no artefact fills them, and every refill leaves them as they are. */
export const LOCAL_SETS = ['allow4', 'allow6', 'ban4', 'ban6'] as const;
export type LocalSetName = (typeof LOCAL_SETS)[number];

/** Sets that the rules themselves fill: listed hosts that something was dropped of, IPv6 by /64. Every load leaves them as they are. */
export const SEEN_SETS = ['seen4', 'seen6'] as const;
export type SeenSetName = (typeof SEEN_SETS)[number];
/** An hour without a packet, and a host is forgotten; the counters are gathered more often (stats). */
const SEEN_SECONDS = 3600;
/** More hosts than that are dropped uncounted. */
const SEEN_SIZE = 65_535;

/** Named counters, which every load leaves as they are: of what came from listed hosts, went to them, came from elsewhere, was pinged too often. */
export const COUNTERS = ['dropped', 'dropped_out', 'kept_out', 'echo_limited'] as const;
export type CounterName = (typeof COUNTERS)[number];

/**
 * Name of a set of listed addresses in the kernel. nft cannot rename: a load that fills a second set beside the first leaves the
 * rules at `nodes4_b`, the next such load at `nodes4` again.
 */
export type KernelName = SetName | `${SetName}_b`;
/** Where the rules look for each set. */
export type Names = (name: SetName) => KernelName;
export const FIRST_NAMES: Names = (name) => name;

/** The name that is free while the rules look at `name`. */
export function otherName(name: KernelName): KernelName {
  return name.endsWith('_b') ? (name.slice(0, -2) as SetName) : `${name as SetName}_b`;
}

const OUT_NAMES = SET_KEYS.map((key) => `out_${key}` as const);
export const LISTED_NAMES: readonly ListedName[] = [...SET_KEYS, ...OUT_NAMES];
export const SET_NAMES: readonly SetName[] = [...LISTED_NAMES, ...ONLY_NAMES];

export interface NamedSet<Name extends SetName = SetName> {
  readonly name: Name;
  readonly prefixes: Prefixes;
}

/** The sets of listed addresses with their names, in the order of every output. */
export function listedSets({ in: inward, out }: RuleSets): NamedSet<ListedName>[] {
  return [
    ...SET_KEYS.map((key) => ({ name: key, prefixes: inward[key] })),
    ...(out === undefined ? [] : SET_KEYS.map((key) => ({ name: `out_${key}` as const, prefixes: out[key] }))),
  ];
}

/** All sets that an artefact fills. */
export function namedSets(sets: RuleSets): NamedSet[] {
  const { only } = sets;
  if (only === undefined) return listedSets(sets);
  const { nets4, nets6 } = only;
  return [...listedSets(sets), { name: 'only_nets4', prefixes: nets4 }, { name: 'only_nets6', prefixes: nets6 }];
}

/** Their names alone. */
export function namesIn({ out, only }: RuleSets): readonly SetName[] {
  return [...SET_KEYS, ...(out === undefined ? [] : OUT_NAMES), ...(only === undefined ? [] : ONLY_NAMES)];
}

export interface SetSpec {
  readonly name: KernelName | LocalSetName | SeenSetName | typeof STATE;
  readonly type: 'ipv4_addr' | 'ipv6_addr' | 'mark';
  readonly flags: ReadonlyArray<'interval' | 'timeout' | 'dynamic'>;
  readonly comment?: string;
  /** for sets that the rules fill */
  readonly filled?: { readonly size: number; readonly seconds: number };
}

/** The set behind a name of either kind. */
export function specOf(name: KernelName | LocalSetName | SeenSetName): SetSpec {
  const type = /4(_b)?$/.test(name) ? 'ipv4_addr' : 'ipv6_addr';
  if (name.startsWith('seen')) {
    return { name, type, flags: ['dynamic', 'timeout'], filled: { size: SEEN_SIZE, seconds: SEEN_SECONDS } };
  }
  if (/^(allow|ban)/.test(name)) return { name, type, flags: ['interval', 'timeout'] };
  return { name, type, flags: name.includes('nets') ? ['interval'] : [] };
}

/** Keeps the `state` set's type out of the way of addresses: nothing is ever put into it. */
export function stateSpec(comment: string | undefined): SetSpec {
  return { name: STATE, type: 'mark', flags: [], ...(comment === undefined ? {} : { comment }) };
}

/** The comment of the `state` set. nft cuts comments at 128 bytes. */
export function stateComment(digest: string): string {
  return `blocklist layout ${LAYOUT} ${digest}`;
}

export interface ChainSpec {
  readonly name: ChainName;
  /** undefined: entered by jump only */
  readonly hook?: { readonly name: 'prerouting' | 'output'; readonly priority: number };
}

const jumped = (name: JumpChain): ChainSpec => ({ name });
const hooked = (name: BaseChain, hook: 'prerouting' | 'output', priority: number): ChainSpec => ({
  name,
  hook: { name: hook, priority },
});

/** Chains that every artefact has. */
const CHAINS: readonly ChainSpec[] = [
  jumped('dropping'),
  jumped('listed'),
  jumped('inbound'),
  hooked('early', 'prerouting', EARLY_PRIORITY),
];
const STATEFUL = hooked('stateful', 'prerouting', STATEFUL_PRIORITY);
const ELSEWHERE = jumped('elsewhere');
const OUT_CHAINS: readonly ChainSpec[] = [jumped('listed_out'), jumped('outbound')];
const OUT_HOOKS: readonly ChainSpec[] = [
  hooked('forwarded', 'prerouting', EARLY_PRIORITY),
  hooked('outward', 'output', EARLY_PRIORITY),
];
const OUT_HOOKS_NEW: readonly ChainSpec[] = [
  hooked('forwarded_new', 'prerouting', STATEFUL_PRIORITY),
  hooked('outward_new', 'output', STATEFUL_PRIORITY),
];

export function chainsOf(sets: RuleSets): ChainSpec[] {
  const { drop } = sets.policy ?? DEFAULT_POLICY;
  return [
    ...CHAINS,
    ...(drop === 'new' || sets.only !== undefined ? [STATEFUL] : []),
    ...(sets.only === undefined ? [] : [ELSEWHERE]),
    ...(hasOutbound(sets) ? [...OUT_CHAINS, ...(drop === 'new' ? OUT_HOOKS_NEW : OUT_HOOKS)] : []),
  ];
}

/** Whether the rules look at where packets go. */
export function hasOutbound({ out, policy = DEFAULT_POLICY }: RuleSets): boolean {
  return out !== undefined || policy.alsoOutbound;
}

/** What other artefacts of ours may have brought, and this one has no use for. */
export function unusedIn(sets: RuleSets): { readonly chains: readonly ChainSpec[]; readonly sets: readonly SetName[] } {
  const [chains, names] = [chainsOf(sets), namesIn(sets)];
  return {
    // First those that jump to others.
    chains: [STATEFUL, ...OUT_HOOKS, ...OUT_HOOKS_NEW, ...OUT_CHAINS.toReversed(), ELSEWHERE].filter(
      (chain) => !chains.includes(chain),
    ),
    sets: SET_NAMES.filter((name) => !names.includes(name)),
  };
}
