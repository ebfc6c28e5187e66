import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { IpSet } from '../ip/index.js';
import { EARLY_PRIORITY, FAMILY, loadCommands, namedSets, STATE, TABLE } from '../render/commands.js';
import { elementSchema, type NftElement } from '../render/nft-json.js';
import type { Artefact } from './artefact-store.js';

const inTable = { family: z.literal(FAMILY), table: z.literal(TABLE), name: z.string() };
/** What `nft -j list table` prints; objects of other kinds pass unread. Elements are checked one by one as they are taken. */
const tableSchema = z.object({
  nftables: z.array(
    z.looseObject({
      set: z.looseObject({ ...inTable, elem: z.array(z.unknown()).optional() }).optional(),
      chain: z
        .looseObject({
          ...inTable,
          hook: z.string().optional(),
          prio: z.int().optional(),
          policy: z.string().optional(),
        })
        .optional(),
      rule: z.looseObject({ chain: z.string() }).optional(),
      counter: z.looseObject({ name: z.string(), packets: z.int(), bytes: z.int() }).optional(),
    }),
  ),
});

/** Our table as it is in the kernel. */
export interface LiveTable {
  readonly sets: ReadonlyMap<string, IpSet>;
  /** chain → hook, priority and policy in words, and its number of rules */
  readonly chains: ReadonlyMap<string, string>;
  readonly dropped: { readonly packets: number; readonly bytes: number };
}

/** Reads the JSON of `nft -j list table inet blocklist`. @throws BlocklistError `nft-refused` for JSON of another shape. */
export function parseTable(json: string): LiveTable {
  const checked = tableSchema.safeParse(JSON.parse(json));
  if (!checked.success) {
    throw new BlocklistError('nft-refused', `nft printed something unexpected: ${z.prettifyError(checked.error)}`, {
      where: `nft -j list table ${FAMILY} ${TABLE}`,
      hint: 'report this with the output of nft --version',
    });
  }
  const sets = new Map<string, IpSet>();
  const hooks = new Map<string, string>();
  const rules = new Map<string, number>();
  let dropped = { packets: 0, bytes: 0 };
  for (const { set, chain, rule, counter } of checked.data.nftables) {
    if (set !== undefined && set.name !== STATE) sets.set(set.name, IpSet.from((set.elem ?? []).map(elementText)));
    if (chain !== undefined) hooks.set(chain.name, hookText(chain.hook, chain.prio, chain.policy));
    if (rule !== undefined) rules.set(rule.chain, (rules.get(rule.chain) ?? 0) + 1);
    if (counter?.name === 'dropped') dropped = { packets: counter.packets, bytes: counter.bytes };
  }
  const chains = new Map([...hooks].map(([name, hook]) => [name, `${hook}, ${rules.get(name) ?? 0} rules`]));
  return { sets, chains, dropped };
}

function elementText(element: unknown): string {
  if (typeof element === 'string') return element;
  const checked: NftElement = elementSchema.parse(element);
  if (typeof checked === 'string') return checked;
  if ('prefix' in checked) return `${checked.prefix.addr}/${checked.prefix.len}`;
  return checked.range.join('-');
}

function hookText(hook: string | undefined, prio: number | undefined, policy: string | undefined): string {
  return hook === undefined ? 'no hook' : `${hook} ${prio ?? 0} ${policy ?? ''}`;
}

/** What an artefact should look like in the kernel. */
function expectedTable(artefact: Artefact): Pick<LiveTable, 'sets' | 'chains'> {
  const chains = new Map<string, string>();
  const rules = new Map<string, number>();
  for (const command of loadCommands(artefact.sets, artefact.digest)) {
    if (command.do === 'add-chain') {
      const { name, hook } = command.chain;
      chains.set(name, hookText(hook, EARLY_PRIORITY, 'accept'));
    } else if (command.do === 'delete-chain') chains.delete(command.chain.name);
    else if (command.do === 'add-rule') rules.set(command.rule.chain, (rules.get(command.rule.chain) ?? 0) + 1);
  }
  return {
    sets: new Map(namedSets(artefact.sets).map(({ name, prefixes }) => [name, IpSet.ofPrefixes(prefixes)])),
    chains: new Map([...chains].map(([name, hook]) => [name, `${hook}, ${rules.get(name) ?? 0} rules`])),
  };
}

/** How one set of the kernel differs from the artefact, in addresses. */
export interface SetDifference {
  readonly name: string;
  /** in the artefact and not in the kernel */
  readonly missing: bigint;
  /** in the kernel and not in the artefact */
  readonly extra: bigint;
}

export interface Differences {
  readonly sets: readonly SetDifference[];
  /** chains that are absent, foreign, or hooked elsewhere, in words */
  readonly chains: readonly string[];
}

/** Compares the kernel with the artefact; empty lists mean that they agree. */
export function differences(artefact: Artefact, live: LiveTable): Differences {
  const expected = expectedTable(artefact);
  const names = new Set([...expected.sets.keys(), ...live.sets.keys()]);
  const sets = [...names].flatMap((name): SetDifference[] => {
    const wanted = expected.sets.get(name);
    const found = live.sets.get(name);
    if (wanted !== undefined && found !== undefined && wanted.equals(found)) return [];
    const [a, b] = [wanted ?? IpSet.empty, found ?? IpSet.empty];
    return [{ name, missing: sizeOf(a.subtract(b)), extra: sizeOf(b.subtract(a)) }];
  });
  const chainNames = new Set([...expected.chains.keys(), ...live.chains.keys()]);
  const chains = [...chainNames].flatMap((name) => {
    const [wanted, found] = [expected.chains.get(name) ?? 'absent', live.chains.get(name) ?? 'absent'];
    return wanted === found ? [] : [`chain ${name}: expected ${wanted}, found ${found}`];
  });
  return { sets, chains };
}

function sizeOf(set: IpSet): bigint {
  const { v4, v6 } = set.count();
  return BigInt(v4) + v6;
}
