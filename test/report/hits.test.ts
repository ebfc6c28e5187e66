import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrefix } from '../../src/ip/index.js';
import {
  type Counted,
  countersOf,
  emptyDay,
  type Hit,
  MOST_HOSTS,
  newHits,
  together,
  withHits,
} from '../../src/report/hits.js';

const hit = (host: string, packets: number, bytes = packets * 60): Hit => ({
  prefix: parsePrefix(host),
  packets,
  bytes,
});
const stood = (...hits: ReadonlyArray<readonly [string, ...Counted]>) =>
  new Map(hits.map(([host, ...counted]) => [host, counted as Counted]));

describe('what came since the last look', () => {
  test.each<[what: string, before: ReturnType<typeof stood>, now: Hit[], came: Hit[]]>([
    ['everything the first time', stood(), [hit('45.9.1.7', 3)], [hit('45.9.1.7', 3)]],
    ['the difference', stood(['45.9.1.7', 3, 180]), [hit('45.9.1.7', 5)], [hit('45.9.1.7', 2)]],
    ['nothing of who stayed away', stood(['45.9.1.7', 3, 180]), [hit('45.9.1.7', 3)], []],
    ['all of a counter that began anew', stood(['45.9.1.7', 30, 1800]), [hit('45.9.1.7', 4)], [hit('45.9.1.7', 4)]],
    ['all of one whose bytes fell', stood(['45.9.1.7', 3, 4000]), [hit('45.9.1.7', 4)], [hit('45.9.1.7', 4)]],
    ['nothing of who is forgotten', stood(['45.9.1.7', 3, 180]), [], []],
    ['nothing of an element without a packet', stood(), [hit('45.9.1.7', 0)], []],
    ['a /64 of IPv6', stood(['2a00:1::/64', 1, 60]), [hit('2a00:1::/64', 4)], [hit('2a00:1::/64', 3)]],
  ])('%s', (_, before, now, came) => {
    expect(newHits(before, now)).toEqual(came);
  });

  test('looks in between change no sum, as long as nothing is forgotten', () => {
    const steps = fc.array(fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 9 })), { maxLength: 6 }));
    fc.assert(
      fc.property(steps, (rounds) => {
        const kernel = new Map<string, number>();
        let before: ReturnType<typeof countersOf> = new Map();
        let gathered = 0;
        for (const round of rounds) {
          for (const [host, packets] of round) {
            kernel.set(`45.9.1.${host}`, (kernel.get(`45.9.1.${host}`) ?? 0) + packets);
          }
          const now = [...kernel].map(([host, packets]) => hit(host, packets));
          gathered += newHits(before, now).reduce((sum, { packets }) => sum + packets, 0);
          before = countersOf(now);
        }
        expect(gathered).toBe([...kernel.values()].reduce((sum, packets) => sum + packets, 0));
      }),
    );
  });
});

describe('a day', () => {
  const from = (host: string, packets: number, sources: string[], country?: string) => ({
    ...hit(host, packets),
    sources,
    country,
  });

  test('counts for every source that lists the host, and each host once', () => {
    const first = withHits(emptyDay('2026-10-02'), [
      from('45.9.1.7', 3, ['a', 'b'], 'nl'),
      from('45.9.1.8', 1, ['b'], 'nl'),
      from('2a00:1::/64', 2, ['c']),
    ]);
    const day = withHits(first, [from('45.9.1.7', 10, ['a', 'b'], 'nl')]);
    expect(day).toEqual({
      day: '2026-10-02',
      total: { packets: 16, bytes: 960, hosts: 3 },
      sources: new Map([
        ['a', { packets: 13, bytes: 780, hosts: 1 }],
        ['b', { packets: 14, bytes: 840, hosts: 2 }],
        ['c', { packets: 2, bytes: 120, hosts: 1 }],
      ]),
      countries: new Map([['nl', { packets: 14, bytes: 840, hosts: 2 }]]),
      hosts: new Map([
        ['45.9.1.7', [13, 780]],
        ['45.9.1.8', [1, 60]],
        ['2a00:1::/64', [2, 120]],
      ]),
    });
    expect(first.total.packets).toBe(6);
  });

  test('keeps the hosts with the most packets, and the sums of all', () => {
    const many = Array.from({ length: MOST_HOSTS + 5 }, (_, i) =>
      from(`45.${9 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, i + 1, ['a']),
    );
    const day = withHits(emptyDay('2026-10-02'), many);
    expect([day.hosts.size, day.total.hosts, day.hosts.has('45.9.0.4'), day.hosts.has('45.9.0.5')]).toEqual([
      MOST_HOSTS,
      MOST_HOSTS + 5,
      false,
      true,
    ]);
  });

  test('of two days packets are added, and hosts of a source are those of the larger one', () => {
    const one = withHits(emptyDay('2026-10-02'), [from('45.9.1.7', 3, ['a'], 'nl')]);
    const two = withHits(emptyDay('2026-10-03'), [from('45.9.1.7', 1, ['a'], 'nl'), from('45.9.1.8', 1, ['a'], 'de')]);
    const { total, sources, hosts } = together([one, two]);
    expect(total).toEqual({ packets: 5, bytes: 300, hosts: 2 });
    expect(sources.get('a')).toEqual({ packets: 5, bytes: 300, hosts: 2 });
    expect([...hosts]).toEqual([
      ['45.9.1.7', [4, 240]],
      ['45.9.1.8', [1, 60]],
    ]);
  });
});
