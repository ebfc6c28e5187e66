import { addressCount, grouped, percent } from '../io/figures.js';
import { formatPrefix, type IpSet, type Prefix } from '../ip/index.js';
import type { Loaded } from '../sources/contract.js';

/** What one source brings that no other one does, without what is never blocked. */
export interface Brought {
  readonly id: string;
  /** all of the source */
  readonly addresses: ReturnType<IpSet['count']>;
  readonly alone: ReturnType<IpSet['count']>;
  /** part of the addresses of the source, 0…1: of IPv4, or of IPv6 where it has no IPv4 */
  readonly share: number;
  /** the fewest blocks, IPv4 first, the widest of each family first */
  readonly prefixes: readonly Prefix[];
}

/** `repeated`: what at least two sources have; `never`: what is never blocked. Nets by density are not counted. */
export function broughtBy({ id, set }: Pick<Loaded, 'id' | 'set'>, repeated: IpSet, never: IpSet): Brought {
  const alone = set.subtract(repeated).subtract(never);
  const [all, some] = [set.count(), alone.count()];
  const share = all.v4 > 0 ? some.v4 / all.v4 : all.v6 > 0n ? Number((some.v6 * 1_000_000n) / all.v6) / 1_000_000 : 0;
  // Stable: those of one length stay in numeric order.
  const prefixes = [...alone.prefixes()].sort((a, b) => a.family.version - b.family.version || a.length - b.length);
  return { id, addresses: all, alone: some, share, prefixes };
}

const SHOWN = 20;

export function broughtText({ id, addresses, alone, share, prefixes }: Brought): string {
  if (prefixes.length === 0) return `${id} brings nothing that no other source has\n`;
  const of = (part: number | bigint, all: number | bigint, family: string) =>
    all > 0 ? [`${addressCount(BigInt(part))} of its ${addressCount(BigInt(all))} ${family} addresses`] : [];
  const counts = [...of(alone.v4, addresses.v4, 'IPv4'), ...of(alone.v6, addresses.v6, 'IPv6')];
  counts[0] += ` (${percent(share)})`;
  const shown = prefixes.slice(0, SHOWN).map((prefix) => `  ${formatPrefix(prefix)}`);
  const more = prefixes.length - shown.length;
  const lines = [
    `only ${id} brings ${counts.join(' and ')}, in ${grouped(prefixes.length)} prefixes, the widest first:`,
    ...shown,
    ...(more > 0 ? [`  and ${grouped(more)} more: --json has all`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** `blocklist/why-source`, version 1. */
export function broughtJson({ id, addresses, alone, share, prefixes }: Brought): object {
  const text = ({ v4, v6 }: Brought['alone']) => ({ v4: String(v4), v6: String(v6) });
  return {
    schema: 'blocklist/why-source',
    version: 1,
    id,
    addresses: text(addresses),
    alone: text(alone),
    share,
    prefixes: prefixes.map(formatPrefix),
  };
}
