import { grouped } from '../io/figures.js';
import { table } from '../io/table.js';
import { type Counted, type HitDay, type Tally, together } from './hits.js';

/** Rows of countries and hosts: of more nobody reads the rest. */
const MOST_ROWS = 10;

/** What was dropped on these days, for people. `named`: the sources of the rules; those without a hit are told, too. */
export function statsText(days: readonly HitDay[], named: readonly string[]): string {
  const { sources, countries, hosts, total } = together(days);
  const perDay = table(
    columns('day'),
    days.map(({ day, total: each }) => [day, ...cells(each)]),
  );
  const bySource = [...sources].sort(byPackets).map(([id, tally]) => [id, ...cells(tally)]);
  const byCountry = [...countries].sort(byPackets).slice(0, MOST_ROWS);
  const byHost = [...hosts].sort(([, [a]], [, [b]]) => b - a).slice(0, MOST_ROWS);
  const parts = [perDay];
  if (total.packets > 0) {
    parts.push(table(columns('source'), bySource));
    parts.push(
      table(
        columns('country'),
        byCountry.map(([code, tally]) => [code, ...cells(tally)]),
      ),
    );
    parts.push(
      table(
        [{ title: 'host' }, { title: 'packets', align: 'right' }, { title: 'bytes', align: 'right' }],
        byHost.map(([host, [packets, bytes]]) => [host, grouped(packets), grouped(bytes)]),
      ),
    );
  }
  const idle = named.filter((id) => !sources.has(id));
  if (idle.length > 0) parts.push(`without a hit: ${idle.join(', ')}\n`);
  return parts.join('\n');
}

/** The same as data. Hosts are all that are known, not the first ten. */
export function statsJson(days: readonly HitDay[], named: readonly string[], at: number) {
  const { sources, countries, hosts, total } = together(days);
  const rows = (map: ReadonlyMap<string, Tally>, key: string) =>
    [...map].sort(byPackets).map(([name, tally]) => ({ [key]: name, ...tally }));
  return {
    schema: 'blocklist/stats',
    version: 1,
    gathered: new Date(at).toISOString(),
    total,
    days: days.map(({ day, total: each }) => ({ day, ...each })),
    sources: rows(sources, 'id'),
    idle: named.filter((id) => !sources.has(id)),
    countries: rows(countries, 'country'),
    hosts: [...hosts]
      .sort(([, [a]], [, [b]]) => b - a)
      .map(([host, [packets, bytes]]: [string, Counted]) => ({ host, packets, bytes })),
  };
}

function columns(title: string) {
  return [
    { title },
    { title: 'packets', align: 'right' as const },
    { title: 'bytes', align: 'right' as const },
    { title: 'hosts', align: 'right' as const },
  ];
}

function cells({ packets, bytes, hosts }: Tally): string[] {
  return [packets, bytes, hosts].map(grouped);
}

/** The same order for the same figures. */
function byPackets([a, one]: [string, Tally], [b, other]: [string, Tally]): number {
  return other.packets - one.packets || (a < b ? -1 : 1);
}
