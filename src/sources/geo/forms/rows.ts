import type { Family, RejectedLine, RejectReason } from '../../../ip/index.js';
import type { DatabaseContent, GeoKind } from '../contract.js';
import { type GeoTable, TableBuilder } from '../table.js';

/** Rejected lines that are shown; the others are only counted. */
const SAMPLES = 5;

/** The line that is read now, for messages. */
interface Place {
  readonly line: number;
  shown(): string;
}

/** Takes the lines of a database into a table for each kind, and keeps the account. */
export class RowTaker {
  private readonly builders: ReadonlyMap<GeoKind, TableBuilder>;
  private readonly samples: RejectedLine[] = [];
  private entries = 0;
  private rejected = 0;
  private family: Family | undefined;
  private lo: Uint32Array = new Uint32Array(0);
  private hi: Uint32Array = new Uint32Array(0);

  constructor(
    kinds: readonly GeoKind[],
    private readonly place: Place,
  ) {
    this.builders = new Map(kinds.map((kind) => [kind, new TableBuilder(kind)]));
  }

  /** Begins a line: the range that it is about. False, and a reject, when this is none. The columns are read until `taken`. */
  range(family: Family, lo: Uint32Array, family2: Family, hi: Uint32Array): boolean {
    if (family !== family2) {
      this.reject('range mixes families');
      return false;
    }
    for (let k = 0; k < family.words; k++) {
      if (lo[k]! === hi[k]!) continue;
      if (lo[k]! < hi[k]!) break;
      this.reject('range runs backwards');
      return false;
    }
    this.family = family;
    this.lo = lo;
    this.hi = hi;
    return true;
  }

  /** What the range is labelled with; `nameOf` is asked once a label. */
  add(kind: GeoKind, label: number, nameOf: () => string): void {
    const builder = this.builders.get(kind);
    if (builder === undefined || this.family === undefined) return;
    builder.add(this.family, this.lo, 0, this.hi, 0, label);
    if (builder.isNameless(label)) builder.name(label, nameOf());
  }

  /** The line is done. */
  taken(): void {
    this.entries++;
  }

  reject(reason: RejectReason): void {
    this.rejected++;
    if (this.samples.length < SAMPLES) this.samples.push({ line: this.place.line, text: this.place.shown(), reason });
  }

  content(): DatabaseContent {
    const made = [...this.builders].map(([kind, builder]) => ({ kind, ...builder.build() }));
    const tables = made.map(({ kind, table }): [GeoKind, GeoTable] => [kind, table]);
    const leftOut = made.reduce((sum, each) => sum + each.leftOut, 0);
    return {
      tables: Object.fromEntries(tables),
      entries: this.entries,
      rejected: this.rejected + leftOut,
      samples: this.samples,
    };
  }
}
