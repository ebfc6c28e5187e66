import { z } from 'zod';
import type { RuleSets } from '../build/build.js';
import { formatAddress, type Prefixes } from '../ip/index.js';
import { loadCommands, type NftCommand } from './commands.js';
import { FAMILY, type SetSpec, TABLE } from './layout.js';
import { digestOf, policyOf, renderLists } from './manifest.js';

/** libnftables JSON (libnftables-json(5)), schema version 1: what we send, and what we read back. */

const place = { family: z.literal(FAMILY), table: z.literal(TABLE) };

/** An element: an address, or a block. nft also prints ranges. */
export const elementSchema = z.union([
  z.string(),
  z.strictObject({ prefix: z.strictObject({ addr: z.string(), len: z.int() }) }),
  z.strictObject({ range: z.tuple([z.string(), z.string()]) }),
]);
export type NftElement = z.output<typeof elementSchema>;

const emittedSet = z.strictObject({
  ...place,
  name: z.string(),
  type: z.enum(['ipv4_addr', 'ipv6_addr', 'mark']),
  flags: z.array(z.enum(['interval', 'timeout'])).optional(),
  comment: z.string().max(127).optional(),
});
const named = z.strictObject({ ...place, name: z.string() });
const emittedChain = z.union([
  named,
  z.strictObject({
    ...place,
    name: z.string(),
    type: z.literal('filter'),
    hook: z.enum(['prerouting', 'output']),
    prio: z.int(),
    policy: z.literal('accept'),
  }),
]);

const emittedCommand = z.union([
  z.strictObject({ metainfo: z.strictObject({ json_schema_version: z.literal(1) }) }),
  z.strictObject({ add: z.strictObject({ table: z.strictObject({ family: place.family, name: place.table }) }) }),
  z.strictObject({ add: z.strictObject({ counter: named }) }),
  z.strictObject({ add: z.strictObject({ set: emittedSet }) }),
  z.strictObject({ add: z.strictObject({ chain: emittedChain }) }),
  z.strictObject({
    add: z.strictObject({
      element: z.strictObject({ ...place, name: z.string(), elem: z.array(elementSchema).min(1) }),
    }),
  }),
  z.strictObject({
    add: z.strictObject({
      rule: z.strictObject({ ...place, chain: z.string(), expr: z.array(z.record(z.string(), z.unknown())).min(1) }),
    }),
  }),
  z.strictObject({ flush: z.union([z.strictObject({ set: named }), z.strictObject({ chain: named })]) }),
  z.strictObject({ delete: z.union([z.strictObject({ set: named }), z.strictObject({ chain: named })]) }),
]);

/** A whole input for `nft -j -f`. */
export const emittedSchema = z.strictObject({ nftables: z.array(emittedCommand) });
export type NftJson = z.output<typeof emittedSchema>;

/** The same transaction as renderNft, as libnftables JSON for `nft -j -f`; without seen4 and seen6, see printJson. */
export function renderNftJson(sets: RuleSets): NftJson {
  return printJson(loadCommands(sets, digestOf(renderLists(sets), policyOf(sets))));
}

/**
 * The commands as libnftables JSON, without the sets that rules fill: nft 1.0.6 knows no flag `dynamic` there, so that such a set can be made, but not
 * declared again over one that is loaded ("File exists"). Everything is dropped all the same; who was dropped is not remembered.
 */
function printJson(commands: readonly NftCommand[]): NftJson {
  const told = commands.filter(isTold).map(toJson);
  const json = { nftables: [{ metainfo: { json_schema_version: 1 } }, ...told] };
  return emittedSchema.parse(json);
}

function isTold(command: NftCommand): boolean {
  if (command.do === 'add-set') return command.set.filled === undefined;
  return command.do !== 'add-rule' || command.rule.json.every((expression) => !('set' in expression));
}

const IN_TABLE = { family: FAMILY, table: TABLE };

function toJson(command: NftCommand): object {
  switch (command.do) {
    case 'add-table':
      return { add: { table: { family: FAMILY, name: TABLE } } };
    case 'add-counter':
      return { add: { counter: { ...IN_TABLE, name: command.name } } };
    case 'add-set':
      return { add: { set: setOf(command.set) } };
    case 'flush-set':
      return { flush: { set: { ...IN_TABLE, name: command.set.name } } };
    case 'delete-set':
      return { delete: { set: { ...IN_TABLE, name: command.set.name } } };
    case 'add-chain': {
      const { name, hook } = command.chain;
      const base = hook === undefined ? {} : { type: 'filter', hook: hook.name, prio: hook.priority, policy: 'accept' };
      return { add: { chain: { ...IN_TABLE, name, ...base } } };
    }
    case 'flush-chain':
      return { flush: { chain: { ...IN_TABLE, name: command.chain.name } } };
    case 'delete-chain':
      return { delete: { chain: { ...IN_TABLE, name: command.chain.name } } };
    case 'add-rule':
      return { add: { rule: { ...IN_TABLE, chain: command.rule.chain, expr: command.rule.json } } };
    case 'add-elements':
      return { add: { element: { ...IN_TABLE, name: command.set.name, elem: elementsOf(command.prefixes) } } };
  }
}

function setOf({ name, type, flags, comment }: SetSpec): object {
  const flagged = flags.length === 0 ? {} : { flags };
  return { ...IN_TABLE, name, type, ...flagged, ...(comment === undefined ? {} : { comment }) };
}

function elementsOf({ family, size, words, lengths }: Prefixes): NftElement[] {
  const elements: NftElement[] = [];
  for (let i = 0; i < size; i++) {
    const addr = formatAddress(family, words, i * family.words);
    const len = lengths[i]!;
    elements.push(len === family.bits ? addr : { prefix: { addr, len } });
  }
  return elements;
}
