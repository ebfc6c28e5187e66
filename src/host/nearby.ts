import { networkInterfaces } from 'node:os';
import { overlap, type Prefix, parsePrefix } from '../ip/index.js';

/**
 * Whether any block has addresses of a network that this host is part of: its own addresses are, and so are nearly all gateways. Asks no other program,
 * which would take longer than what this saves.
 */
export function isNearby(blocks: readonly Prefix[]): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const networks = addresses.flatMap(({ cidr }) => (cidr === null ? [] : [parsePrefix(cidr)]));
  return blocks.some((block) => networks.some((network) => overlap(block, network)));
}
