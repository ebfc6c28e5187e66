import { z } from 'zod';
import type { LiveTable } from '../apply/live.js';
import type { Nft } from '../apply/nft.js';
import { type TunnelTo, tunnelTo } from '../host/tunnels.js';
import { IpSet, type Prefix, setOfBlock } from '../ip/index.js';
import { LISTED_NAMES, TABLE } from '../render/layout.js';
import { LOCKDOWN_TABLE } from './lockdown.js';

/** What may keep out whom a lockdown lets in: its `accept` ends nothing but its own chain. */
export type Obstacle =
  /** our own rules hold one of the addresses, or do not where they must (`only_`) */
  | { readonly kind: 'listed'; readonly address: Prefix; readonly set: string }
  /** a chain of somebody else drops what none of its rules accepts: `ip filter INPUT` */
  | { readonly kind: 'policy'; readonly chain: string }
  /** a firewall that judges by rules of its own */
  | { readonly kind: 'firewall'; readonly name: string }
  /** the address comes through a tunnel, and what carries that is dropped when others begin it */
  | ({ readonly kind: 'tunnel'; readonly address: Prefix } & TunnelTo);

/** @throws BlocklistError as Nft.structure */
export async function obstacles(nft: Nft, allow: readonly Prefix[]): Promise<Obstacle[]> {
  const live = await nft.structure();
  const listed = live?.isActive === true ? await listedAmong(nft, live, allow) : [];
  const tunnels: Obstacle[] = [];
  for (const address of allow) {
    const tunnel = await tunnelTo(address);
    if (tunnel !== undefined) tunnels.push({ kind: 'tunnel', address, ...tunnel });
  }
  return [...listed, ...firewallsIn(await nft.list('-t', 'list', 'ruleset')), ...tunnels];
}

/** Which of the addresses our sets drop, as far as nobody allowed them on this host. */
async function listedAmong(nft: Nft, live: LiveTable, allow: readonly Prefix[]): Promise<Obstacle[]> {
  // One address is asked for; for a part of a block every element has to be read.
  const isSingle = allow.every(({ family, length }) => length === family.bits);
  const whole = isSingle ? undefined : await nft.contents();
  const found: Obstacle[] = [];
  for (const address of allow) {
    const { version } = address.family;
    const there = (name: string) => live.kinds.has(name) && name.replace('_b', '').endsWith(String(version));
    const open = whole?.sets.get(`allow${version}`) ?? IpSet.empty;
    const rest = setOfBlock(address).subtract(open);
    const holds = async (name: Parameters<Nft['holds']>[0]): Promise<boolean> => {
      if (!there(name)) return false;
      if (whole === undefined) return nft.holds(name, address);
      return !(whole.sets.get(name) ?? IpSet.empty).intersect(rest).isEmpty;
    };
    if (whole === undefined ? await holds(version === 4 ? 'allow4' : 'allow6') : rest.isEmpty) continue;
    const banned = version === 4 ? 'ban4' : 'ban6';
    for (const name of [banned, ...LISTED_NAMES.map(live.names)] as const) {
      if (await holds(name)) found.push({ kind: 'listed', address, set: name });
    }
    const only = live.names(version === 4 ? 'only_nets4' : 'only_nets6');
    if (there(only) && !(await holds(only))) found.push({ kind: 'listed', address, set: only });
  }
  return found;
}

const objectSchema = z.looseObject({
  table: z.looseObject({ family: z.string(), name: z.string() }).optional(),
  chain: z
    .looseObject({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      hook: z.string().optional(),
      policy: z.string().optional(),
    })
    .optional(),
});
const listingSchema = z.object({ nftables: z.array(objectSchema) });
const OURS: ReadonlySet<string> = new Set([TABLE, LOCKDOWN_TABLE]);
/** Where packets to this host pass. */
const INWARD: ReadonlySet<string> = new Set(['ingress', 'prerouting', 'input']);

/** Other people's ways to drop, as far as they can be known without reading their rules. Takes `nft -j list ruleset`. */
export function firewallsIn(listing: string): Obstacle[] {
  const { nftables } = listingSchema.parse(JSON.parse(listing));
  const chains = nftables.flatMap(({ chain }) => (chain === undefined || OURS.has(chain.table) ? [] : [chain]));
  const policies = chains
    .filter(({ hook = '', policy }) => policy === 'drop' && INWARD.has(hook))
    .map(({ family, table, name }): Obstacle => ({ kind: 'policy', chain: `${family} ${table} ${name}` }));
  const isFirewalld = nftables.some(({ table }) => table?.name === 'firewalld');
  const isUfw = chains.some(({ name }) => /^ufw6?-/.test(name));
  const names = [...(isFirewalld ? ['firewalld'] : []), ...(isUfw ? ['ufw'] : [])];
  return [...policies, ...names.map((name): Obstacle => ({ kind: 'firewall', name }))];
}
