import { z } from 'zod';
import type { Nft } from '../apply/nft.js';
import { BlocklistError } from '../errors.js';
import { IpSet, type Prefix, parsePrefix } from '../ip/index.js';
import { ADMINS, ARMED, LOCKDOWN_TABLE, type Lockdown, lockdownRules } from './lockdown.js';

/** A lockdown as the kernel has it. */
export interface Standing extends Lockdown {
  /** whether its rules decide as ours would: none came, went, or has another verdict */
  readonly isIntact: boolean;
}

const base = { family: z.string(), table: z.string() };
/** Objects of `nft -j list …` (libnftables-json(5)), as far as they are needed. */
const objectSchema = z.looseObject({
  table: z.looseObject({ family: z.string(), name: z.string(), flags: z.unknown().optional() }).optional(),
  set: z.looseObject({ ...base, name: z.string(), elem: z.array(z.unknown()).optional() }).optional(),
  rule: z.looseObject({ ...base, chain: z.string(), expr: z.array(z.unknown()) }).optional(),
});
const listingSchema = z.object({ nftables: z.array(objectSchema) });
type Listed = z.output<typeof objectSchema>;

/** What stands now, told by the kernel alone; undefined when nothing does, or its time is over. @throws BlocklistError as Nft.list */
export async function standingLockdown(nft: Nft): Promise<Standing | undefined> {
  // Without elements it is a matter of milliseconds, whatever other tables hold; the elements of a small set as well.
  const rules = await nft.list('-t', 'list', 'ruleset');
  if (!isThere(rules)) return undefined;
  return parseStanding(rules, await nft.list('list', 'set', 'inet', LOCKDOWN_TABLE, ARMED));
}

/** Whether the table is there, in force or not. @throws BlocklistError as Nft.list */
export async function hasLockdownTable(nft: Nft): Promise<boolean> {
  return isThere(await nft.list('-t', 'list', 'ruleset'));
}

function isThere(listing: string): boolean {
  return objectsOf(listing).some(({ table }) => table?.family === 'inet' && table.name === LOCKDOWN_TABLE);
}

/**
 * Reads `nft -j -t list ruleset` and `nft -j list set` of what arms it.
 * @throws BlocklistError `nft-refused` for text that is none of nft's
 */
export function parseStanding(ruleset: string, armed: string): Standing | undefined {
  const objects = objectsOf(ruleset);
  const table = objects.find((each) => each.table?.name === LOCKDOWN_TABLE)?.table;
  const families = objectsOf(armed).flatMap(({ set }) => (set?.name === ARMED ? (set.elem ?? []).map(familyOf) : []));
  if (table === undefined || families.length === 0) return undefined;
  const rules = objects.flatMap(({ rule }) => (rule?.table === LOCKDOWN_TABLE ? [rule] : []));
  const admins = rules.filter(({ chain }) => chain === ADMINS).map(({ expr }) => addressOf(expr[0]));
  const entries = rules.filter(({ chain, expr }) => chain === 'inbound' && verdictOf(expr) === `jump ${ADMINS}`);
  const ports = entries.map(({ expr }) => portOf(expr[0]));
  const found = {
    allow: [...IpSet.from(admins.filter((each) => each !== undefined)).prefixes()],
    ports: ports.filter((each) => each !== undefined),
    cutOutbound:
      verdictOf(
        rules
          .filter(({ chain }) => chain === 'outbound')
          .at(-1)
          ?.expr.slice(0, 1) ?? [],
      ) === 'drop',
  };
  const expected = lockdownRules(found).map(({ chain, verdict }) => `${chain} ${verdict}`);
  const actual = rules.map(({ chain, expr }) => `${chain} ${verdictOf(expr)}`);
  const isWhole = ['ipv4', 'ipv6'].every((name) => families.some(({ family }) => family === name));
  const isSame = expected.length === actual.length && sorted(expected) === sorted(actual);
  const ends = families.flatMap(({ expires }) => expires ?? []);
  return {
    ...found,
    seconds: ends.length === 0 ? undefined : Math.min(...ends),
    isIntact: isWhole && isSame && table.flags === undefined,
  };
}

/** By chain: within one the order stays. */
function sorted(rules: readonly string[]): string {
  const chain = (rule: string) => rule.split(' ')[0] ?? '';
  return rules.toSorted((a, b) => (chain(a) < chain(b) ? -1 : chain(a) > chain(b) ? 1 : 0)).join('\n');
}

function objectsOf(json: string): readonly Listed[] {
  try {
    return listingSchema.parse(JSON.parse(json || '{"nftables":[]}')).nftables;
  } catch (cause) {
    throw new BlocklistError('nft-refused', 'nft printed something unexpected', {
      where: 'nft -j list ruleset',
      hint: 'report this with the output of nft --version',
      cause,
    });
  }
}

const timedSchema = z.object({ elem: z.looseObject({ val: z.string(), expires: z.number().optional() }) });

/** `ipv4`, or the same with the whole seconds that are left. */
function familyOf(element: unknown): { readonly family: unknown; readonly expires?: number | undefined } {
  const timed = timedSchema.safeParse(element);
  return timed.success ? { family: timed.data.elem.val, expires: timed.data.elem.expires } : { family: element };
}

const verdictSchema = z.union([
  z.object({ accept: z.null() }).transform(() => 'accept'),
  z.object({ drop: z.null() }).transform(() => 'drop'),
  z.object({ jump: z.object({ target: z.string() }) }).transform(({ jump }) => `jump ${jump.target}`),
]);

function verdictOf(expressions: readonly unknown[]): string {
  const read = verdictSchema.safeParse(expressions.at(-1));
  return read.success ? read.data : 'something else';
}

const matched = <T extends z.ZodType>(right: T) => z.object({ match: z.looseObject({ op: z.literal('=='), right }) });
const portSchema = matched(z.int());
const addressSchema = matched(
  z.union([
    z.string(),
    z.object({ prefix: z.object({ addr: z.string(), len: z.int() }) }).transform(({ prefix }) => {
      return `${prefix.addr}/${prefix.len}`;
    }),
  ]),
);

function portOf(expression: unknown): number | undefined {
  const read = portSchema.safeParse(expression);
  return read.success ? read.data.match.right : undefined;
}

function addressOf(expression: unknown): Prefix | undefined {
  const read = addressSchema.safeParse(expression);
  if (!read.success) return undefined;
  try {
    return parsePrefix(read.data.match.right);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
