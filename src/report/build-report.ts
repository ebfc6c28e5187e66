import type { Built, OnlySets, SourceShare } from '../build/build.js';
import type { BlocklistError } from '../errors.js';
import { addressCount, age, grouped, percent } from '../io/figures.js';
import { table } from '../io/table.js';
import { countAddresses, decompose, FAMILIES, formatPrefix, IpSet } from '../ip/index.js';
import type { NamedSet } from '../render/layout.js';
import type { Coverage, Loaded } from '../sources/contract.js';

/** What a build made, as two tables: a row a source, a row a set. */
export function buildTables(
  { shares, dense, sets: { only } }: Built,
  sets: readonly NamedSet[],
  loaded: readonly Loaded[],
  alone: readonly Loaded[],
): string {
  const changes = loaded.map(changeOf);
  const hasChanges = changes.some((change) => change !== undefined);
  const hasCoverage = loaded.some(({ coverage }) => coverage !== undefined);
  const sourceTable = table(
    [
      { title: 'source' },
      { title: 'entries', align: 'right' },
      ...(hasChanges ? [{ title: 'change', align: 'right' } as const] : []),
      { title: 'rejected', align: 'right' },
      { title: 'IPv4 addresses', align: 'right' },
      ...(hasCoverage
        ? ([
            { title: 'of IPv4', align: 'right' },
            { title: 'of IPv6', align: 'right' },
          ] as const)
        : []),
      { title: 'only here', align: 'right' },
      { title: 'age', align: 'right' },
      { title: 'data' },
    ],
    shares.map((share, i) => [
      share.id,
      grouped(share.entries),
      ...(hasChanges ? [inWords(changes[i])] : []),
      grouped(loaded[i]?.counts.rejected ?? 0),
      grouped(share.addresses.v4),
      ...(hasCoverage ? coverageWords(loaded[i]?.coverage) : []),
      percent(uniqueShare(share)),
      age(share.ageMs),
      loaded[i]?.state ?? '',
    ]),
  );
  const setTable = table(
    [
      { title: 'set' },
      { title: 'prefixes', align: 'right' },
      { title: 'addresses', align: 'right' },
      { title: 'share of IPv4', align: 'right' },
    ],
    sets.map(({ name, prefixes }) => [
      name,
      grouped(prefixes.size),
      addressCount(countAddresses(prefixes)),
      prefixes.family.version === 4 ? percent(IpSet.ofPrefixes(prefixes).v4.share()) : '',
    ]),
  );
  return `${shares.length === 0 ? '' : `${sourceTable}\n`}${setTable}${denseLines(dense)}${only === undefined ? '' : onlyLine(only, alone)}`;
}

/** Shares of IPv4, and of the IPv6 addresses that the country database gives to any country. */
function coverageWords(coverage: Coverage | undefined): readonly [v4: string, v6: string] {
  const { v4, v6 } = coverage ?? {};
  return [v4 === undefined ? '' : percent(v4), v6 === undefined ? '' : percent(v6)];
}

/**
 * `only country-de may connect to ports 22, 465: 17.28 % of IPv4, with special-purpose addresses and what is allowed`. A database of one family shuts the
 * other one out.
 */
function onlyLine({ nets4, ports }: OnlySets, alone: readonly Loaded[]): string {
  const where = ports.length === 0 ? '' : ` to ports ${ports.join(', ')}`;
  const share = percent(IpSet.ofPrefixes(nets4).v4.share());
  const who = alone.map(({ id }) => id).join(', ');
  const { version } = FAMILIES.find((family) => alone.every(({ set }) => set.of(family).size === 0)) ?? {};
  const shut =
    version === undefined ? '' : `; nobody by IPv${version}, of which the country database has nothing there`;
  return `\nonly ${who} may connect${where}: ${share} of IPv4, with special-purpose addresses and what is allowed${shut}\n`;
}

/** What came to a source and what left it in this run. */
interface Change {
  /** IPv4 addresses, or blocks of IPv6 where nothing of IPv4 changed: nobody reads a number of 30 digits */
  readonly unit: 'addresses' | 'blocks';
  readonly added: number;
  readonly removed: number;
}

function changeOf({ set, before }: Loaded): Change | undefined {
  if (before === undefined) return undefined;
  const [added, removed] = [set.subtract(before), before.subtract(set)];
  const v4 = { added: added.count().v4, removed: removed.count().v4 };
  if (v4.added > 0 || v4.removed > 0) return { unit: 'addresses', ...v4 };
  const blocks = (each: IpSet) => decompose(each.v6).size;
  return { unit: 'blocks', added: blocks(added), removed: blocks(removed) };
}

function inWords(change: Change | undefined): string {
  if (change === undefined) return '';
  if (change.added === 0 && change.removed === 0) return 'same addresses';
  const unit = change.unit === 'blocks' ? ' v6 blocks' : '';
  return `+${grouped(change.added)} −${grouped(change.removed)}${unit}`;
}

const MOST_NETS = 5;

/** The nets that are blocked because so much of them is listed, the densest first. */
function denseLines(dense: Built['dense']): string {
  if (dense.length === 0) return '';
  const shown = [...dense]
    .sort((a, b) => b.nodes - a.nodes)
    .slice(0, MOST_NETS)
    .map(({ prefix, nodes, source }) => `${formatPrefix(prefix)} (${grouped(nodes)} nodes, ${source})`);
  const more = dense.length > MOST_NETS ? `, and ${grouped(dense.length - MOST_NETS)} more: --json lists them` : '';
  return `\nnets from density: ${shown.join(', ')}${more}\n`;
}

/** Part of a source that no other one brings: of its IPv4 addresses, or of its IPv6 ones where it has no IPv4. */
function uniqueShare({ addresses, unique }: SourceShare): number {
  if (addresses.v4 > 0) return unique.v4 / addresses.v4;
  return addresses.v6 > 0n ? Number((unique.v6 * 1_000_000n) / addresses.v6) / 1_000_000 : 0;
}

/** The same as data. Counts of addresses are strings: IPv6 leaves the range of JSON numbers. */
export function buildJson(
  { shares, dense }: Built,
  sets: readonly NamedSet[],
  loaded: readonly Loaded[],
  missing: ReadonlyArray<{ readonly id: string; readonly problem: BlocklistError }>,
): object {
  return {
    schema: 'blocklist/build',
    version: 1,
    sources: shares.map((share, i) => ({
      id: share.id,
      kind: share.kind,
      direction: share.direction,
      entries: share.entries,
      rejected: loaded[i]?.counts.rejected ?? 0,
      addresses: { v4: String(share.addresses.v4), v6: String(share.addresses.v6) },
      unique: { v4: String(share.unique.v4), v6: String(share.unique.v6) },
      ...(loaded[i]?.coverage === undefined ? {} : { coverage: loaded[i].coverage }),
      ageSeconds: Math.round(share.ageMs / 1000),
      data: loaded[i]?.state,
      ...changeJson(loaded[i]),
      ...(loaded[i]?.problem === undefined ? {} : { problem: loaded[i].problem.code }),
    })),
    sets: sets.map(({ name, prefixes }) => ({
      name,
      prefixes: prefixes.size,
      addresses: String(countAddresses(prefixes)),
    })),
    missing: missing.map(({ id, problem }) => ({ id, problem: problem.code, message: problem.message })),
    dense: dense.map(({ source, prefix, nodes }) => ({ source, net: formatPrefix(prefix), nodes })),
  };
}

function changeJson(source: Loaded | undefined): { readonly change?: Change } {
  const change = source && changeOf(source);
  return change === undefined ? {} : { change };
}
