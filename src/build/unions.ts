import { IPV4, IPV6, IpSet, Ownership } from '../ip/index.js';
import type { Loaded } from '../sources/contract.js';

/** The unions of sources, each made once: those of all of them and of those of one side are mostly the same. */
export class Unions {
  private readonly v4: Ownership;
  private readonly v6: Ownership;
  private readonly made = new Map<string, IpSet>();

  constructor(private readonly sources: readonly Loaded[]) {
    this.v4 = Ownership.of(
      IPV4,
      sources.map(({ set }) => set.v4),
    );
    this.v6 = Ownership.of(
      IPV6,
      sources.map(({ set }) => set.v6),
    );
  }

  of(isTaken: (source: Loaded) => boolean): IpSet {
    const taken = this.sources.filter(isTaken);
    const key = taken.map(({ id }) => id).join(' ');
    const set = this.made.get(key) ?? this.union(taken);
    this.made.set(key, set);
    return set;
  }

  /** What at least two sources have. */
  repeated(): IpSet {
    return IpSet.of(this.v4.repeated(), this.v6.repeated());
  }

  /** For each source, how many addresses it alone has that are not in `without`. */
  alone(without: IpSet): Array<{ readonly v4: number; readonly v6: bigint }> {
    const [v4, v6] = [this.v4.alone(without.v4), this.v6.alone(without.v6)];
    return v4.map((count, i) => ({ v4: Number(count), v6: v6[i] ?? 0n }));
  }

  private union(taken: readonly Loaded[]): IpSet {
    if (taken.length === this.sources.length) return IpSet.of(this.v4.union(), this.v6.union());
    return IpSet.unionOf(taken.map(({ set }) => set));
  }
}
