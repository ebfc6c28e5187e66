import { describe, expect, test } from 'vitest';
import { build, sourcesOf } from '../../src/build/build.js';
import { BlocklistError } from '../../src/errors.js';
import { IpSet, specialPurpose } from '../../src/ip/index.js';
import { renderArtefact } from '../../src/render/artefact.js';
import type { Loaded } from '../../src/sources/contract.js';
import { HOUR, inputOf, linesOf, NOW, source, textOf } from './inputs.js';

describe('the sets', () => {
  test('are the union of the sources: nodes and nets of each family, minimal, in numeric order', () => {
    const { sets, blocked } = build(
      inputOf([
        source('a', ['192.0.2.128/25', '198.51.100.9', '2001:db8::7']),
        source('b', ['192.0.2.0/25', '9.9.9.9', '2001:db9::/33', '2001:db9:8000::/33']),
      ]),
    );
    expect(linesOf(sets.in.nodes4)).toEqual(['9.9.9.9', '198.51.100.9']);
    expect(linesOf(sets.in.nets4)).toEqual(['192.0.2.0/24']);
    expect(linesOf(sets.in.nodes6)).toEqual(['2001:db8::7']);
    expect(linesOf(sets.in.nets6)).toEqual(['2001:db9::/32']);
    expect(sets).not.toHaveProperty('out');
    expect(textOf(blocked.in)).toEqual(['9.9.9.9', '192.0.2.0/24', '198.51.100.9', '2001:db8::7', '2001:db9::/32']);
    expect(blocked.out.isEmpty).toBe(true);
  });

  test.each<[what: string, sources: Loaded[], inward: string[], outward: string[] | undefined]>([
    ['in', [source('a', ['192.0.2.1'])], ['192.0.2.1'], undefined],
    ['out', [source('a', ['192.0.2.1'], { direction: 'out' })], [], ['192.0.2.1']],
    ['both', [source('a', ['192.0.2.1'], { direction: 'both' })], ['192.0.2.1'], ['192.0.2.1']],
    [
      'one of each',
      [
        source('a', ['192.0.2.1']),
        source('b', ['192.0.2.2'], { direction: 'out' }),
        source('c', ['192.0.2.3'], { direction: 'both' }),
      ],
      ['192.0.2.1', '192.0.2.3'],
      ['192.0.2.2/31'],
    ],
  ])('of the direction %s', (_, sources, inward, outward) => {
    const { sets, blocked } = build(inputOf(sources));
    expect(textOf(blocked.in)).toEqual(inward);
    expect(textOf(blocked.out)).toEqual(outward ?? []);
    expect('out' in sets).toBe(outward !== undefined);
  });

  test('only: its sources, what is allowed and what is special, as nets and single addresses together; ports once and in order', () => {
    const de = source('country-de', ['88.198.0.0/16', '45.9.20.8/31', '2a01:4f8::/32'], { kind: 'country' });
    const only = { sources: [de], ports: [993, 22, 22], special: IpSet.from(['10.0.0.0/8', 'fe80::/10']) };
    const { sets, blocked } = build(inputOf([source('a', ['45.9.20.8'])], { only, allow: IpSet.from(['45.9.20.10']) }));
    expect(linesOf(sets.only!.nets4)).toEqual(['10.0.0.0/8', '45.9.20.8/31', '45.9.20.10', '88.198.0.0/16']);
    expect(linesOf(sets.only!.nets6)).toEqual(['2a01:4f8::/32', 'fe80::/10']);
    expect(sets.only!.ports).toEqual([22, 993]);
    // Who is in an allowed country and on a list is blocked.
    expect(textOf(blocked.in)).toEqual(['45.9.20.8']);
  });

  test('only without an address is refused, whatever is special or allowed: everybody would be kept out', () => {
    const only = { sources: [source('country-aq', [])], ports: [], special: IpSet.from(['10.0.0.0/8']) };
    const kept = () => build(inputOf([source('a', ['45.9.20.8'])], { only, allow: IpSet.from(['45.9.20.10']) }));
    expect(kept).toThrow(expect.objectContaining({ code: 'empty-result', exitStatus: 4 }));
    expect(kept).toThrow(/everybody would be kept out/);
  });

  test('only without anything to block is a result', () => {
    const only = { sources: [source('country-de', ['88.198.0.0/16'])], ports: [], special: IpSet.empty };
    expect(build(inputOf([], { only })).sets.in.nets4.size).toBe(0);
    expect(() => build(inputOf([]))).toThrow('no address is left to block');
  });

  test('an outward source that is allowed away leaves no outward sets', () => {
    const sources = [source('a', ['192.0.2.1']), source('b', ['192.0.2.2'], { direction: 'out' })];
    expect(build(inputOf(sources, { allow: IpSet.from(['192.0.2.2']) })).sets).not.toHaveProperty('out');
  });
});

