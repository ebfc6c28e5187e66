import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { ask } from '../host/ask.js';

/** Objects of `nft -j -t list ruleset`, as far as another firewall can be known by them. */
const objectSchema = z.looseObject({
  table: z.looseObject({ family: z.string(), name: z.string() }).optional(),
  chain: z.looseObject({ family: z.string(), table: z.string(), name: z.string() }).optional(),
  flowtable: z
    .looseObject({ family: z.string(), table: z.string(), name: z.string(), dev: z.unknown().optional() })
    .optional(),
});
const listingSchema = z.object({ nftables: z.array(objectSchema) });

/** Whatever is loaded into nftables, by whom ever. */
export interface Ruleset {
  /** `inet firewalld` */
  readonly tables: readonly string[];
  /** names of chains, with their tables: `ip filter DOCKER` */
  readonly chains: readonly string[];
  readonly flowtables: readonly string[];
}

/** @throws BlocklistError `program-failed` without the right to look, and for text that is none of nft's. */
export async function readRuleset(): Promise<Ruleset> {
  return parseRuleset((await ask(['nft', '-j', '-t', 'list', 'ruleset'])) || '{"nftables":[]}');
}

export function parseRuleset(json: string): Ruleset {
  let objects: z.output<typeof objectSchema>[];
  try {
    objects = listingSchema.parse(JSON.parse(json)).nftables;
  } catch (cause) {
    throw new BlocklistError('program-failed', 'nft printed something unexpected', {
      where: 'nft -j -t list ruleset',
      hint: 'report this with the output of nft --version',
      cause,
    });
  }
  return {
    tables: objects.flatMap(({ table }) => (table === undefined ? [] : [`${table.family} ${table.name}`])),
    chains: objects.flatMap(({ chain }) =>
      chain === undefined ? [] : [`${chain.family} ${chain.table} ${chain.name}`],
    ),
    flowtables: objects.flatMap(({ flowtable: f }) => (f === undefined ? [] : [`${f.family} ${f.table} ${f.name}`])),
  };
}
