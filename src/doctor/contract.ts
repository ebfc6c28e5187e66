import type { CrowdsecEntry } from '../config/crowdsec-schema.js';
import type { Config } from '../config/load.js';
import type { TrustedOwners } from '../config/owner.js';
import type { BlocklistError } from '../errors.js';
import type { IpSet } from '../ip/index.js';
import type { CrowdsecTrial } from '../sources/bans/crowdsec-trial.js';

/**
 * - note: worth knowing; nothing is wrong;
 * - problem: something does not work, or will not;
 * - unknown: it could not be examined, which is not the same as good.
 */
export type FindingState = 'good' | 'note' | 'problem' | 'unknown';

interface Seen {
  /** stable name */
  readonly id: string;
  readonly what: string;
  /** file, interface or program concerned */
  readonly where?: string;
}

/** Whatever is not good comes with what to do. */
export type Finding =
  | (Seen & { readonly state: 'good' })
  | (Seen & { readonly state: Exclude<FindingState, 'good'>; readonly fix: string });

/** What examinations are given: where to look, and what only the commands can find out, as values. */
export interface Host {
  /** `/`; in tests a folder with an `etc`, `proc`, `sys` and `run` of its own */
  readonly root: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** milliseconds since 1970 */
  readonly now: number;
  /** how this program was called, for commands that take no configuration */
  readonly self: string;
  /** `apply --dry-run` as it can be pasted here */
  readonly line: (command: string) => string;
  readonly config: Config | BlocklistError;
  /** with `--config`: a file that is not there is then a mistake */
  readonly isConfigNamed: boolean;
  /** what is wrong with the sources that the configuration names */
  readonly sources: BlocklistError | undefined;
  readonly folders: { readonly cache: string; readonly state: string };
  /** files that root believes, and whose they may be */
  readonly trust: ReadonlyArray<{ readonly paths: readonly string[]; readonly theirs: TrustedOwners }>;
  /** milliseconds since 1970 */
  readonly lastBuild: number | undefined;
  /** asks nobody but the server that the configuration names, for some seconds at most */
  readonly tryCrowdsec: (entry: CrowdsecEntry) => Promise<CrowdsecTrial>;
  /** ranges of CDNs and clouds, as far as they are in the cache */
  readonly proxies: () => Promise<ReadonlyArray<{ readonly id: string; readonly set: IpSet }>>;
}

/** What a judgement may use beside its facts. */
export type Bench = Pick<Host, 'line' | 'now' | 'self' | 'uid'>;

/** One examination: facts are gathered by reading alone, and judged by a pure function. Nothing is ever written. */
export interface Examination {
  /** for `--only` */
  readonly name: string;
  readonly examine: (host: Host) => Promise<Finding[]>;
}

export interface Steps<Facts> {
  readonly gather: (host: Host) => Promise<Facts>;
  readonly judge: (facts: Facts, bench: Bench) => Finding[];
}

export function examination<Facts>(name: string, { gather, judge }: Steps<Facts>): Examination {
  return { name, examine: async (host) => judge(await gather(host), host) };
}

export function good(id: string, what: string, where?: string): Finding {
  return { id, state: 'good', what, ...(where === undefined ? {} : { where }) };
}

/** A finding that is not good. */
export function told(
  id: string,
  state: Exclude<FindingState, 'good'>,
  what: string,
  fix: string,
  where?: string,
): Finding {
  return { id, state, what, fix, ...(where === undefined ? {} : { where }) };
}
