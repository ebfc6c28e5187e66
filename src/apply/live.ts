import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { IpSet } from '../ip/index.js';
import { FAMILY, STATE, TABLE } from '../render/commands.js';
import { elementSchema } from '../render/nft-json.js';

const inTable = { family: z.literal(FAMILY), table: z.literal(TABLE), name: z.string() };
/** An element with something beside its value, a comment for example. */
const decorated = z.object({ elem: z.object({ val: elementSchema }) }).transform(({ elem }) => elem.val);
/** What `nft -j list table` prints; objects of other kinds pass unread. Elements are checked one by one as they are taken. */
const tableSchema = z.object({
  nftables: z.array(
    z.looseObject({
      table: z.looseObject({ flags: z.unknown().optional() }).optional(),
      set: z
        .looseObject({
          ...inTable,
          type: z.unknown(),
          flags: z.array(z.string()).optional(),
          elem: z.array(z.unknown()).optional(),
        })
        .optional(),
      chain: z
        .looseObject({
          ...inTable,
          hook: z.string().optional(),
          prio: z.int().optional(),
          policy: z.string().optional(),
        })
        .optional(),
      rule: z.looseObject({ chain: z.string(), expr: z.array(z.unknown()) }).optional(),
      counter: z.looseObject({ name: z.string(), packets: z.int(), bytes: z.int() }).optional(),
    }),
  ),
});

export interface LiveChain {
  /** `prerouting -310 accept`, or `no hook` */
  readonly hook: string;
  /** each rule by what it does, see ruleGist */
  readonly rules: readonly string[];
}

/** Our table as it is in the kernel. */
export interface LiveTable {
  /** whether its rules are asked: no flag such as `dormant` is set */
  readonly isActive: boolean;
  /** sets of addresses by name */
  readonly sets: ReadonlyMap<string, IpSet>;
  /** kind of every set but `state`: `ipv4_addr`, `ipv6_addr interval`; the name of another type as it is */
  readonly kinds: ReadonlyMap<string, string>;
  readonly chains: ReadonlyMap<string, LiveChain>;
  readonly dropped: { readonly packets: number; readonly bytes: number };
}

/** Reads the JSON of `nft -j list table inet blocklist`. @throws BlocklistError `nft-refused` for anything else. */
export function parseTable(json: string): LiveTable {
  try {
    return readTable(tableSchema.parse(JSON.parse(json)).nftables);
  } catch (cause) {
    const why =
      cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause);
    throw new BlocklistError('nft-refused', `nft printed something unexpected: ${why}`, {
      where: `nft -j list table ${FAMILY} ${TABLE}`,
      hint: 'report this with the output of nft --version',
      cause,
    });
  }
}

function readTable(objects: z.output<typeof tableSchema>['nftables']): LiveTable {
  const sets = new Map<string, IpSet>();
  const kinds = new Map<string, string>();
  const chains = new Map<string, { hook: string; rules: string[] }>();
  let isActive = true;
  let dropped = { packets: 0, bytes: 0 };
  for (const { table, set, chain, rule, counter } of objects) {
    if (table?.flags !== undefined) isActive = false;
    if (set !== undefined && set.name !== STATE) {
      const type = typeof set.type === 'string' ? set.type : JSON.stringify(set.type);
      kinds.set(set.name, [type, ...(set.flags ?? [])].join(' '));
      if (type === 'ipv4_addr' || type === 'ipv6_addr')
        sets.set(set.name, IpSet.from((set.elem ?? []).map(elementText)));
    }
    if (chain !== undefined) chains.set(chain.name, { hook: hookText(chain), rules: [] });
    if (rule !== undefined) chains.get(rule.chain)?.rules.push(ruleGist(rule.expr));
    if (counter?.name === 'dropped') dropped = { packets: counter.packets, bytes: counter.bytes };
  }
  return { isActive, sets, kinds, chains, dropped };
}

function elementText(element: unknown): string {
  if (typeof element === 'string') return element;
  const value = z.union([elementSchema, decorated]).parse(element);
  if (typeof value === 'string') return value;
  if ('prefix' in value) return `${value.prefix.addr}/${value.prefix.len}`;
  return value.range.join('-');
}

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
 * What a rule does, without what versions of nft print differently: the fields it looks at, the sets it looks into, counter and
 * verdict. `ip saddr @nodes4, jump listed`.
 */
export function ruleGist(expressions: readonly unknown[]): string {
  return expressions.map(gist).join(', ');
}

const payload = z.object({ payload: z.object({ protocol: z.string(), field: z.string() }) });
const matchSchema = z.object({ match: z.object({ left: z.unknown(), right: z.unknown() }) });

function gist(expression: unknown): string {
  const match = matchSchema.safeParse(expression);
  if (!match.success)
    return JSON.stringify(expression)
      .replace(/[{}":]+/g, ' ')
      .trim();
  const { left, right } = match.data.match;
  const field = payload.safeParse(left);
  const looked = field.success ? `${field.data.payload.protocol} ${field.data.payload.field}` : JSON.stringify(left);
  return typeof right === 'string' && right.startsWith('@') ? `${looked} ${right}` : looked;
}
