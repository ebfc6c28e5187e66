import { BlocklistError } from '../errors.js';
import { decompose, type FourSets, formatPrefix, fourSets, IpSet, type Prefixes } from '../ip/index.js';
import type { Density, Direction, Loaded } from '../sources/contract.js';
import { ALL_SOURCES, type Densified, densify, type FromDensity } from './dense.js';
import type { Policy } from './policy.js';
import { Unions } from './unions.js';

/** Which packets a set is for: those from its addresses, or those to them. */
export type Side = 'in' | 'out';

/** The sets of each side. `out` is there only when a source asks for it, `only` when the configuration has `countries.only`. */
export interface RuleSets {
  readonly in: FourSets;
  readonly out?: FourSets;
  readonly only?: OnlySets;
  /** undefined: DEFAULT_POLICY */
  readonly policy?: Policy;
}

/** Who alone may connect: everybody else is dropped there. Single addresses stand among the nets. */
export interface OnlySets {
  readonly nets4: Prefixes;
  readonly nets6: Prefixes;
  /** TCP and UDP ports that this holds for, ascending; none: for all that comes */
  readonly ports: readonly number[];
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
  readonly only?: OnlyInput;
  readonly policy?: Policy;
}

/** From whom alone something may come. */
export interface OnlyInput {
  readonly sources: readonly Loaded[];
  /** see OnlySets */
  readonly ports: readonly number[];
  /** what passes whatever its country is: special-purpose ranges, without which no host gets an address */
  readonly special: IpSet;
}

/** Shares of the IPv4 space, 0…1. */
export interface CoverageLimits {
  /** of all sources but countries and networks */
  readonly feeds: number;
  /** of all sources */
  readonly all: number;
}

/**
 * sources + nets by density − never-block − allow → the sets of each side. Pure: no network, no clock, no fact of the host; the same input gives
 * the same output.
 * @throws BlocklistError `empty-result` when nothing is left to block, or nobody is let in; `coverage-limit` when it is too much.
 */
export function build(input: BuildInput): Built {
  const protectedSet = input.neverBlock.union(input.allow);
  const own = input.sources.map(withOwnDensity);
  const sources = own.map(({ source }) => source);
  const unions = new Unions(sources);
  const all = input.density === undefined ? {} : densityOfAll(sources, unions, input.density);
  const withDense = (side: Side) => {
    const dense = all[side]?.set;
    const listed = unions.of(onSide(side));
    return dense === undefined ? listed : listed.union(dense);
  };
  const blocked = { in: withDense('in').subtract(protectedSet), out: withDense('out').subtract(protectedSet) };
  const ofAll = joined([all.in, all.out].filter((each) => each !== undefined));
  requirePlausible(
    input,
    blocked,
    unions,
    ofAll.map(({ set }) => set),
  );
  const only = input.only === undefined ? undefined : onlySets(input.only, input.allow);
  const sets = {
    in: fourSets(blocked.in),
    ...(blocked.out.isEmpty ? {} : { out: fourSets(blocked.out) }),
    ...(only === undefined ? {} : { only }),
    ...(input.policy === undefined ? {} : { policy: input.policy }),
  };
  const alone = unions.alone(protectedSet);
  const shares = sources.map((source, i): SourceShare => {
    const { id, kind, direction, set, counts, date } = source;
    return {
      id,
      kind,
      direction,
      entries: counts.entries,
      addresses: set.count(),
      unique: alone[i] ?? { v4: 0, v6: 0n },
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

function onlySets({ sources, ports, special }: OnlyInput, allow: IpSet): OnlySets {
  const inside = IpSet.unionOf(sources.map((source) => source.set));
  if (inside.isEmpty) {
    throw new BlocklistError(
      'empty-result',
      'countries.only has no address: everybody would be kept out, and nothing is rendered',
      {
        hint: 'name countries there that the country database knows, or another database under geo.country',
      },
    );
  }
  const set = IpSet.unionOf([inside, special, allow]);
  const numbers = [...new Set(ports)].sort((a, b) => a - b);
  return { nets4: decompose(set.v4), nets6: decompose(set.v6), ports: numbers };
}

function withOwnDensity(source: Loaded): { readonly source: Loaded; readonly nets: readonly FromDensity[] } {
  if (source.density === undefined) return { source, nets: [] };
  const { set, nets } = densify(source.id, source, source.density);
  return { source: { ...source, set: source.set.union(set) }, nets };
}

function densityOfAll(
  sources: readonly Loaded[],
  unions: Unions,
  rules: Density,
): { readonly [S in Side]?: Densified } {
  const on = (side: Side) => {
    const nodes = IpSet.unionOf(sources.filter(onSide(side)).map((source) => source.nodes));
    return densify(ALL_SOURCES, { set: unions.of(onSide(side)), nodes }, rules);
  };
  return { in: on('in'), out: on('out') };
}

/** Ids of the sources that contain the address, in the order of the configuration. */
export function sourcesOf(index: ProvenanceIndex, address: Parameters<IpSet['has']>[0]): string[] {
  return index.sources.filter(({ set }) => set.has(address)).map(({ id }) => id);
}

/** The nets of both sides as one source of their own; none when there is no such rule. */
function joined(sides: readonly Densified[]): Densified[] {
  if (sides.length === 0) return [];
  const nets = new Map(sides.flatMap((side) => side.nets).map((net) => [formatPrefix(net.prefix), net]));
  return [{ set: IpSet.unionOf(sides.map(({ set }) => set)), nets: [...nets.values()] }];
}

function onSide(side: Side): (source: Loaded) => boolean {
  return ({ direction }) => direction === side || direction === 'both';
}

function requirePlausible(input: BuildInput, blocked: Built['blocked'], unions: Unions, dense: readonly IpSet[]): void {
  if (blocked.in.isEmpty && blocked.out.isEmpty && input.only === undefined) {
    throw new BlocklistError('empty-result', 'no address is left to block: nothing is rendered', {
      hint: 'name sources in the configuration, or run blocklist update if they were never fetched',
    });
  }
  const ofFeeds = IpSet.unionOf([unions.of(({ kind }) => kind !== 'country' && kind !== 'asn'), ...dense]);
  const ofAll = IpSet.unionOf([unions.of(() => true), ...dense]);
  const parts = [
    ['all feeds and files', ofFeeds, input.limits.feeds, 'max-coverage'],
    ['all sources', ofAll, input.limits.all, 'max-country-coverage'],
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
