import { formatPrefix, IpSet, overlapping, type Prefix } from '../ip/index.js';
import { namedSets, type SetName } from '../render/layout.js';
import type { Artefact } from './artefact.js';

/** Somebody or something that must still be able to talk to this host. */
export interface Protected {
  readonly prefix: Prefix;
  /** in words: `an address of local.admins` */
  readonly what: string;
}

/** A protected address that would be dropped. */
export interface LockoutHit extends Protected {
  readonly set: SetName;
  /** the first of its addresses that is listed, as a block */
  readonly hit: Prefix;
}

/** Which of the protected addresses the rules would drop. Those that were allowed by hand on this host pass. */
export function lockoutHits(sets: Artefact['sets'], everyone: readonly Protected[], allowed: IpSet): LockoutHit[] {
  return everyone.flatMap((each) => {
    for (const open of IpSet.from([each.prefix]).subtract(allowed).prefixes()) {
      for (const { name, prefixes } of namedSets(sets)) {
        const net = overlapping(prefixes, open);
        if (net !== undefined) return [{ ...each, set: name, hit: net.length > open.length ? net : open }];
      }
    }
    return [];
  });
}

/** `203.0.113.50, an address of local.admins (set nodes4)` */
export function lockoutWords({ hit, what, set }: LockoutHit): string {
  return `${formatPrefix(hit)}, ${what} (set ${set})`;
}
