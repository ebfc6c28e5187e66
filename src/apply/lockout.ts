import type { RuleSets } from '../build/build.js';
import { formatPrefix, IpSet, overlapping, type Prefix } from '../ip/index.js';
import { listedSets, type SetName } from '../render/layout.js';
import type { Artefact } from './artefact.js';

/** Somebody or something that must still be able to talk to this host. */
export interface Protected {
  readonly prefix: Prefix;
  /** in words: `an address of local.admins` */
  readonly what: string;
}

/** Who is logged in and changes the rules. */
export interface Caller extends Protected {
  /** of this host, that the session came to */
  readonly port: number;
}

/** A protected address that would be dropped. */
export interface LockoutHit extends Protected {
  readonly set: SetName;
  /** the first of its addresses that is dropped, as a block */
  readonly hit: Prefix;
}

/** Which of the protected addresses the rules would drop. Those that were allowed by hand on this host pass. */
export function lockoutHits(sets: Artefact['sets'], everyone: readonly Protected[], allowed: IpSet): LockoutHit[] {
  return everyone.flatMap((each) => {
    for (const open of IpSet.from([each.prefix]).subtract(allowed).prefixes()) {
      for (const { name, prefixes } of listedSets(sets)) {
        const net = overlapping(prefixes, open);
        if (net !== undefined) return [{ ...each, set: name, hit: net.length > open.length ? net : open }];
      }
    }
    return [];
  });
}

/**
 * Whether the rules of `only` would keep the caller out. Everybody else whom this host needs stands in its allow sets, which are asked before.
 * @param open what these sets let through
 */
export function onlyHit({ only }: Pick<RuleSets, 'only'>, caller: Caller | undefined, open: IpSet): LockoutHit[] {
  if (only === undefined || caller === undefined) return [];
  const isFree = only.ports.length > 0 && !only.ports.includes(caller.port);
  const isV4 = caller.prefix.family.version === 4;
  const isIn = overlapping(isV4 ? only.nets4 : only.nets6, caller.prefix) !== undefined || open.has(caller.prefix);
  return isFree || isIn ? [] : [{ ...caller, set: isV4 ? 'only_nets4' : 'only_nets6', hit: caller.prefix }];
}

/** `203.0.113.50, an address of local.admins (set nodes4)` */
export function lockoutWords({ hit, what, set }: LockoutHit): string {
  return `${formatPrefix(hit)}, ${what} (${set.startsWith('only') ? 'not in ' : ''}set ${set})`;
}
