/** What rules are made of, in the notations of nft(8) and of libnftables-json(5) side by side so that nobody changes one alone. */

/** Chains that packets enter by their hook. */
export type BaseChain =
  | 'early'
  | 'stateful'
  | 'forwarded'
  | 'outward'
  // Of `drop: new`: a chain cannot be hooked elsewhere without being deleted, so that each place has its own.
  | 'forwarded_new'
  | 'outward_new';
/** Chains that are entered by a jump. */
export type JumpChain = 'inbound' | 'outbound' | 'listed' | 'listed_out' | 'elsewhere' | 'dropping';
export type ChainName = BaseChain | JumpChain;

/** The value of a match, a verdict or a jump in libnftables JSON. */
export type JsonExpression = Readonly<Record<string, unknown>>;

/** What a rule does with a packet, or looks for in it. */
export interface Part {
  readonly text: string;
  readonly json: readonly JsonExpression[];
}

export interface Rule extends Part {
  readonly chain: ChainName;
}

export type Verdict = 'accept' | 'drop' | 'return' | `jump ${JumpChain}`;

/** A rule: its matches and statements in their order, then its verdict if it has one. */
export function rule(chain: ChainName, parts: readonly Part[], verdict?: Verdict): Rule {
  const all = verdict === undefined ? parts : [...parts, verdictPart(verdict)];
  return { chain, text: all.map(({ text }) => text).join(' '), json: all.flatMap(({ json }) => json) };
}

export function equals(protocol: string, field: string, right: unknown): JsonExpression {
  return { match: { op: '==', left: { payload: { protocol, field } }, right } };
}

/** Packets whose address is in a set. */
export function inSet({ version, field }: Side, set: string): Part {
  const protocol = version === 4 ? 'ip' : 'ip6';
  return { text: `${protocol} ${field} @${set}`, json: [equals(protocol, field, `@${set}`)] };
}

export interface Side {
  readonly version: 4 | 6;
  readonly field: 'saddr' | 'daddr';
}

/** Packets of a type of ICMP, or of one of some types. */
export function icmpType(version: 4 | 6, ...types: readonly string[]): Part {
  const protocol = version === 4 ? 'icmp' : 'icmpv6';
  const [only = '', ...more] = types;
  const text = more.length === 0 ? only : `{ ${types.join(', ')} }`;
  return {
    text: `${protocol} type ${text}`,
    json: [equals(protocol, 'type', more.length === 0 ? only : { set: types })],
  };
}

/** Packets that come in or go out there; a star at the end stands for the rest of a name. */
export function atInterface(key: 'iifname' | 'oifname', name: string): Part {
  return { text: `${key} "${name}"`, json: [match('==', { meta: { key } }, name)] };
}

export function match(op: '==' | '!=' | 'in', left: object, right: unknown): JsonExpression {
  return { match: { op, left, right } };
}

function verdictPart(verdict: Verdict): Part {
  const target = verdict.startsWith('jump ') ? verdict.slice('jump '.length) : undefined;
  return { text: verdict, json: [target === undefined ? { [verdict]: null } : { jump: { target } }] };
}
