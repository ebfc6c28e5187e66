import type { RuleSets, Side } from '../build/build.js';
import { type Prefixes, SET_KEYS, type SetKey } from '../ip/index.js';

/** What stands in the kernel: names, hooks, types and rules. DESIGN "The sets and the rules" has the reasons. */

export const FAMILY = 'inet';
export const TABLE = 'blocklist';
/** Empty set whose comment tells what was loaded last; it is the only object that is deleted and made anew. */
export const STATE = 'state';
/** Number of this layout: a change of chains, rules or set types counts it up. */
export const LAYOUT = 2;

/** Before conntrack (−200) and before every other firewall's raw chains (−300), so that running sessions stop, too. */
export const EARLY_PRIORITY = -310;

/** Name of a set of listed addresses; `out_` when it matches the destination. */
export type SetName = SetKey | `out_${SetKey}`;
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

export const SET_NAMES: readonly SetName[] = [...SET_KEYS, ...SET_KEYS.map((key) => `out_${key}` as const)];

export interface NamedSet {
  readonly name: SetName;
  readonly side: Side;
  readonly prefixes: Prefixes;
}

/** The sets with their names, in the order of every output. */
export function namedSets(sets: RuleSets): NamedSet[] {
  const { out } = sets;
  return [
    ...SET_KEYS.map((key) => ({ name: key, side: 'in', prefixes: sets.in[key] }) as const),
    ...(out === undefined
      ? []
      : SET_KEYS.map((key) => ({ name: `out_${key}`, side: 'out', prefixes: out[key] }) as const)),
  ];
}

/** Their names alone. */
export function namesIn({ out }: RuleSets): readonly SetName[] {
  return out === undefined ? SET_KEYS : SET_NAMES;
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

export type ChainName = 'listed' | 'early' | 'forwarded' | 'outward';

export interface ChainSpec {
  readonly name: ChainName;
  /** undefined: entered by jump only */
  readonly hook?: 'prerouting' | 'output';
}

const LISTED: ChainSpec = { name: 'listed' };
const EARLY: ChainSpec = { name: 'early', hook: 'prerouting' };
/** Chains that are there only while a source asks for outbound: forwarded traffic never passes `output`. */
export const OUT_CHAINS: readonly ChainSpec[] = [
  { name: 'forwarded', hook: 'prerouting' },
  { name: 'outward', hook: 'output' },
];

export function chainsOf(sets: RuleSets): ChainSpec[] {
  return sets.out === undefined ? [LISTED, EARLY] : [LISTED, EARLY, ...OUT_CHAINS];
}

/** The value of a match in libnftables JSON (libnftables-json(5)). */
export type JsonExpression = Readonly<Record<string, unknown>>;

/** One rule in both notations, side by side so that nobody changes one alone. */
export interface Rule {
  readonly chain: ChainName;
  readonly text: string;
  readonly json: readonly JsonExpression[];
}

/** The rules of all chains, in their order. */
export function rulesOf(sets: RuleSets, names: Names): Rule[] {
  const outward = sets.out === undefined ? [] : OUT_CHAINS.flatMap(({ name }) => matchRules(name, 'out', names));
  return [
    ...PASSED_ICMP,
    { chain: 'listed', text: 'counter name "dropped" drop', json: [{ counter: 'dropped' }, { drop: null }] },
    ...matchRules('early', 'in', names),
    ...outward,
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

function equals(protocol: string, field: string, right: unknown): JsonExpression {
  return { match: { op: '==', left: { payload: { protocol, field } }, right } };
}

/** What is allowed here leaves the chain first; then what is banned by hand, then what is listed. Bans are of senders only. */
function matchRules(chain: ChainName, side: Side, names: Names): Rule[] {
  const field = side === 'in' ? 'saddr' : 'daddr';
  const rule = (version: 4 | 6, set: string, verdict: 'return' | 'jump listed'): Rule => {
    const protocol = version === 4 ? 'ip' : 'ip6';
    return {
      chain,
      text: `${protocol} ${field} @${set} ${verdict}`,
      json: [
        equals(protocol, field, `@${set}`),
        verdict === 'return' ? { return: null } : { jump: { target: 'listed' } },
      ],
    };
  };
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
