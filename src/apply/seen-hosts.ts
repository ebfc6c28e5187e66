import { z } from 'zod';
import { type Prefix, parsePrefix } from '../ip/index.js';
import type { SeenSetName } from '../render/layout.js';
import { parseElements } from './live.js';

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

/** Reads what `nft -j list set` prints of a set that the rules fill. @throws as parseListing. */
export function parseSeen(json: string, name: SeenSetName): SeenHost[] {
  return parseElements(json, name, (element) => {
    const { val, counter } = counted.parse(element).elem;
    return { prefix: parsePrefix(`${val}/${HOST_BITS[name]}`), packets: counter.packets, bytes: counter.bytes };
  });
}
