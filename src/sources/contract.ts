import type { BlocklistError } from '../errors.js';
import type { DownloadProgress } from '../io/progress.js';
import type { IpSet, RejectedLine } from '../ip/index.js';

/** in: what these addresses send; out: what is sent to them. */
export type Direction = 'in' | 'out' | 'both';

/** country, asn: networks by what they are, not by what they did; bans: what fail2ban, CrowdSec or another host banned, each with an end. */
export type SourceKind = 'feed' | 'file' | 'country' | 'asn' | 'bans';

/** What became of the entries of a source. */
export interface SourceCounts {
  /** lines or networks taken */
  readonly entries: number;
  readonly rejected: number;
  readonly hostBits: number;
  readonly samples: readonly RejectedLine[];
  /** entries that a filter left out, for each reason */
  readonly leftOut?: Readonly<Record<string, number>>;
}

/** How many single addresses in a net of what length list the whole net, for each family. */
export interface Density {
  readonly v4?: DenseRule | undefined;
  readonly v6?: DenseRule | undefined;
}
export interface DenseRule {
  readonly prefix: number;
  readonly 'at-least': number;
}

/** What part of the internet a country or network is. */
export interface Coverage {
  /** of all IPv4 addresses, 0…1 */
  readonly v4: number;
  /** of the IPv6 addresses that the country database gives to any country, 0…1; undefined where that says nothing */
  readonly v6?: number;
}

/** The addresses of a source, and how they were come by. */
export interface Loaded {
  readonly id: string;
  readonly kind: SourceKind;
  readonly direction: Direction;
  readonly set: IpSet;
  /** of the set, what the source lists one by one */
  readonly nodes: IpSet;
  readonly density?: Density;
  readonly coverage?: Coverage;
  readonly counts: SourceCounts;
  /** when the data was current at its origin or fetched from it, milliseconds since 1970 */
  readonly date: number;
  /**
   * fresh: read or fetched now; unchanged: the server said so; not-due: asked too recently to ask again; kept: last good; bundled: the
   * snapshot of the package
   */
  readonly state: 'fresh' | 'unchanged' | 'not-due' | 'kept' | 'bundled';
  /** what the source held before, when its content became another one in this run */
  readonly before?: IpSet;
  /** what is wrong with the source: something failed and last good serves, or the data is used but should be looked at */
  readonly problem?: BlocklistError;
}

/** use: ask the network for what it may have newer; avoid: work from last good alone. */
export type Network = 'use' | 'avoid';

/**
 * Anything that yields addresses. One file, one line in the registry, one fixture.
 */
export interface Source {
  readonly id: string;
  readonly kind: SourceKind;
  readonly direction: Direction;
  /** sources and databases that are served by the same downloads: who asks the network for one asks for all of them */
  readonly fetchedWith?: readonly string[];
  /** @throws BlocklistError when there is neither new data that passes the guards nor last good. */
  load(network: Network): Promise<Loaded>;
}

/** Who is told of downloads while they run. */
export type FetchProgress = Omit<DownloadProgress, 'close'>;
