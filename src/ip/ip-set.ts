import { BlocklistError } from '../errors.js';
import { decompose, type Prefixes } from './decompose.js';
import { EntrySlot } from './entry.js';
import { type Address, type Family, IPV4, IPV6, type Prefix } from './family.js';
import { parseAddress, parseWhole } from './parse.js';
import { RangeBuilder } from './range-builder.js';
import { RangeSet } from './range-set.js';

/** An immutable set of IPv4 and IPv6 addresses. */
export class IpSet {
  static readonly empty: IpSet = new IpSet(RangeSet.empty(IPV4), RangeSet.empty(IPV6));

  private constructor(
    readonly v4: RangeSet,
    readonly v6: RangeSet,
  ) {}

  static of(v4: RangeSet, v6: RangeSet): IpSet {
    return new IpSet(v4, v6);
  }

  /**
   * A set of addresses, CIDR blocks and ranges, as text (`192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`, IPv6 alike) or as parsed values.
   * @throws BlocklistError `bad-prefix` at the first text that is none of these.
   */
  static from(entries: Iterable<string | Prefix>): IpSet {
    const builder = new IpSetBuilder();
    const slot = new EntrySlot();
    for (const entry of entries) {
      if (typeof entry !== 'string') {
        builder.addPrefix(entry);
      } else if (parseWhole(entry, slot) !== undefined) {
        builder.addRange(slot.family, slot.lo, slot.hi);
      } else {
        throw new BlocklistError('bad-prefix', `${JSON.stringify(entry.slice(0, 60))}: ${slot.reason}`, {
          hint: 'expected an address, a CIDR block or a range first-last',
        });
      }
    }
    return builder.build();
  }

  /** The addresses of blocks in columns. */
  static ofPrefixes({ family, size, words, lengths }: Prefixes): IpSet {
    const builder = new IpSetBuilder();
    const ranges = builder.of(family);
    for (let i = 0; i < size; i++) ranges.addBlock(words, i * family.words, lengths[i]!);
    return builder.build();
  }

  /** The union of many sets, joined two by two: O(all ranges × log(number of sets)). */
  static unionOf(sets: readonly IpSet[]): IpSet {
    const [first, ...more] = sets;
    if (first === undefined) return IpSet.empty;
    if (more.length === 0) return first;
    const half = sets.length >>> 1;
    return IpSet.unionOf(sets.slice(0, half)).union(IpSet.unionOf(sets.slice(half)));
  }

  of(family: Family): RangeSet {
    return family.version === 4 ? this.v4 : this.v6;
  }

  /** @throws BlocklistError `bad-address` when given text that is not one address. */
  has(address: string | Address): boolean {
    const { family, words } = typeof address === 'string' ? parseAddress(address) : address;
    return this.of(family).hasAt(words, 0);
  }

  union(other: IpSet): IpSet {
    return new IpSet(this.v4.union(other.v4), this.v6.union(other.v6));
  }

  intersect(other: IpSet): IpSet {
    return new IpSet(this.v4.intersect(other.v4), this.v6.intersect(other.v6));
  }

  /** What is in this set and not in the other. */
  subtract(other: IpSet): IpSet {
    return new IpSet(this.v4.subtract(other.v4), this.v6.subtract(other.v6));
  }

  complement(): IpSet {
    return new IpSet(this.v4.complement(), this.v6.complement());
  }

  equals(other: IpSet): boolean {
    return this.v4.equals(other.v4) && this.v6.equals(other.v6);
  }

  get isEmpty(): boolean {
    return this.v4.size === 0 && this.v6.size === 0;
  }

  /** Number of addresses, exact. */
  count(): { readonly v4: number; readonly v6: bigint } {
    return { v4: Number(this.v4.count()), v6: this.v6.count() };
  }

  /** The fewest CIDR blocks that cover exactly this set: IPv4 first, numeric order. */
  *prefixes(): Generator<Prefix, void, undefined> {
    for (const set of [this.v4, this.v6]) {
      const { family, size, words, lengths } = decompose(set);
      for (let i = 0; i < size; i++) {
        const at = i * family.words;
        yield { family, words: words.slice(at, at + family.words), length: lengths[i]! };
      }
    }
  }
}

/** Collects addresses and ranges of both families; `build()` gives the set. */
export class IpSetBuilder {
  readonly v4: RangeBuilder = new RangeBuilder(IPV4);
  readonly v6: RangeBuilder = new RangeBuilder(IPV6);

  /** Adds the range from `lo` to `hi` (words of `family`, both inclusive). */
  addRange(family: Family, lo: Uint32Array, hi: Uint32Array): this {
    this.of(family).addRange(lo, 0, hi, 0);
    return this;
  }

  addPrefix({ family, words, length }: Prefix): this {
    this.of(family).addBlock(words, 0, length);
    return this;
  }

  addSet(set: IpSet): this {
    this.v4.addSet(set.v4);
    this.v6.addSet(set.v6);
    return this;
  }

  of(family: Family): RangeBuilder {
    return family.version === 4 ? this.v4 : this.v6;
  }

  /** Of what was added, the addresses that came one by one. */
  buildNodes(): IpSet {
    return IpSet.of(this.v4.buildNodes(), this.v6.buildNodes());
  }

  build(): IpSet {
    return IpSet.of(this.v4.build(), this.v6.build());
  }
}
