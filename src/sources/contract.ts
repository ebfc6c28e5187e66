import type { BlocklistError } from '../errors.js';
import type { IpSet, RejectedLine } from '../ip/index.js';

/** in: what these addresses send; out: what is sent to them. */
export type Direction = 'in' | 'out' | 'both';

/** What became of the entries of a source. */
export interface SourceCounts {
  /** lines or networks taken */
  readonly entries: number;
  readonly rejected: number;
  readonly hostBits: number;
  readonly samples: readonly RejectedLine[];
}

/** The addresses of a source, and how they were come by. */
export interface Loaded {
  readonly id: string;
  readonly kind: 'feed' | 'file' | 'country';
  readonly direction: Direction;
  readonly set: IpSet;
  readonly counts: SourceCounts;
  /** when the data was current at its origin or fetched from it, milliseconds since 1970 */
  readonly date: number;
  /** fresh: read or fetched now; unchanged: the server said so; kept: last good; bundled: the snapshot of the package */
  readonly state: 'fresh' | 'unchanged' | 'kept' | 'bundled';
  /** why the data is not newer: set when something failed and last good serves */
  readonly problem?: BlocklistError;
}

/** use: ask the network for what it may have newer; avoid: work from last good alone. */
export type Network = 'use' | 'avoid';

/**
 * Anything that yields addresses to block. One file, one line in the registry, one fixture.
 */
export interface Source {
  readonly id: string;
  readonly kind: Loaded['kind'];
  readonly direction: Direction;
  /** @throws BlocklistError when there is neither new data that passes the guards nor last good. */
  load(network: Network): Promise<Loaded>;
}
