import { BlocklistError } from '../errors.js';
import { type FourSets, fourSets, IpSet } from '../ip/index.js';
import type { Direction, Loaded } from '../sources/contract.js';

/** Which packets a set is for: those from its addresses, or those to them. */
export type Side = 'in' | 'out';

/** The sets of each side. `out` is there only when a source asks for it. */
export interface RuleSets {
  readonly in: FourSets;
  readonly out?: FourSets;
}

/** What one source brought to the build. */
export interface SourceShare {
  readonly id: string;
  readonly kind: Loaded['kind'];
  readonly direction: Direction;
  readonly entries: number;
  /** addresses of the source before never-block and allow */
  readonly addresses: { readonly v4: number; readonly v6: bigint };
  /** addresses that end up blocked and that no other source brings */
  readonly unique: { readonly v4: number; readonly v6: bigint };
  /** milliseconds between the date of the data and `now` */
  readonly ageMs: number;
}

/** Answers which sources contain an address. */
export interface ProvenanceIndex {
  readonly sources: ReadonlyArray<{ readonly id: string; readonly set: IpSet }>;
}

export interface Built {
  readonly sets: RuleSets;
  /** the blocked addresses of each side, all sources together */
  readonly blocked: Readonly<Record<Side, IpSet>>;
  readonly shares: readonly SourceShare[];
  readonly provenance: ProvenanceIndex;
}

export interface BuildInput {
  readonly sources: readonly Loaded[];
  /** special-purpose ranges and the never-block list */
  readonly neverBlock: IpSet;
  /** addresses that the configuration allows: always wins */
  readonly allow: IpSet;
  /** milliseconds since 1970; ages are counted from here */
  readonly now: number;
  readonly limits: CoverageLimits;
}

/** Shares of the IPv4 space, 0…1. */
export interface CoverageLimits {
  /** of all sources but countries */
  readonly feeds: number;
  /** of all sources */
  readonly all: number;
}

/**
 * sources − never-block − allow → the sets of each side. Pure: no network, no clock, no fact of the host; the same input gives the same output.
 * @throws BlocklistError `empty-result` when nothing is left, `coverage-limit` when it is too much.
 */
export function build(input: BuildInput): Built {
  const protectedSet = input.neverBlock.union(input.allow);
  const blocked = {
    in: unionOf(input.sources, 'in').subtract(protectedSet),
    out: unionOf(input.sources, 'out').subtract(protectedSet),
  };
  requirePlausible(input, blocked);
  const sets = { in: fourSets(blocked.in), ...(blocked.out.isEmpty ? {} : { out: fourSets(blocked.out) }) };
  const repeated = coveredTwice(input.sources.map((source) => source.set));
  const shares = input.sources.map((source): SourceShare => {
    const { id, kind, direction, set, counts, date } = source;
    const unique = set.subtract(repeated).subtract(protectedSet);
    return {
      id,
      kind,
      direction,
      entries: counts.entries,
      addresses: set.count(),
      unique: unique.count(),
      ageMs: Math.max(0, input.now - date),
    };
  });
  return { sets, blocked, shares, provenance: { sources: input.sources.map(({ id, set }) => ({ id, set })) } };
}

/** Ids of the sources that contain the address, in the order of the configuration. */
export function sourcesOf(index: ProvenanceIndex, address: Parameters<IpSet['has']>[0]): string[] {
  return index.sources.filter(({ set }) => set.has(address)).map(({ id }) => id);
}

function unionOf(sources: readonly Loaded[], side: Side): IpSet {
  return sources
    .filter(({ direction }) => direction === side || direction === 'both')
    .reduce((all, { set }) => all.union(set), IpSet.empty);
}

/** What at least two of the sets contain: everything outside it is brought by one source only. */
function coveredTwice(sets: readonly IpSet[]): IpSet {
  let once = IpSet.empty;
  let twice = IpSet.empty;
  for (const set of sets) {
    twice = twice.union(once.intersect(set));
    once = once.union(set);
  }
  return twice;
}

function requirePlausible(input: BuildInput, blocked: Built['blocked']): void {
  if (blocked.in.isEmpty && blocked.out.isEmpty) {
    throw new BlocklistError('empty-result', 'no address is left to block: nothing is rendered', {
      hint: 'name sources in the configuration, or run blocklist update if they were never fetched',
    });
  }
  const feeds = input.sources.filter(({ kind }) => kind !== 'country').map(({ set }) => set.v4);
  const parts = [
    ['all feeds and files', feeds, input.limits.feeds, 'max-coverage'],
    ['all sources', input.sources.map(({ set }) => set.v4), input.limits.all, 'max-country-coverage'],
  ] as const;
  for (const [what, sets, limit, key] of parts) {
    const share =
      sets.length === 0
        ? 0
        : sets
            .reduce((all, set) => all.union(set))
            .subtract(input.allow.v4)
            .share();
    if (share <= limit) continue;
    const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
    throw new BlocklistError(
      'coverage-limit',
      `${what} would block ${percent(share)} of IPv4, more than the ${percent(limit)} allowed`,
      { hint: `find the source with the largest share above; if it is meant, raise guards.${key}` },
    );
  }
}