describe('what is never in them', () => {
  test('allow wins over every source, in both directions, also in the middle of a block', () => {
    const sources = [
      source('a', ['192.0.2.0/29', '2001:db8::/126'], { direction: 'both' }),
      source('b', ['192.0.2.5']),
    ];
    const { blocked } = build(inputOf(sources, { allow: IpSet.from(['192.0.2.5', '2001:db8::1']) }));
    const left = ['192.0.2.0/30', '192.0.2.4', '192.0.2.6/31', '2001:db8::', '2001:db8::2/127'];
    expect(textOf(blocked.in)).toEqual(left);
    expect(textOf(blocked.out)).toEqual(left);
  });

  test('so does never-block', () => {
    const { blocked } = build(
      inputOf([source('a', ['192.0.2.0/30'], { direction: 'both' })], { neverBlock: IpSet.from(['192.0.2.0/31']) }),
    );
    expect([textOf(blocked.in), textOf(blocked.out)]).toEqual([['192.0.2.2/31'], ['192.0.2.2/31']]);
  });

  test.each<[prefix: string, left: string[]]>([
    ['10.0.0.0/7', ['11.0.0.0/8']],
    ['126.0.0.0/7', ['126.0.0.0/8']],
    ['172.0.0.0/11', ['172.0.0.0/12']],
    ['192.168.0.0/15', ['192.169.0.0/16']],
    ['100.0.0.0/9', ['100.0.0.0/10']],
    ['169.254.0.0/15', ['169.255.0.0/16']],
    ['192.0.0.0/23', ['192.0.1.0/24']],
    ['223.0.0.0-255.255.255.255', ['223.0.0.0/8']],
    ['fc00::/6', ['fe00::/9']],
    ['fe00::/8', ['fe00::/9']],
    ['2001:db8::/31', ['2001:db9::/32']],
    ['::/95', ['::1:0:0/96']],
    // the same ranges where IPv6 carries IPv4: mapped, translated, 6to4
    ['::ffff:10.0.0.0/103', ['11.0.0.0/8']],
    ['64:ff9b::a00:0/103', ['64:ff9b::b00:0/104']],
    ['64:ff9b::7f00:1', []],
    ['64:ff9b::c0a8:0/111', ['64:ff9b::c0a9:0/112']],
    ['2002:a00::/23', ['2002:b00::/24']],
    ['2002:c0a8::/31', ['2002:c0a9::/32']],
    ['2002:7f00:1::1', []],
  ])('special-purpose ranges: of %s', (prefix, left) => {
    const sources = [source('a', [prefix, '9.9.9.9'])];
    const { blocked } = build(inputOf(sources, { neverBlock: specialPurpose() }));
    expect(textOf(blocked.in).filter((text) => text !== '9.9.9.9')).toEqual(left);
  });
});

describe('pure', () => {
  const SOURCES = [
    source('a', ['192.0.2.0/25', '2001:db8::/48'], { direction: 'both' }),
    source('b', ['192.0.2.64/26', '198.51.100.1']),
    source('c', ['192.0.2.128/25', '2001:db8:1::/48'], { direction: 'out' }),
    source('d', ['203.0.113.0/24'], { kind: 'country' }),
  ];
  const input = (sources: readonly Loaded[]) =>
    inputOf(sources, { allow: IpSet.from(['192.0.2.77', '203.0.113.0/26']) });

  function bytesOf(sources: readonly Loaded[]): string[] {
    const { sets, shares } = build(input(sources));
    return [...renderArtefact(sets, shares)].map(([name, bytes]) => `${name}\n${Buffer.from(bytes).toString()}`);
  }

  test('the same input gives the same bytes', () => {
    expect(bytesOf(SOURCES)).toEqual(bytesOf(SOURCES.map((each) => ({ ...each }))));
  });

  test('another order of the sources gives the same sets, and the same shares in that order', () => {
    const there = build(input(SOURCES));
    const back = build(input([...SOURCES].reverse()));
    expect(back.blocked.in.equals(there.blocked.in)).toBe(true);
    expect(back.blocked.out.equals(there.blocked.out)).toBe(true);
    expect([...back.shares].reverse()).toEqual(there.shares);
    const withoutManifest = (files: string[]) => files.filter((text) => !text.startsWith('manifest.json'));
    expect(withoutManifest(bytesOf([...SOURCES].reverse()))).toEqual(withoutManifest(bytesOf(SOURCES)));
  });

  test('now decides nothing but ages', () => {
    const early = build(input(SOURCES));
    const late = build({ ...input(SOURCES), now: NOW + 1000 * HOUR });
    expect(late.blocked.in.equals(early.blocked.in)).toBe(true);
    expect(late.shares.map(({ ageMs }) => ageMs)).toEqual([1001, 1001, 1001, 1001].map((hours) => hours * HOUR));
  });
});

