/** What rules are made of, in the notations of nft(8) and of libnftables-json(5) side by side so that nobody changes one alone. */

export type ChainName = 'listed' | 'early' | 'forwarded' | 'outward' | 'stateful';

/** The value of a match, a verdict or a jump in libnftables JSON. */
export type JsonExpression = Readonly<Record<string, unknown>>;

export interface Rule {
  readonly chain: ChainName;
  readonly text: string;
  readonly json: readonly JsonExpression[];
}

export type Verdict = 'return' | 'jump listed';

export function equals(protocol: string, field: string, right: unknown): JsonExpression {
  return { match: { op: '==', left: { payload: { protocol, field } }, right } };
}

/** What is done with packets whose address is in a set. */
export function matchRule(
  chain: ChainName,
  { version, field }: { readonly version: 4 | 6; readonly field: 'saddr' | 'daddr' },
  set: string,
  verdict: Verdict,
): Rule {
  const protocol = version === 4 ? 'ip' : 'ip6';
  return {
    chain,
    text: `${protocol} ${field} @${set} ${verdict}`,
    json: [equals(protocol, field, `@${set}`), verdictJson(verdict)],
  };
}

export function verdictJson(verdict: Verdict): JsonExpression {
  return verdict === 'return' ? { return: null } : { jump: { target: 'listed' } };
}
