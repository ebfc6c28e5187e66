import { BlocklistError } from '../errors.js';
import { type FourSets, fourSets, IpSet } from '../ip/index.js';
import type { Density, Direction, Loaded } from '../sources/contract.js';
import { ALL_SOURCES, type Densified, densify, type FromDensity } from './dense.js';

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
  /** nets that are blocked because so many of their addresses are listed; those that are protected as a whole, too */
  readonly dense: readonly FromDensity[];
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
  /** nets by density over all sources together; those of one source are its own */
  readonly density?: Density;
}

/** Shares of the IPv4 space, 0…1. */
export interface CoverageLimits {
  /** of all sources but countries */
  readonly feeds: number;
  /** of all sources */
  readonly all: number;
}

/**
 * sources + nets by density − never-block − allow → the sets of each side. Pure: no network, no clock, no fact of the host; the same input gives
 * the same output.
 * @throws BlocklistError `empty-result` when nothing is left, `coverage-limit` when it is too much.
 */
export function build(input: BuildInput): Built {
  const protectedSet = input.neverBlock.union(input.allow);
  const own = input.sources.map(withOwnDensity);
  const sources = own.map(({ source }) => source);
  const all = input.density === undefined ? {} : densityOfAll(sources, input.density);
  const blockedOn = (side: Side) =>
    unionOf(sources, side)
      .union(all[side]?.set ?? IpSet.empty)
      .subtract(protectedSet);
  const blocked = { in: blockedOn('in'), out: blockedOn('out') };
  const ofAll = [all.in, all.out].filter((each) => each !== undefined);
  requirePlausible(
    input,
    blocked,
    sources,
    ofAll.map(({ set }) => set),
  );
  const sets = { in: fourSets(blocked.in), ...(blocked.out.isEmpty ? {} : { out: fourSets(blocked.out) }) };
  const repeated = coveredTwice(sources.map((source) => source.set)).union(protectedSet);
  const shares = sources.map((source): SourceShare => {
    const { id, kind, direction, set, counts, date } = source;
    return {
      id,
      kind,
      direction,
      entries: counts.entries,
      addresses: set.count(),
      unique: set.subtract(repeated).count(),
      ageMs: Math.max(0, input.now - date),
    };
  });
  const provenance = [...sources, ...ofAll.map(({ set }) => ({ id: ALL_SOURCES, set }))];
  return {
    sets,
    blocked,
    shares,
    provenance: { sources: provenance.map(({ id, set }) => ({ id, set })) },
    dense: [...own.flatMap(({ nets }) => nets), ...ofAll.flatMap(({ nets }) => nets)],
  };
}

function withOwnDensity(source: Loaded): { readonly source: Loaded; readonly nets: readonly FromDensity[] } {
  if (source.density === undefined) return { source, nets: [] };
  const { set, nets } = densify(source.id, source, source.density);
  return { source: { ...source, set: source.set.union(set) }, nets };
}

function densityOfAll(sources: readonly Loaded[], rules: Density): { readonly [S in Side]?: Densified } {
  const on = (side: Side) => {
    const taking = sources.filter(({ direction }) => direction === side || direction === 'both');
    const nodes = IpSet.unionOf(taking.map((source) => source.nodes));
    return densify(ALL_SOURCES, { set: unionOf(sources, side), nodes }, rules);
  };
  return { in: on('in'), out: on('out') };
}

/** Ids of the sources that contain the address, in the order of the configuration. */
export function sourcesOf(index: ProvenanceIndex, address: Parameters<IpSet['has']>[0]): string[] {
  return index.sources.filter(({ set }) => set.has(address)).map(({ id }) => id);
}

function unionOf(sources: readonly Loaded[], side: Side): IpSet {
  const taking = sources.filter(({ direction }) => direction === side || direction === 'both');
  return IpSet.unionOf(taking.map(({ set }) => set));
}

/** What at least two of the sets contain: everything outside it is brought by one source only. Joined two by two. */
export function coveredTwice(sets: readonly IpSet[]): IpSet {
  const counted = (from: number, to: number): { readonly once: IpSet; readonly twice: IpSet } => {
    if (to - from <= 1) return { once: sets[from] ?? IpSet.empty, twice: IpSet.empty };
    const half = (from + to) >>> 1;
    const [a, b] = [counted(from, half), counted(half, to)];
    return { once: a.once.union(b.once), twice: a.twice.union(b.twice).union(a.once.intersect(b.once)) };
  };
  return counted(0, sets.length).twice;
}

function requirePlausible(
  input: BuildInput,
  blocked: Built['blocked'],
  sources: readonly Loaded[],
  dense: readonly IpSet[],
): void {
  if (blocked.in.isEmpty && blocked.out.isEmpty) {
    throw new BlocklistError('empty-result', 'no address is left to block: nothing is rendered', {
      hint: 'name sources in the configuration, or run blocklist update if they were never fetched',
    });
  }
  const feeds = sources.filter(({ kind }) => kind !== 'country').map(({ set }) => set);
  const countries = sources.filter(({ kind }) => kind === 'country').map(({ set }) => set);
  const ofFeeds = IpSet.unionOf([...feeds, ...dense]);
  const parts = [
    ['all feeds and files', ofFeeds, input.limits.feeds, 'max-coverage'],
    ['all sources', IpSet.unionOf([ofFeeds, ...countries]), input.limits.all, 'max-country-coverage'],
  ] as const;
  for (const [what, set, limit, key] of parts) {
    const share = set.v4.subtract(input.allow.v4).share();
    if (share <= limit) continue;
    const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
    throw new BlocklistError(
      'coverage-limit',
      `${what} would block ${percent(share)} of IPv4, more than the ${percent(limit)} allowed`,
      { hint: `find the source with the largest share above; if it is meant, raise guards.${key}` },
    );
  }
}