describe('the share of a source', () => {
  test('entries, addresses and what is unique', () => {
    const { shares } = build(
      inputOf(
        [
          source('a', ['192.0.2.0/24', '192.0.2.7', '2001:db8::/64']),
          source('b', ['192.0.2.128/25', '198.51.100.0/31']),
          source('c', ['198.51.100.0/30'], { direction: 'out', kind: 'file' }),
        ],
        { allow: IpSet.from(['192.0.2.0/30']), neverBlock: IpSet.from(['198.51.100.2']) },
      ),
    );
    expect(shares).toEqual([
      {
        id: 'a',
        kind: 'feed',
        direction: 'in',
        entries: 3,
        addresses: { v4: 256, v6: 18_446_744_073_709_551_616n },
        unique: { v4: 124, v6: 18_446_744_073_709_551_616n },
        ageMs: HOUR,
      },
      {
        id: 'b',
        kind: 'feed',
        direction: 'in',
        entries: 2,
        addresses: { v4: 130, v6: 0n },
        unique: { v4: 0, v6: 0n },
        ageMs: HOUR,
      },
      {
        id: 'c',
        kind: 'file',
        direction: 'out',
        entries: 1,
        addresses: { v4: 4, v6: 0n },
        unique: { v4: 1, v6: 0n },
        ageMs: HOUR,
      },
    ]);
  });

  test.each<[date: number, ageMs: number]>([
    [NOW, 0],
    [NOW - 1, 1],
    [0, NOW],
    [NOW + HOUR, 0],
  ])('data of %i is %i ms old', (date, ageMs) => {
    expect(build(inputOf([source('a', ['192.0.2.1'], { date })])).shares[0]?.ageMs).toBe(ageMs);
  });
});

describe('provenance', () => {
  test.each<[address: string, ids: string[]]>([
    ['192.0.2.1', ['b', 'a']],
    ['192.0.2.200', ['a']],
    ['198.51.100.1', []],
    ['2001:db8::1', ['b']],
    ['::ffff:192.0.2.1', ['b', 'a']],
  ])('%s is in %j, in the order of the configuration', (address, ids) => {
    const sources = [source('b', ['192.0.2.0/25', '2001:db8::/32']), source('a', ['192.0.2.0/24'])];
    // What is allowed is still known to be listed.
    const { provenance } = build(inputOf(sources, { allow: IpSet.from(['192.0.2.1']) }));
    expect(sourcesOf(provenance, address)).toEqual(ids);
  });
});

describe('refusals', () => {
  function told(...args: Parameters<typeof inputOf>) {
    try {
      build(inputOf(...args));
    } catch (error) {
      if (error instanceof BlocklistError)
        return { code: error.code, message: error.message, status: error.exitStatus };
      throw error;
    }
    return 'built';
  }
  const EMPTY = { code: 'empty-result', message: 'no address is left to block: nothing is rendered', status: 4 };

  test.each<[what: string, args: Parameters<typeof inputOf>]>([
    ['no source', [[]]],
    ['a source without an address', [[source('a', [])]]],
    ['everything allowed', [[source('a', ['192.0.2.1'])], { allow: IpSet.from(['192.0.2.0/24']) }]],
    ['everything special', [[source('a', ['10.0.0.0/8', 'fe80::/10'])], { neverBlock: specialPurpose() }]],
  ])('nothing to block: %s', (_, args) => {
    expect(told(...args)).toEqual(EMPTY);
  });

  const quarter = source('a', ['0.0.0.0/2']);
  const country = source('country-aa', ['64.0.0.0/2', '128.0.0.0/3'], { kind: 'country' });
  test.each<[what: string, sources: Loaded[], limits: { feeds: number; all: number }, result: unknown]>([
    ['feeds at their limit', [quarter], { feeds: 0.25, all: 1 }, 'built'],
    [
      'feeds above it',
      [quarter, source('b', ['64.0.0.0/8'])],
      { feeds: 0.25, all: 1 },
      {
        code: 'coverage-limit',
        message: 'all feeds and files would block 25.4 % of IPv4, more than the 25.0 % allowed',
        status: 4,
      },
    ],
    [
      'outward feeds count, too',
      [source('a', ['0.0.0.0/2'], { direction: 'out' })],
      { feeds: 0.2, all: 1 },
      { code: 'coverage-limit', status: 4 },
    ],
    ['countries have a limit of their own', [quarter, country], { feeds: 0.25, all: 0.625 }, 'built'],
    [
      'all together above it',
      [quarter, country],
      { feeds: 0.25, all: 0.6 },
      {
        code: 'coverage-limit',
        message: 'all sources would block 62.5 % of IPv4, more than the 60.0 % allowed',
        status: 4,
      },
    ],
    ['what two sources bring counts once', [quarter, source('b', ['0.0.0.0/2'])], { feeds: 0.25, all: 0.25 }, 'built'],
    ['IPv6 has no limit', [source('a', ['2000::/3'])], { feeds: 0, all: 0 }, 'built'],
  ])('coverage: %s', (_, sources, limits, result) => {
    if (result === 'built') expect(told(sources, { limits })).toBe('built');
    else expect(told(sources, { limits })).toMatchObject(result as object);
  });

  test('coverage: what is allowed does not count', () => {
    expect(told([quarter], { limits: { feeds: 0.125, all: 1 }, allow: IpSet.from(['0.0.0.0/3']) })).toBe('built');
  });
});
