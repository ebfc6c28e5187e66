import { FAMILIES, type Family, IPV4, IPV6, IpSet, LabelledBuilder, type LabelledRanges } from '../../ip/index.js';

/** What a database knows of addresses: the country they are used in, or the network (autonomous system) that announces them. */
export type GeoKind = 'country' | 'asn';

/** Columns of a table as they are kept in the cache. */
export interface TableColumns {
  readonly v4: LabelledRanges;
  readonly v6: LabelledRanges;
  /** every label that a network has, ascending */
  readonly labels: Uint32Array;
  /** how many networks of the database each label has: there they are not joined */
  readonly networks: Uint32Array;
  /** where the name of each label begins in `names`, and behind the last one its end */
  readonly offsets: Uint32Array;
  /** UTF-8 */
  readonly names: Buffer;
}

/**
 * Which address has which label: of a country the two letters of its code as one number, of a network its AS number. Immutable.
 */
export class GeoTable {
  constructor(
    readonly kind: GeoKind,
    readonly columns: TableColumns,
  ) {}

  of(family: Family): LabelledRanges {
    return family.version === 4 ? this.columns.v4 : this.columns.v6;
  }

  /** The sets of labels, in one walk. */
  setsOf(labels: readonly number[]): Map<number, IpSet> {
    const [v4, v6] = [this.columns.v4.setsOf(labels), this.columns.v6.setsOf(labels)];
    return new Map(labels.map((label) => [label, IpSet.of(v4.get(label)!, v6.get(label)!)]));
  }

  /** Every address that has a label. */
  all(): IpSet {
    return IpSet.of(this.columns.v4.all(), this.columns.v6.all());
  }

  /** How many networks of the database have the label; 0 when it does not know it. */
  networksOf(label: number): number {
    const i = this.indexOf(label);
    return i < 0 ? 0 : this.columns.networks[i]!;
  }

  /** Empty for a label without a name. */
  nameOf(label: number): string {
    const i = this.indexOf(label);
    const { offsets, names } = this.columns;
    return i < 0 ? '' : names.toString('utf8', offsets[i], offsets[i + 1]);
  }

  /** All together, the first one on top; undefined for none. */
  static stacked(tables: readonly GeoTable[]): GeoTable | undefined {
    return tables.reduce<GeoTable | undefined>((upper, lower) => upper?.over(lower) ?? lower, undefined);
  }

  /** Both together; where both know an address, this one stands. */
  over(other: GeoTable): GeoTable {
    const [v4, v6] = FAMILIES.map((family) => this.of(family).over(other.of(family)));
    return new GeoTable(this.kind, { v4: v4!, v6: v6!, ...joinedLabels(this.columns, other.columns) });
  }

  private indexOf(label: number): number {
    const { labels } = this.columns;
    let low = 0;
    let high = labels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (labels[middle]! < label) low = middle + 1;
      else high = middle;
    }
    return labels[low] === label ? low : -1;
  }
}

/** No organisation needs more, and a damaged line may hold megabytes. */
const LONGEST_NAME = 200;

/** Collects the networks of one kind, best in ascending order. */
export class TableBuilder {
  private readonly v4 = new LabelledBuilder(IPV4);
  private readonly v6 = new LabelledBuilder(IPV6);
  private readonly counted = new Map<number, number>();
  private readonly named = new Map<number, string>();

  constructor(private readonly kind: GeoKind) {}

  /** Adds the network from `lo[i]` to `hi[j]`, both inclusive. */
  add(family: Family, lo: Uint32Array, i: number, hi: Uint32Array, j: number, label: number): void {
    (family.version === 4 ? this.v4 : this.v6).add(lo, i, hi, j, label);
    this.counted.set(label, (this.counted.get(label) ?? 0) + 1);
  }

  /** Whether a name is wanted: databases repeat it with every network. */
  isNameless(label: number): boolean {
    return !this.named.get(label);
  }

  name(label: number, name: string): void {
    this.named.set(label, name.slice(0, LONGEST_NAME));
  }

  /** The table, and how many networks contradicted another one and were left out. */
  build(): { readonly table: GeoTable; readonly leftOut: number } {
    const [v4, v6] = [this.v4.build(), this.v6.build()];
    const columns = { v4: v4.ranges, v6: v6.ranges, ...labelColumns(this.counted, this.named) };
    return { table: new GeoTable(this.kind, columns), leftOut: v4.leftOut + v6.leftOut };
  }
}

/** What a table knows of its labels. */
type Labels = Pick<TableColumns, 'labels' | 'networks' | 'offsets' | 'names'>;

function labelColumns(counted: ReadonlyMap<number, number>, named: ReadonlyMap<number, string>): Labels {
  const labels = Uint32Array.from(counted.keys()).sort();
  const networks = labels.map((label) => counted.get(label)!);
  return { labels, networks, ...nameColumns(Array.from(labels, (label) => Buffer.from(named.get(label) ?? ''))) };
}

/** The labels of two tables: networks added up, and the name of the first one that has any. */
function joinedLabels(a: Labels, b: Labels): Labels {
  const labels: number[] = [];
  const networks: number[] = [];
  const names: Uint8Array[] = [];
  for (let i = 0, j = 0; i < a.labels.length || j < b.labels.length; ) {
    const [x = Number.POSITIVE_INFINITY, y = Number.POSITIVE_INFINITY] = [a.labels[i], b.labels[j]];
    const own = x <= y ? nameAt(a, i) : NAMELESS;
    names.push(own.length === 0 && y <= x ? nameAt(b, j) : own);
    labels.push(Math.min(x, y));
    networks.push((x <= y ? a.networks[i++]! : 0) + (y <= x ? b.networks[j++]! : 0));
  }
  return { labels: Uint32Array.from(labels), networks: Uint32Array.from(networks), ...nameColumns(names) };
}

const NAMELESS = new Uint8Array(0);

function nameAt({ names, offsets }: Labels, i: number): Uint8Array {
  return names.subarray(offsets[i], offsets[i + 1]);
}

function nameColumns(texts: readonly Uint8Array[]): Pick<Labels, 'offsets' | 'names'> {
  const offsets = new Uint32Array(texts.length + 1);
  for (const [i, text] of texts.entries()) offsets[i + 1] = offsets[i]! + text.length;
  return { offsets, names: Buffer.concat(texts) };
}

/** The label of a two-letter code, upper or lower case; undefined for anything else. ZZ is the code of what is unknown. */
export function labelOfCountry(code: string): number | undefined {
  if (!/^[a-zA-Z]{2}$/.test(code)) return undefined;
  const lower = code.toLowerCase();
  return lower === 'zz' ? undefined : lower.charCodeAt(0) * 256 + lower.charCodeAt(1);
}

/** Lower-case code of a label. */
export function countryOfLabel(label: number): string {
  return String.fromCharCode(label >>> 8, label & 255);
}

const LARGEST_ASN = 0xffffffff;

/** `4134`, `AS4134`: the label of a network, undefined for anything else and for 0, which stands for none (RFC 7607). */
export function labelOfAsn(text: string): number | undefined {
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(text)?.[1];
  const value = Number(digits ?? 0);
  return value >= 1 && value <= LARGEST_ASN ? value : undefined;
}
