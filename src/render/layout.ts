import type { OnlySets, RuleSets, Side } from '../build/build.js';
import { type Prefixes, SET_KEYS, type SetKey } from '../ip/index.js';
import { onlyRules } from './only.js';
import { type ChainName, equals, matchRule, type Rule, type Verdict } from './rule.js';

/** What stands in the kernel: names, hooks, types and rules. DESIGN "The sets and the rules" has the reasons. */

export const FAMILY = 'inet';
export const TABLE = 'blocklist';
/** Empty set whose comment tells what was loaded last; it is the only object that is deleted and made anew. */
export const STATE = 'state';
/** Number of this layout: a change of chains, rules or set types counts it up. */
export const LAYOUT = 2;

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
  readonly name: KernelName | LocalSetName | typeof STATE;
  readonly type: 'ipv4_addr' | 'ipv6_addr' | 'mark';
  readonly flags: ReadonlyArray<'interval' | 'timeout'>;
  readonly comment?: string;
}

/** The set behind a name of either kind. */
export function specOf(name: KernelName | LocalSetName): SetSpec {
  const type = /4(_b)?$/.test(name) ? 'ipv4_addr' : 'ipv6_addr';
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

const LISTED: ChainSpec = { name: 'listed' };
const EARLY: ChainSpec = { name: 'early', hook: { name: 'prerouting', priority: EARLY_PRIORITY } };
/** Chains that are there only while a source asks for outbound: forwarded traffic never passes `output`. */
const OUT_CHAINS: readonly ChainSpec[] = [
  { name: 'forwarded', hook: { name: 'prerouting', priority: EARLY_PRIORITY } },
  { name: 'outward', hook: { name: 'output', priority: EARLY_PRIORITY } },
];
const STATEFUL: ChainSpec = { name: 'stateful', hook: { name: 'prerouting', priority: STATEFUL_PRIORITY } };

export function chainsOf({ out, only }: RuleSets): ChainSpec[] {
  return [LISTED, EARLY, ...(out === undefined ? [] : OUT_CHAINS), ...(only === undefined ? [] : [STATEFUL])];
}

/** What other artefacts of ours may have brought, and this one has no use for. */
export function unusedIn(sets: RuleSets): { readonly chains: readonly ChainSpec[]; readonly sets: readonly SetName[] } {
  const [chains, names] = [chainsOf(sets), namesIn(sets)];
  return {
    chains: [...OUT_CHAINS, STATEFUL].filter((chain) => !chains.includes(chain)),
    sets: SET_NAMES.filter((name) => !names.includes(name)),
  };
}

/** The rules of all chains, in their order. */
export function rulesOf(sets: RuleSets, names: Names): Rule[] {
  const outward = sets.out === undefined ? [] : OUT_CHAINS.flatMap(({ name }) => matchRules(name, 'out', names));
  const alone = (only: OnlySets) => onlyRules({ v4: names('only_nets4'), v6: names('only_nets6') }, only.ports);
  return [
    ...PASSED_ICMP,
    { chain: 'listed', text: 'counter name "dropped" drop', json: [{ counter: 'dropped' }, { drop: null }] },
    ...matchRules('early', 'in', names),
    ...outward,
    ...(sets.only === undefined ? [] : alone(sets.only)),
  ];
}

/**
 * Messages without which connections of others through listed routers would hang: fragmentation needed and time exceeded
 * (RFC 1191, RFC 792), packet too big and time exceeded (RFC 8201, RFC 4443).
 */
const PASSED_ICMP: readonly Rule[] = [
  {
    chain: 'listed',
    text: 'icmp type destination-unreachable icmp code frag-needed accept',
    json: [equals('icmp', 'type', 'destination-unreachable'), equals('icmp', 'code', 'frag-needed'), { accept: null }],
  },
  {
    chain: 'listed',
    text: 'icmp type time-exceeded accept',
    json: [equals('icmp', 'type', 'time-exceeded'), { accept: null }],
  },
  {
    chain: 'listed',
    text: 'icmpv6 type { packet-too-big, time-exceeded } accept',
    json: [equals('icmpv6', 'type', { set: ['packet-too-big', 'time-exceeded'] }), { accept: null }],
  },
];

/** What is allowed here leaves the chain first; then what is banned by hand, then what is listed. Bans are of senders only. */
function matchRules(chain: ChainName, side: Side, names: Names): Rule[] {
  const field = side === 'in' ? 'saddr' : 'daddr';
  const rule = (version: 4 | 6, set: string, verdict: Verdict) => matchRule(chain, { version, field }, set, verdict);
  const listed = (kind: 'nodes' | 'nets', version: 4 | 6) =>
    rule(version, names(`${side === 'out' ? 'out_' : ''}${kind}${version}`), 'jump listed');
  return [
    rule(4, 'allow4', 'return'),
    rule(6, 'allow6', 'return'),
    ...(side === 'in' ? [rule(4, 'ban4', 'jump listed'), rule(6, 'ban6', 'jump listed')] : []),
    listed('nodes', 4),
    listed('nets', 4),
    listed('nodes', 6),
    listed('nets', 6),
  ];
}
