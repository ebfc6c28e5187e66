import type { RuleSets, Side } from '../build/build.js';
import { type Prefixes, SET_KEYS, type SetKey } from '../ip/index.js';

/**
 * The rules as data: one list of commands, from which the script and the JSON are printed. What is in here
 * decides what the kernel does; `facts` of the order are in DESIGN "The sets and the rules".
 */

export const FAMILY = 'inet';
export const TABLE = 'blocklist';
/** Empty set whose comment tells what was loaded last; it is the only object that is deleted and made anew. */
export const STATE = 'state';
/** Number of this layout: a change of chains, rules or set types counts it up. */
export const LAYOUT = 1;

/** Before conntrack (−200) and before every other firewall's raw chains (−300), so that running sessions stop, too. */
export const EARLY_PRIORITY = -310;

/** Name of a set of addresses; `out_` when it matches the destination. */
export type SetName = SetKey | `out_${SetKey}`;

export interface NamedSet {
  readonly name: SetName;
  readonly side: Side;
  readonly prefixes: Prefixes;
}

/** The sets with their names in the kernel, in the order of every output. */
export function namedSets(sets: RuleSets): NamedSet[] {
  const { out } = sets;
  return [
    ...SET_KEYS.map((key) => ({ name: key, side: 'in', prefixes: sets.in[key] }) as const),
    ...(out === undefined
      ? []
      : SET_KEYS.map((key) => ({ name: `out_${key}`, side: 'out', prefixes: out[key] }) as const)),
  ];
}

export type ChainName = 'listed' | 'early' | 'outward';
/** The value of a match in libnftables JSON (libnftables-json(5)). */
export type JsonExpression = Readonly<Record<string, unknown>>;

/** One rule in both notations, side by side so that nobody changes one alone. */
export interface Rule {
  readonly chain: ChainName;
  readonly text: string;
  readonly json: readonly JsonExpression[];
}

export interface ChainSpec {
  readonly name: ChainName;
  /** undefined: entered by jump only */
  readonly hook?: 'prerouting' | 'output';
}

export interface SetSpec {
  readonly name: SetName | typeof STATE;
  readonly type: 'ipv4_addr' | 'ipv6_addr' | 'mark';
  readonly interval: boolean;
  readonly comment?: string;
}

export type NftCommand =
  | { readonly do: 'add-table' }
  | { readonly do: 'add-counter'; readonly name: 'dropped' }
  | { readonly do: 'add-set' | 'flush-set' | 'delete-set'; readonly set: SetSpec }
  | { readonly do: 'add-chain' | 'flush-chain' | 'delete-chain'; readonly chain: ChainSpec }
  | { readonly do: 'add-rule'; readonly rule: Rule }
  | { readonly do: 'add-elements'; readonly set: SetSpec; readonly prefixes: Prefixes };

const LISTED: ChainSpec = { name: 'listed' };
const EARLY: ChainSpec = { name: 'early', hook: 'prerouting' };
const OUTWARD: ChainSpec = { name: 'outward', hook: 'output' };

const OUT_SETS: readonly SetSpec[] = SET_KEYS.map((key) => specOf(`out_${key}`));

function specOf(name: SetName): SetSpec {
  return { name, type: name.endsWith('4') ? 'ipv4_addr' : 'ipv6_addr', interval: name.includes('nets') };
}

/** Keeps the `state` set's type out of the way of addresses: nothing is ever put into it. */
function stateSpec(digest: string | undefined): SetSpec {
  return {
    name: STATE,
    type: 'mark',
    interval: false,
    ...(digest === undefined ? {} : { comment: stateComment(digest) }),
  };
}

/** The comment of the `state` set. nft cuts comments at 128 bytes. */
function stateComment(digest: string): string {
  return `blocklist layout ${LAYOUT} ${digest}`;
}

/**
 * Everything that makes the kernel hold these sets, from any earlier state of our table, in one transaction. Sets are
 * flushed and refilled, never replaced: a fresh interval set would be empty to packets for some 10 ms after the commit.
 */
export function loadCommands(ruleSets: RuleSets, digest: string): NftCommand[] {
  const sets = namedSets(ruleSets);
  const out = ruleSets.out !== undefined;
  const specs = sets.map(({ name }) => specOf(name));
  const chains = out ? [LISTED, EARLY, OUTWARD] : [LISTED, EARLY];
  return [
    { do: 'add-table' },
    { do: 'add-counter', name: 'dropped' },
    ...specs.map((set) => ({ do: 'add-set', set }) as const),
    ...chains.map((chain) => ({ do: 'add-chain', chain }) as const),
    ...chains.map((chain) => ({ do: 'flush-chain', chain }) as const),
    ...(out ? [] : withoutOutward()),
    ...specs.map((set) => ({ do: 'flush-set', set }) as const),
    ...sets
      .filter(({ prefixes }) => prefixes.size > 0)
      .map(({ name, prefixes }) => ({ do: 'add-elements', set: specOf(name), prefixes }) as const),
    ...rules(out).map((rule) => ({ do: 'add-rule', rule }) as const),
    ...newState(digest),
  ];
}

/** Only the refill of the interval sets: what an apply does first when addresses move from a node into a net. */
export function netCommands(ruleSets: RuleSets): NftCommand[] {
  return namedSets(ruleSets)
    .filter(({ name, prefixes }) => specOf(name).interval && prefixes.size > 0)
    .flatMap(({ name, prefixes }) => [
      { do: 'flush-set', set: specOf(name) } as const,
      { do: 'add-elements', set: specOf(name), prefixes } as const,
    ]);
}

/** `add` before `delete` makes the deletion right whether or not the object is there. */
function newState(digest: string): NftCommand[] {
  const bare = stateSpec(undefined);
  return [
    { do: 'add-set', set: bare },
    { do: 'delete-set', set: bare },
    { do: 'add-set', set: stateSpec(digest) },
  ];
}

/** An earlier load may have had outbound sets: they go, as no chain of ours looks at them any more. */
function withoutOutward(): NftCommand[] {
  return [
    { do: 'add-chain', chain: OUTWARD },
    { do: 'flush-chain', chain: OUTWARD },
    { do: 'delete-chain', chain: OUTWARD },
    ...OUT_SETS.flatMap((set) => [{ do: 'add-set', set } as const, { do: 'delete-set', set } as const]),
  ];
}

function rules(out: boolean): Rule[] {
  const sides: ReadonlyArray<readonly [ChainName, Side]> = out
    ? [
        ['early', 'in'],
        // Forwarded traffic to a listed address never passes `output`.
        ['early', 'out'],
        ['outward', 'out'],
      ]
    : [['early', 'in']];
  return [
    ...PASSED_ICMP,
    {
      chain: 'listed',
      text: 'counter name "dropped" drop',
      json: [{ counter: 'dropped' }, { drop: null }],
    },
    ...sides.flatMap(([chain, side]) => [4, 6].flatMap((version) => matchRules(chain, side, version === 4 ? 4 : 6))),
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

function matchRules(chain: ChainName, side: Side, version: 4 | 6): Rule[] {
  const protocol = version === 4 ? 'ip' : 'ip6';
  const field = side === 'in' ? 'saddr' : 'daddr';
  return (['nodes', 'nets'] as const).map((kind) => {
    const name: SetName = `${side === 'out' ? 'out_' : ''}${kind}${version}`;
    return {
      chain,
      text: `${protocol} ${field} @${name} jump listed`,
      json: [equals(protocol, field, `@${name}`), { jump: { target: 'listed' } }],
    };
  });
}
