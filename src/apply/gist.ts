import { z } from 'zod';

/** Chains and rules in words that all versions of nft agree on. */

/** Where a chain is hooked, in words. */
export function hookText({
  hook,
  prio,
  policy,
}: {
  hook?: string | undefined;
  prio?: number | undefined;
  policy?: string | undefined;
}): string {
  return hook === undefined ? 'no hook' : `${hook} ${prio ?? 0} ${policy ?? ''}`;
}

/**
 * What a rule does, without what versions of nft print differently: the fields it looks at, the sets it looks into, ports, names of
 * interfaces, counter and verdict. `ip saddr @nodes4, jump listed`.
 */
export function ruleGist(expressions: readonly unknown[]): string {
  return expressions.map(gist).join(', ');
}

const payload = z.object({ payload: z.object({ protocol: z.string(), field: z.string() }) });
const matchSchema = z.object({ match: z.object({ left: z.unknown(), right: z.unknown() }) });

/** Ports that somebody typed: one, or some. Types of ICMP have names, which differ. */
const portsSchema = z.union([
  z.int().transform((port) => [port]),
  z.object({ set: z.array(z.int()) }).transform(({ set }) => [...set].sort((a, b) => a - b)),
]);

/** Names of interfaces are printed as they were typed: another one is another rule. */
const interfaceSchema = z.object({ meta: z.object({ key: z.enum(['iifname', 'oifname']) }) });

function gist(expression: unknown): string {
  const match = matchSchema.safeParse(expression);
  if (!match.success)
    return JSON.stringify(expression)
      .replace(/[{}":]+/g, ' ')
      .trim();
  const { left, right } = match.data.match;
  const field = payload.safeParse(left);
  const looked = field.success ? `${field.data.payload.protocol} ${field.data.payload.field}` : JSON.stringify(left);
  if (typeof right === 'string' && right.startsWith('@')) return `${looked} ${right}`;
  if (typeof right === 'string' && interfaceSchema.safeParse(left).success) return `${looked} ${right}`;
  const ports = portsSchema.safeParse(right);
  return ports.success ? `${looked} ${ports.data.join(' ')}` : looked;
}
