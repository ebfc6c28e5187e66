import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { type FourSets, IpSet, type SetKey } from '../ip/index.js';
import { type IpsetName, ipsetName, usedKeys, ZONE } from '../render/firewalld.js';
import { elementText, parseElements } from './live.js';
import type { Nft } from './nft.js';

/** What the kernel has of firewalld: our ipsets, and the rules that ask for them. */

export const TABLE = 'firewalld';

const rulesetSchema = z.object({
  nftables: z.array(
    z.looseObject({
      rule: z
        .looseObject({ family: z.string(), table: z.string(), chain: z.string(), expr: z.array(z.unknown()) })
        .optional(),
    }),
  ),
});
/** The chains that ask for the zone of a sender, by what they go on to. */
const DISPATCH = [
  { asks: 'filter_INPUT_ZONES', zone: `filter_IN_${ZONE}` },
  { asks: 'filter_FORWARD_ZONES', zone: `filter_FWD_${ZONE}` },
] as const;

/** How the kernel differs from what firewalld was given, in words: elements, and the rules that ask for them. Empty: it holds exactly this. */
export async function firewalldDrift(nft: Nft, sets: FourSets): Promise<string[]> {
  const used = usedKeys(sets);
  const words: string[] = [];
  for (const key of used) {
    const [wanted, found] = [IpSet.ofPrefixes(sets[key]), await kernelSet(nft, ipsetName(key))];
    if (found === undefined) words.push(`set ${ipsetName(key)} is not there`);
    else if (!wanted.equals(found)) words.push(`set ${ipsetName(key)} holds other addresses`);
  }
  return [...words, ...(await ruleDrift(nft, used))];
}

async function kernelSet(nft: Nft, name: IpsetName): Promise<IpSet | undefined> {
  try {
    return IpSet.from(parseElements(await nft.list('list', 'set', 'inet', TABLE, name), name, elementText));
  } catch (error) {
    if (error instanceof BlocklistError && /No such file or directory/.test(error.message)) return undefined;
    throw error;
  }
}

/** A rule of firewalld: its chain, and its expressions as JSON text. */
interface Rule {
  readonly chain: string;
  readonly text: string;
}

async function firewalldRules(nft: Nft): Promise<Rule[]> {
  const { nftables } = rulesetSchema.parse(JSON.parse(await nft.list('-t', 'list', 'ruleset')));
  return nftables.flatMap(({ rule }) =>
    rule?.family === 'inet' && rule.table === TABLE ? [{ chain: rule.chain, text: JSON.stringify(rule.expr) }] : [],
  );
}

async function ruleDrift(nft: Nft, used: readonly SetKey[]): Promise<string[]> {
  const rules = await firewalldRules(nft);
  return DISPATCH.flatMap(({ asks, zone }) => {
    const asked = rules.filter(({ chain }) => chain.startsWith(asks));
    const leads = (key: SetKey) => (rule: Rule) =>
      rule.text.includes(`"@${ipsetName(key)}"`) && rule.text.includes(`"${zone}"`);
    const unasked = used.filter((key) => !asked.some(leads(key)));
    const last = rules.filter(({ chain }) => chain === zone).at(-1);
    const isDropped = used.length === 0 || last?.text === '[{"drop":null}]';
    return [
      ...unasked.map((key) => `${asks} does not ask for ${ipsetName(key)}`),
      ...(isDropped ? [] : [`${zone} does not end with a drop`]),
    ];
  });
}

/** Zones that are asked before ours: whom they know as a source, they decide on. */
export async function zonesBefore(nft: Nft): Promise<string[]> {
  const asked = (await firewalldRules(nft)).filter(({ chain }) => chain.startsWith(DISPATCH[0].asks));
  const zones = asked.map(({ text }) => /"filter_IN_([^"]+)"/.exec(text)?.[1]).filter((zone) => zone !== undefined);
  return [...new Set(zones.slice(0, Math.max(0, zones.lastIndexOf(ZONE))))].filter((zone) => zone !== ZONE);
}
