import { type IpSet, IpSetBuilder } from '../../ip/index.js';
import type { Ban } from './contract.js';

/** What is banned at a moment, of that what is banned one by one, and by how many bans. */
export interface InForce {
  readonly set: IpSet;
  readonly nodes: IpSet;
  readonly count: number;
}

/** @param at milliseconds since 1970 */
export function inForce(bans: readonly Ban[], at: number): InForce {
  const builder = new IpSetBuilder();
  let count = 0;
  for (const ban of bans) {
    if (!isInForce(ban, at)) continue;
    builder.addPrefix(ban.prefix);
    count++;
  }
  const nodes = builder.buildNodes();
  return { set: builder.build(), nodes, count };
}

export function isInForce({ until }: Ban, at: number): boolean {
  return until === undefined || until > at;
}
