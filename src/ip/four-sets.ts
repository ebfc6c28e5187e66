import { decomposeApart, type Prefixes } from './decompose.js';
import type { IpSet } from './ip-set.js';

/** The order of every output: IPv4 first, single addresses before nets. */
export const SET_KEYS = ['nodes4', 'nets4', 'nodes6', 'nets6'] as const;
export type SetKey = (typeof SET_KEYS)[number];

/**
 * A set of addresses as the kernel gets it: single addresses (for hash sets) and wider blocks (for interval sets) of each family.
 * Together the fewest CIDRs that cover exactly the set, each in numeric order.
 */
export type FourSets = Readonly<Record<SetKey, Prefixes>>;

export function fourSets(set: IpSet): FourSets {
  const [v4, v6] = [decomposeApart(set.v4), decomposeApart(set.v6)];
  return { nodes4: v4.nodes, nets4: v4.nets, nodes6: v6.nodes, nets6: v6.nets };
}

/** Number of addresses in disjoint blocks, exact. */
export function countAddresses({ family, size, lengths }: Prefixes): bigint {
  const perLength = new Uint32Array(family.bits + 1);
  for (let i = 0; i < size; i++) perLength[lengths[i]!]!++;
  return perLength.reduce((total, blocks, length) => total + (BigInt(blocks) << BigInt(family.bits - length)), 0n);
}
