import type { Built, SourceShare } from '../build/build.js';
import { table } from '../io/table.js';
import { countAddresses, IpSet } from '../ip/index.js';
import type { NamedSet } from '../render/commands.js';
import type { Loaded } from '../sources/contract.js';
import { addressCount, age, grouped, percent } from './figures.js';

/** What a build made, as two tables: a row a source, a row a set. */
export function buildTables({ shares }: Built, sets: readonly NamedSet[], loaded: readonly Loaded[]): string {
  const sourceTable = table(
    [
      { title: 'source' },
      { title: 'entries', align: 'right' },
      { title: 'rejected', align: 'right' },
      { title: 'IPv4 addresses', align: 'right' },
      { title: 'only here', align: 'right' },
      { title: 'age', align: 'right' },
      { title: 'data' },
    ],
    shares.map((share, i) => [
      share.id,
      grouped(share.entries),
      grouped(loaded[i]?.counts.rejected ?? 0),
      grouped(share.addresses.v4),
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
  return `${sourceTable}\n${setTable}`;
}

/** Part of a source that no other one brings: of its IPv4 addresses, or of its IPv6 ones where it has no IPv4. */
function uniqueShare({ addresses, unique }: SourceShare): number {
  if (addresses.v4 > 0) return unique.v4 / addresses.v4;
  return addresses.v6 > 0n ? Number((unique.v6 * 1_000_000n) / addresses.v6) / 1_000_000 : 0;
}

/** The same as data. Counts of addresses are strings: IPv6 leaves the range of JSON numbers. */
export function buildJson({ shares }: Built, sets: readonly NamedSet[], loaded: readonly Loaded[]): object {
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
      ageSeconds: Math.round(share.ageMs / 1000),
      data: loaded[i]?.state,
      ...(loaded[i]?.problem === undefined ? {} : { problem: loaded[i].problem.code }),
    })),
    sets: sets.map(({ name, prefixes }) => ({
      name,
      prefixes: prefixes.size,
      addresses: String(countAddresses(prefixes)),
    })),
  };
}
