import type { BlocklistError } from '../errors.js';
import type { Address, IpSet, Prefix, SeenDays } from '../ip/index.js';
import type { Density, Direction, SourceKind } from './contract.js';

/** A source as the rules name it. */
export interface NamedSource {
  readonly id: string;
  readonly kind: SourceKind;
  readonly direction: Direction;
}

/** What a source has, as the last update left it on this host: for questions about addresses. Nothing is fetched or written. */
export interface Holding extends NamedSource {
  readonly density?: Density | undefined;
  /** what it has of a block, before nets by density; undefined for nothing */
  partOf(block: Prefix): HeldPart | undefined;
  /** its widest block that has all of this one */
  entryOf(block: Prefix): Prefix | undefined;
  /** since when and until when it listed an address, in days since 1970; also of those that it lists no more, for 90 days */
  daysOf(address: Address): SeenDays | undefined;
  /** what else it knows of an address, a line each, not escaped: the jail and the end of a ban */
  detailsOf(address: Address): readonly string[];
}

/** Of a block, what a source has, and of that what it lists one by one. */
export interface HeldPart {
  readonly set: IpSet;
  readonly nodes: IpSet;
}

/** A source that could not be looked into. */
export interface Unread {
  readonly id: string;
  readonly problem: BlocklistError;
}
