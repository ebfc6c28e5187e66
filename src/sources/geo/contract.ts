import type { Address, RejectedLine } from '../../ip/index.js';
import type { GeoKind, GeoTable } from './table.js';

export type { GeoKind } from './table.js';

/** What a database holds, read. */
export interface DatabaseContent {
  /** a table for each kind that was asked for */
  readonly tables: { readonly [Kind in GeoKind]?: GeoTable };
  /** when it was made, as it says itself, in milliseconds since 1970 */
  readonly built?: number;
  /** networks or lines that were read */
  readonly entries: number;
  /** lines that held something else, or contradicted another one */
  readonly rejected: number;
  readonly samples: readonly RejectedLine[];
}

/** What is said about one address: a label of the table of this kind, and the name that goes with it. */
export interface Answer {
  readonly label: number;
  readonly name: string;
}

/**
 * A form that databases come in: mmdb, CSV, registry statistics. One file, one line in `index.ts`; the contract test runs every one.
 * Bodies come unpacked.
 */
export interface DatabaseForm {
  readonly name: string;
  /** whether the bytes are of this form, by what is in them: names of files lie */
  fits(bytes: Buffer): boolean;
  /** @throws BlocklistError `bad-database` when it is damaged, or knows nothing of a kind that is asked for */
  read(bytes: Buffer, kinds: readonly GeoKind[], where: string): Promise<DatabaseContent>;
  /** Asks for single addresses without reading all of it, where the form can. @throws as read */
  ask?(bytes: Buffer, kind: GeoKind, where: string): Promise<(address: Address) => Answer | undefined>;
}
