import { grouped, percent } from '../io/figures.js';
import { table } from '../io/table.js';
import type { IpSet } from '../ip/index.js';
import type { Loaded } from '../sources/contract.js';

/** One source beside the others. */
export interface OverlapRow {
  readonly id: string;
  readonly entries: number;
  readonly addresses: { readonly v4: number; readonly v6: bigint };
  /** part of its addresses that no other source has, 0…1 */
  readonly unique: number;
  /** no address of it is missing in the others */
  readonly isIdle: boolean;
  /** part of its addresses that each source has, in their order; 1 for itself */
  readonly shared: readonly number[];
}

/** `repeated`: what at least two of the sources have. O(sources² × ranges). */
export function overlapOf(sources: readonly Loaded[], repeated: IpSet): OverlapRow[] {
  return sources.map(({ id, counts, set }) => {
    const alone = set.subtract(repeated);
    return {
      id,
      entries: counts.entries,
      addresses: set.count(),
      unique: partOf(alone, set),
      isIdle: alone.isEmpty,
      shared: sources.map((other) => (other.id === id ? 1 : partOf(set.intersect(other.set), set))),
    };
  });
}

/** How much of a set another is: in IPv4 addresses, or in IPv6 ones where it has no IPv4. */
function partOf(part: IpSet, whole: IpSet): number {
  const [some, all] = [part.count(), whole.count()];
  if (all.v4 > 0) return some.v4 / all.v4;
  return all.v6 > 0n ? Number((some.v6 * 1_000_000n) / all.v6) / 1_000_000 : 0;
}

/** More columns than these do not fit a screen; then the strongest pairs are listed. */
const MOST_COLUMNS = 14;
const MOST_PAIRS = 30;

export function overlapText(rows: readonly OverlapRow[]): string {
  const isMatrix = rows.length <= MOST_COLUMNS;
  const whole = (share: number) => `${Math.floor(share * 100)}`;
  const columns = [
    { title: '', align: 'right' },
    { title: 'source' },
    { title: 'entries', align: 'right' },
    { title: 'IPv4 addresses', align: 'right' },
    { title: 'only here', align: 'right' },
    ...(isMatrix ? rows.map((_, i) => ({ title: `${i + 1}`, align: 'right' }) as const) : []),
  ] as const;
  const cells = rows.map(({ id, entries, addresses, unique, shared }, i) => [
    `${i + 1}`,
    id,
    grouped(entries),
    grouped(addresses.v4),
    percent(unique),
    ...(isMatrix ? shared.map((share, j) => (i === j ? '·' : whole(share))) : []),
  ]);
  const legend = isMatrix ? 'a number in column N: per cent of this source that source N has, too' : pairs(rows);
  const idle = rows.filter(({ isIdle }) => isIdle).map(({ id }) => id);
  const verdict =
    idle.length === 0 ? 'every source brings something of its own' : `bring nothing of their own: ${idle.join(', ')}`;
  return `${table(columns, cells)}\n${legend}\n${verdict}\n`;
}

function pairs(rows: readonly OverlapRow[]): string {
  const all = rows.flatMap(({ id, shared }, i) =>
    shared.flatMap((share, j) => (i === j || share < 0.01 ? [] : [{ id, other: rows[j]?.id ?? '', share }])),
  );
  if (all.length === 0) return 'no source shares one per cent with another';
  const strongest = all.sort((a, b) => b.share - a.share).slice(0, MOST_PAIRS);
  return strongest.map(({ id, other, share }) => `${percent(share)} of ${id} is in ${other}`).join('\n');
}

export function overlapJson(rows: readonly OverlapRow[]): object {
  return {
    schema: 'blocklist/overlap',
    version: 1,
    sources: rows.map(({ id, entries, addresses, unique, shared }) => ({
      id,
      entries,
      addresses: { v4: String(addresses.v4), v6: String(addresses.v6) },
      unique,
      shared: Object.fromEntries(rows.flatMap((other, i) => (other.id === id ? [] : [[other.id, shared[i]]]))),
    })),
  };
}
