import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { type Prefix, parsePrefix } from '../ip/index.js';
import { FAMILY, type SeenSetName, TABLE } from '../render/layout.js';

/** A listed host that something was dropped of since the kernel began to remember it, which it does for an hour after its last packet. */
export interface SeenHost {
  /** an address of IPv4, a /64 of IPv6 */
  readonly prefix: Prefix;
  readonly packets: number;
  readonly bytes: number;
}

/** IPv6 is remembered by the network that one host has: RFC 6177. */
const HOST_BITS = { seen4: 32, seen6: 64 } as const;

const counted = z.object({
  elem: z.object({ val: z.string(), counter: z.object({ packets: z.number(), bytes: z.number() }) }),
});
const listing = z.object({
  nftables: z.array(
    z.object({ set: z.object({ name: z.string(), elem: z.array(z.unknown()).optional() }).optional() }),
  ),
});

/** Reads what `nft -j list set` prints of a set that the rules fill. @throws BlocklistError `nft-refused` for anything else. */
export function parseSeen(json: string, name: SeenSetName): SeenHost[] {
  try {
    const { nftables } = listing.parse(JSON.parse(json));
    const elements = nftables.find(({ set }) => set?.name === name)?.set?.elem ?? [];
    return elements.map((element) => {
      const { val, counter } = counted.parse(element).elem;
      return { prefix: parsePrefix(`${val}/${HOST_BITS[name]}`), packets: counter.packets, bytes: counter.bytes };
    });
  } catch (cause) {
    throw new BlocklistError('nft-refused', `nft printed something unexpected: ${String(cause)}`, {
      where: `nft -j list set ${FAMILY} ${TABLE} ${name}`,
      hint: 'report this with the output of nft --version',
      cause,
    });
  }
}
