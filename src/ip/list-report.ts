import type { RejectReason } from './entry.js';

export interface RejectedLine {
  /** 1-based */
  readonly line: number;
  /** as it stands in the list, cut, NOT escaped: escape before showing */
  readonly text: string;
  readonly reason: RejectReason;
}

/** What became of the lines of one list. */
export interface ListReport {
  /** lines that held an address, a block or a range */
  readonly entries: number;
  /** lines that held something else; comments and blank lines count nowhere */
  readonly rejected: number;
  readonly reasons: Readonly<Partial<Record<RejectReason, number>>>;
  /** the first five rejected lines */
  readonly samples: readonly RejectedLine[];
  /** entries whose host bits were set and were cleared, like `192.0.2.5/24` */
  readonly hostBits: number;
  /** the widest single entry of each family in host bits: 24 for an IPv4 `/8`; −1 when there was none */
  readonly widest: { readonly v4: number; readonly v6: number };
  /** well-formed entries that a filter left out: a score too low, another country */
  readonly leftOut: number;
  /** how many entries the list itself says it holds, where it says so */
  readonly records?: number;
}

export interface ListOptions {
  /** What a number behind the address is: a score (default), or text that makes the line a reject, since it might be a netmask. */
  readonly column?: 'score' | 'none';
  /** Entries with a score (`192.0.2.7<TAB>9`) below this one are left out. Default 0: all are taken. */
  readonly minScore?: number;
}
