import type { BlocklistError } from '../../errors.js';
import type { Validators } from '../../io/http.js';
import type { Prefix, RejectedLine } from '../../ip/index.js';

/** An address or network that somebody banned, and until when. Dates are milliseconds since 1970. */
export interface Ban {
  readonly prefix: Prefix;
  readonly since: number;
  /** undefined: for good */
  readonly until?: number | undefined;
  /** who made it, in their words: a jail of fail2ban, an origin of CrowdSec. Not to be trusted: escape before showing */
  readonly by?: string | undefined;
  /** the host that made it, where that is another one. Escape before showing */
  readonly host?: string | undefined;
  /** why, in their words. Escape before showing */
  readonly reason?: string | undefined;
  /** how often the address was banned there, this time included */
  readonly count?: number | undefined;
}

/** What a reader of bans brought. */
export interface BansRead {
  /** in any order; those that are over may be among them */
  readonly bans: readonly Ban[];
  /** how many were written where they come from, if one of them can stand for many here */
  readonly written?: number;
  readonly rejected: number;
  readonly samples: readonly RejectedLine[];
  /** well-formed bans that are none for this host: how many for which reason, in words of ours */
  readonly leftOut?: Readonly<Record<string, number>>;
  /** when the data was current, milliseconds since 1970 */
  readonly date: number;
  /** what to send with the next question, so that an unchanged answer costs nothing */
  readonly validators?: Validators;
  /** the bans are used, but something should be looked at */
  readonly problem?: BlocklistError;
}

/** What a reader may know of the bans that are kept from the last time. */
export interface KnownBans extends Validators {
  /** when they were current */
  readonly date: number;
  readonly bans: readonly Ban[];
}

/**
 * A way to come by bans: one file, and one line in `index.ts`. It reads and judges; what it read is kept, expires and falls back to last good in
 * one place, ban-source.ts.
 */
export interface BanReader {
  readonly id: string;
  /** here: read again with every build; away: asked only by `update` */
  readonly place: 'here' | 'away';
  /** where the bans come from, for messages and as identity of what is kept: another one makes that worthless */
  readonly origin: string;
  /**
   * What is banned now, `unchanged` when it is what is kept, `not-due` when it was asked too recently.
   * @throws BlocklistError when that cannot be told; never no bans in its place.
   */
  read(known: KnownBans | undefined): Promise<BansRead | 'unchanged' | 'not-due'>;
}
