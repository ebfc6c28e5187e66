import { formatPrefix, type Prefix } from '../ip/index.js';

/** How much was dropped, of whom. Always at least so much: who stays away for an hour between two looks is forgotten by the kernel uncounted. */
export interface Tally {
  readonly packets: number;
  readonly bytes: number;
  /** different hosts: addresses of IPv4, /64 of IPv6 */
  readonly hosts: number;
}

export type Counted = readonly [packets: number, bytes: number];

/** What was dropped on one day, UTC. */
export interface HitDay {
  /** `2026-10-02` */
  readonly day: string;
  readonly total: Tally;
  /** by source; a host that several list counts for each */
  readonly sources: ReadonlyMap<string, Tally>;
  /** by lower-case code of the country */
  readonly countries: ReadonlyMap<string, Tally>;
  /** by address or /64; those with the most packets, and no more than MOST_HOSTS */
  readonly hosts: ReadonlyMap<string, Counted>;
}

/** Of a day. Beyond them a host that comes again counts as another one. */
export const MOST_HOSTS = 10_000;

/** Where the counters of the kernel stood at the last look, by host. */
export type Counters = ReadonlyMap<string, Counted>;

export interface Hit {
  readonly prefix: Prefix;
  readonly packets: number;
  readonly bytes: number;
}

/** Who lists a host, and where it is. */
export interface Origin {
  readonly sources: readonly string[];
  readonly country: string | undefined;
}

export function countersOf(hits: readonly Hit[]): Counters {
  return new Map(hits.map(({ prefix, packets, bytes }) => [formatPrefix(prefix), [packets, bytes]]));
}

/** What came since the last look. */
export function newHits(before: Counters, now: readonly Hit[]): Hit[] {
  return now.flatMap(({ prefix, ...counted }) => {
    const [packets, bytes] = cameSince(before.get(formatPrefix(prefix)), [counted.packets, counted.bytes]);
    return packets > 0 ? [{ prefix, packets, bytes }] : [];
  });
}

/** How far a counter went. One that fell began anew: the kernel had forgotten the host. */
export function cameSince([packets, bytes]: Counted = [0, 0], now: Counted): Counted {
  return now[0] < packets || now[1] < bytes ? now : [now[0] - packets, now[1] - bytes];
}

const NOTHING: Tally = { packets: 0, bytes: 0, hosts: 0 };

export function emptyDay(day: string): HitDay {
  return { day, total: NOTHING, sources: new Map(), countries: new Map(), hosts: new Map() };
}

/** The day with what came to it. */
export function withHits(day: HitDay, hits: ReadonlyArray<Hit & Origin>): HitDay {
  const [sources, countries] = [new Map(day.sources), new Map(day.countries)];
  const hosts = new Map(day.hosts);
  let { total } = day;
  for (const { prefix, packets, bytes, sources: listing, country } of hits) {
    const host = formatPrefix(prefix);
    const known = hosts.get(host);
    const came = { packets, bytes, hosts: known === undefined ? 1 : 0 };
    hosts.set(host, [packets + (known?.[0] ?? 0), bytes + (known?.[1] ?? 0)]);
    total = sum(total, came);
    for (const id of listing) sources.set(id, sum(sources.get(id), came));
    if (country !== undefined) countries.set(country, sum(countries.get(country), came));
  }
  return { day: day.day, total, sources, countries, hosts: largest(hosts) };
}

function sum(a: Tally = NOTHING, b: Tally): Tally {
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes, hosts: a.hosts + b.hosts };
}

function largest(hosts: ReadonlyMap<string, Counted>): ReadonlyMap<string, Counted> {
  if (hosts.size <= MOST_HOSTS) return hosts;
  return new Map([...hosts].sort(([, [a]], [, [b]]) => b - a).slice(0, MOST_HOSTS));
}

/** Several days in one. Hosts of a source or country are the most of one day, since who came on two may be the same. */
export function together(days: readonly HitDay[]): Omit<HitDay, 'day'> {
  const all = { sources: new Map<string, Tally>(), countries: new Map<string, Tally>() };
  const hosts = new Map<string, Counted>();
  let total = NOTHING;
  for (const day of days) {
    total = merged(total, day.total);
    for (const kind of ['sources', 'countries'] as const) {
      for (const [name, tally] of day[kind]) all[kind].set(name, merged(all[kind].get(name), tally));
    }
    for (const [host, [packets, bytes]] of day.hosts) {
      const [p, b] = hosts.get(host) ?? [0, 0];
      hosts.set(host, [p + packets, b + bytes]);
    }
  }
  return { total, ...all, hosts };
}

function merged(a: Tally = NOTHING, b: Tally): Tally {
  return { ...sum(a, b), hosts: Math.max(a.hosts, b.hosts) };
}
