import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { build, sourcesOf } from '../../src/build/build.js';
import { BlocklistError } from '../../src/errors.js';
import { formatPrefix, IpSet } from '../../src/ip/index.js';
import type { Density, Loaded } from '../../src/sources/contract.js';
import { DIRECTIONS, inputOf, linesOf, source, textOf } from './inputs.js';

const v4 = (atLeast: number, prefix = 24): Density => ({ v4: { prefix, 'at-least': atLeast } });
const v6 = (atLeast: number, prefix = 64): Density => ({ v6: { prefix, 'at-least': atLeast } });

/** `net (nodes, source)` of each net. */
function netsOf(input: Parameters<typeof build>[0]): string[] {
  return build(input).dense.map(({ prefix, nodes, source: id }) => `${formatPrefix(prefix)} (${nodes}, ${id})`);
}

/** Every second address of a net, so that no two of them make a block. */
const odd4 = (count: number, net = '45.9.20') => Array.from({ length: count }, (_, i) => `${net}.${2 * i + 1}`);
const odd6 = (count: number, net = '2a0a:e5c0:13:1::') =>
  Array.from({ length: count }, (_, i) => `${net}${(2 * i + 1).toString(16)}`);

type Row = readonly [what: string, entries: string[], rule: Density, nets: string[]];
const ROWS: Row[] = [
  ['one below the threshold', odd4(4), v4(5), []],
  ['at the threshold', odd4(5), v4(5), ['45.9.20.0/24 (5, WHO)']],
  ['above it', odd4(6), v4(5), ['45.9.20.0/24 (6, WHO)']],
  ['the smallest threshold', odd4(2), v4(2), ['45.9.20.0/24 (2, WHO)']],
  ['one address, the smallest threshold', odd4(1), v4(2), []],
  ['as many as there are', Array.from({ length: 256 }, (_, i) => `45.9.20.${i}`), v4(256), []],
  ['all but one', Array.from({ length: 255 }, (_, i) => `45.9.20.${i}`), v4(255), ['45.9.20.0/24 (255, WHO)']],
  ['the same address many times', ['45.9.20.1', '45.9.20.1', '45.9.20.1'], v4(2), []],
  ['on both sides of the end of a net', ['45.9.20.254', '45.9.20.255', '45.9.21.0', '45.9.21.1'], v4(3), []],
  ['both sides in one wider net', ['45.9.20.255', '45.9.21.0', '45.9.21.9'], v4(3, 23), ['45.9.20.0/23 (3, WHO)']],
  ['a /31', ['45.9.20.2', '45.9.20.3', '45.9.20.5'], v4(2, 31), []],
  ['a /30', ['45.9.20.1', '45.9.20.2'], v4(2, 30), ['45.9.20.0/30 (2, WHO)']],
  ['a /8', ['45.0.0.0', '45.255.255.255'], v4(2, 8), ['45.0.0.0/8 (2, WHO)']],
  ['the first net', ['0.0.0.0', '0.0.0.255'], v4(2), ['0.0.0.0/24 (2, WHO)']],
  ['the last net', ['255.255.255.0', '255.255.255.255'], v4(2), ['255.255.255.0/24 (2, WHO)']],
  [
    'several nets, in numeric order',
    [...odd4(3, '198.51.100'), ...odd4(2, '128.0.0'), ...odd4(4)],
    v4(2),
    ['45.9.20.0/24 (4, WHO)', '128.0.0.0/24 (2, WHO)', '198.51.100.0/24 (3, WHO)'],
  ],
  ['nets are no nodes', ['45.9.20.0/26', '45.9.20.64/26', '45.9.20.200'], v4(2), []],
  ['ranges are none', ['45.9.20.1-45.9.20.200', '45.9.20.201'], v4(2), []],
  ['nodes beside a net', ['45.9.20.0/26', '45.9.20.101', '45.9.20.103'], v4(2), ['45.9.20.0/24 (2, WHO)']],
  ['nodes inside a net', ['45.9.20.0/26', '45.9.20.1', '45.9.20.3'], v4(2), ['45.9.20.0/24 (2, WHO)']],
  ['the net is listed already', ['45.9.20.0/24', ...odd4(9)], v4(2), []],
  ['a wider one is listed already', ['45.9.0.0/16', ...odd4(9)], v4(2), []],
  ['its halves are listed already', ['45.9.20.0/25', '45.9.20.128/25', ...odd4(9)], v4(2), []],
  ['all of it but the last address', ['45.9.20.0-45.9.20.254', ...odd4(9)], v4(2), ['45.9.20.0/24 (9, WHO)']],
  ['IPv6 one below the threshold', odd6(4), v6(5), []],
  ['IPv6 at the threshold', odd6(5), v6(5), ['2a0a:e5c0:13:1::/64 (5, WHO)']],
  [
    'IPv6 /48',
    [...odd6(2), '2a0a:e5c0:13:ffff:ffff:ffff:ffff:ffff', '2a0a:e5c0:14::'],
    v6(3, 48),
    ['2a0a:e5c0:13::/48 (3, WHO)'],
  ],
  ['IPv6 /48, one below', [...odd6(2), '2a0a:e5c0:14::'], v6(3, 48), []],
  ['IPv6 /127', ['2a0a::', '2a0a::1', '2a0a::3'], v6(2, 127), []],
  ['IPv6 /126', ['2a0a::', '2a0a::3'], v6(2, 126), ['2a0a::/126 (2, WHO)']],
  [
    'the last net of IPv6',
    ['ffff:ffff:ffff:ffff::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    v6(2),
    ['ffff:ffff:ffff:ffff::/64 (2, WHO)'],
  ],
  ['IPv6 nets are no nodes', ['2a0a:e5c0:13:1::/65', '2a0a:e5c0:13:1:8000::/66', ...odd6(1)], v6(2), []],
  ['a rule for the other family', [...odd4(9), ...odd6(1)], v6(2), []],
  [
    'both families',
    [...odd4(3), ...odd6(2)],
    { ...v4(3), ...v6(2) },
    ['45.9.20.0/24 (3, WHO)', '2a0a:e5c0:13:1::/64 (2, WHO)'],
  ],
  ['no rule at all', [...odd4(9), ...odd6(9)], {}, []],
];

describe('the nets that many nodes make', () => {
  const told = (nets: readonly string[], who: string) => nets.map((text) => text.replace('WHO', who));

  test.each(ROWS)('by the rule of a source: %s', (_, entries, density, nets) => {
    expect(netsOf(inputOf([source('a', entries, { density })]))).toEqual(told(nets, 'a'));
  });

  test.each(ROWS)('by the rule over all sources: %s', (_, entries, density, nets) => {
    expect(netsOf(inputOf([source('a', entries)], { density }))).toEqual(told(nets, 'all'));
  });

  test.each(ROWS)('by the rule over all, every entry from a source of its own: %s', (_, entries, density, nets) => {
    const sources = entries.map((entry, i) => source(`s${i}`, [entry]));
    expect(netsOf(inputOf(sources, { density }))).toEqual(told(nets, 'all'));
  });
});

describe('what is blocked then', () => {
  test('the whole net, once, as a net', () => {
    const { sets, blocked } = build(inputOf([source('a', [...odd4(5), '9.9.9.9'], { density: v4(5) })]));
    expect(textOf(blocked.in)).toEqual(['9.9.9.9', '45.9.20.0/24']);
    expect(linesOf(sets.in.nodes4)).toEqual(['9.9.9.9']);
    expect(linesOf(sets.in.nets4)).toEqual(['45.9.20.0/24']);
    expect(sets).not.toHaveProperty('out');
  });

  test('the rule of one source does not count the nodes of another, the rule over all does', () => {
    const sources = (density?: Density) => [
      source('a', ['45.9.20.1', '45.9.20.3'], density === undefined ? {} : { density }),
      source('b', ['45.9.20.5']),
    ];
    expect(netsOf(inputOf(sources(v4(3))))).toEqual([]);
    expect(netsOf(inputOf(sources(), { density: v4(3) }))).toEqual(['45.9.20.0/24 (3, all)']);
    // What two sources list is one node.
    const twice = [source('a', ['45.9.20.1', '45.9.20.3']), source('b', ['45.9.20.1', '45.9.20.3'])];
    expect(netsOf(inputOf(twice, { density: v4(3) }))).toEqual([]);
    expect(netsOf(inputOf(twice, { density: v4(2) }))).toEqual(['45.9.20.0/24 (2, all)']);
  });

  test('a net by the rule of a source is not told again for the rule over all', () => {
    const sources = [source('a', odd4(5), { density: v4(5) }), source('b', ['45.9.20.100'])];
    expect(netsOf(inputOf(sources, { density: v4(3) }))).toEqual(['45.9.20.0/24 (5, a)']);
  });

  test('a net that one source lists and another makes dense is told for that one alone', () => {
    const sources = [source('a', odd4(5), { density: v4(5) }), source('b', ['45.9.20.0/24'])];
    expect(netsOf(inputOf(sources))).toEqual(['45.9.20.0/24 (5, a)']);
    expect(netsOf(inputOf([source('a', odd4(5)), sources[1]!], { density: v4(3) }))).toEqual([]);
  });

  test.each<[what: string, changes: Partial<Parameters<typeof build>[0]>]>([
    ['allow', { allow: IpSet.from(['45.9.20.7', '45.9.20.128/25']) }],
    ['never-block', { neverBlock: IpSet.from(['45.9.20.7', '45.9.20.128/25']) }],
  ])('%s wins inside of it', (_, changes) => {
    const left = ['45.9.20.0/30', '45.9.20.4/31', '45.9.20.6', '45.9.20.8/29', '45.9.20.16/28', '45.9.20.32/27'];
    const expected = [...left, '45.9.20.64/26'];
    const own = build(inputOf([source('a', odd4(5), { density: v4(5), direction: 'both' })], changes));
    const all = build(inputOf([source('a', odd4(5), { direction: 'both' })], { ...changes, density: v4(5) }));
    expect([own, all].flatMap(({ blocked }) => [textOf(blocked.in), textOf(blocked.out)])).toEqual(
      Array(4).fill(expected),
    );
  });

  test('what is allowed still counts as a node', () => {
    const input = inputOf([source('a', odd4(5), { density: v4(5) })], { allow: IpSet.from(['45.9.20.1']) });
    expect(netsOf(input)).toEqual(['45.9.20.0/24 (5, a)']);
    expect(build(input).blocked.in.has('45.9.20.1')).toBe(false);
  });
});

describe('directions', () => {
  const NET = ['45.9.20.0/24'];
  const NODES = odd4(2);

  test.each<[direction: Loaded['direction'], inward: string[], outward: string[]]>([
    ['in', NET, []],
    ['out', [], NET],
    ['both', NET, NET],
  ])('of the rule of a source: %s', (direction, inward, outward) => {
    const { blocked } = build(inputOf([source('a', NODES, { direction, density: v4(2) })]));
    expect([textOf(blocked.in), textOf(blocked.out)]).toEqual([inward, outward]);
  });

  test.each<[a: Loaded['direction'], b: Loaded['direction'], inward: string[], outward: string[]]>([
    ['in', 'in', NET, []],
    ['out', 'out', [], NET],
    ['both', 'both', NET, NET],
    // a node of each side makes no net on either
    ['in', 'out', ['45.9.20.1'], ['45.9.20.3']],
    ['in', 'both', NET, ['45.9.20.3']],
    ['both', 'out', ['45.9.20.1'], NET],
  ])('of the rule over all: one node %s, the other %s', (a, b, inward, outward) => {
    const sources = [source('a', ['45.9.20.1'], { direction: a }), source('b', ['45.9.20.3'], { direction: b })];
    const { blocked } = build(inputOf(sources, { density: v4(2) }));
    expect([textOf(blocked.in), textOf(blocked.out)]).toEqual([inward, outward]);
  });

  test('a net of both sides is told once, and so is its place among the sources', () => {
    const built = build(inputOf([source('a', NODES, { direction: 'both' })], { density: v4(2) }));
    expect(built.dense.map(({ prefix }) => formatPrefix(prefix))).toEqual(NET);
    expect(sourcesOf(built.provenance, '45.9.20.200')).toEqual(['all']);
    expect(sourcesOf(built.provenance, '45.9.20.1')).toEqual(['a', 'all']);
  });
});

describe('provenance and shares', () => {
  test('a net of a source is the source', () => {
    const { shares, provenance } = build(
      inputOf([source('a', odd4(5), { density: v4(5) }), source('b', ['45.9.20.100', '9.9.9.9'])], {
        allow: IpSet.from(['45.9.20.0/28']),
      }),
    );
    expect(sourcesOf(provenance, '45.9.20.100')).toEqual(['a', 'b']);
    expect(sourcesOf(provenance, '45.9.20.200')).toEqual(['a']);
    expect(shares.map(({ id, entries, addresses, unique }) => [id, entries, addresses.v4, unique.v4])).toEqual([
      ['a', 5, 256, 256 - 16 - 1],
      ['b', 2, 2, 1],
    ]);
  });

  test('a net of all is none of a source: it changes no share, and is last among who brought it', () => {
    const sources = [source('b', ['45.9.20.3', '9.9.9.9']), source('a', ['45.9.20.1', '45.9.20.3'])];
    const { shares, provenance } = build(inputOf(sources, { density: v4(2) }));
    expect(shares).toEqual(build(inputOf(sources)).shares);
    expect(sourcesOf(provenance, '45.9.20.3')).toEqual(['b', 'a', 'all']);
    expect(sourcesOf(provenance, '45.9.20.4')).toEqual(['all']);
    expect(sourcesOf(provenance, '9.9.9.9')).toEqual(['b']);
  });
});

describe('coverage', () => {
  function told(...args: Parameters<typeof inputOf>): string {
    try {
      build(inputOf(...args));
    } catch (error) {
      if (error instanceof BlocklistError) return error.message;
      throw error;
    }
    return 'built';
  }
  const ends = ['45.0.0.0', '45.255.255.255'];
  const limits = (feeds: number, all = 1) => ({ limits: { feeds, all } });
  const SHARE = 1 / 256;
  const TOO_MUCH = 'all feeds and files would block 0.4 % of IPv4, more than the 0.4 % allowed';

  test.each<[what: string, args: Parameters<typeof inputOf>, expected: string]>([
    ['of a source, at the limit', [[source('a', ends, { density: v4(2, 8) })], limits(SHARE)], 'built'],
    ['of a source, above it', [[source('a', ends, { density: v4(2, 8) })], limits(SHARE - 1e-9)], TOO_MUCH],
    ['of all, at the limit', [[source('a', ends)], { ...limits(SHARE), density: v4(2, 8) }], 'built'],
    ['of all, above it', [[source('a', ends)], { ...limits(SHARE - 1e-9), density: v4(2, 8) }], TOO_MUCH],
    [
      'of all, outward',
      [[source('a', ends, { direction: 'out' })], { ...limits(SHARE - 1e-9), density: v4(2, 8) }],
      TOO_MUCH,
    ],
    [
      'what is allowed does not count',
      [[source('a', ends)], { ...limits(SHARE / 2), density: v4(2, 8), allow: IpSet.from(['45.0.0.0/9']) }],
      'built',
    ],
    [
      'above that of all sources',
      [[source('a', ends)], { ...limits(1, SHARE - 1e-9), density: v4(2, 8) }],
      'all sources would block 0.4 % of IPv4, more than the 0.4 % allowed',
    ],
  ])('counts nets by density: %s', (_, args, expected) => {
    expect(told(...args)).toBe(expected);
  });
});

describe('whatever the order of the sources', () => {
  const nodes = fc.uniqueArray(fc.nat(47), { maxLength: 24 });
  const nets = fc.uniqueArray(fc.nat(11), { maxLength: 3 });
  const some = fc.array(fc.record({ nodes, nets, direction: fc.constantFrom(...DIRECTIONS), own: fc.nat(4) }), {
    minLength: 1,
    maxLength: 5,
  });
  const address = (n: number) => `45.9.20.${100 + n}`;
  const all = Array.from({ length: 48 }, (_, n) => n);

  test('the same addresses, and those that counting one by one gives', () => {
    fc.assert(
      fc.property(some, fc.nat(6), fc.infiniteStream(fc.nat()), (given, overAll, numbers) => {
        // 12 nets of four addresses; a rule is at least two nodes of one.
        const rule = (n: number) => (n < 2 ? {} : { density: v4(n, 30) });
        const loaded = given.map((each, i) =>
          source(`s${i}`, [...each.nodes.map(address), ...each.nets.map((n) => `${address(4 * n)}/30`)], {
            direction: each.direction,
            ...rule(each.own),
          }),
        );
        const netOf = (n: number) => n >>> 2;
        const countIn = (net: number, of: readonly number[]) => new Set(of.filter((n) => netOf(n) === net)).size;
        const listed = (each: (typeof given)[number], n: number) =>
          each.nodes.includes(n) ||
          each.nets.includes(netOf(n)) ||
          (each.own >= 2 && countIn(netOf(n), each.nodes) >= each.own);
        const expected = (side: 'in' | 'out') => {
          const on = given.filter(({ direction }) => direction === side || direction === 'both');
          const together = on.flatMap((each) => each.nodes);
          return all.filter(
            (n) => on.some((each) => listed(each, n)) || (overAll >= 2 && countIn(netOf(n), together) >= overAll),
          );
        };
        const wanted = { in: expected('in'), out: expected('out') };
        fc.pre(wanted.in.length + wanted.out.length > 0);
        const shuffled = loaded.map((each) => [numbers.next().value, each] as const).sort(([a], [b]) => a - b);
        for (const sources of [loaded, shuffled.map(([, each]) => each)]) {
          const { blocked } = build(inputOf(sources, rule(overAll)));
          const inside = (set: IpSet) => all.filter((n) => set.has(address(n)));
          expect({ in: inside(blocked.in), out: inside(blocked.out) }).toEqual(wanted);
          expect([blocked.in.count().v4, blocked.out.count().v4]).toEqual([wanted.in.length, wanted.out.length]);
        }
      }),
      { numRuns: 300, seed: 20_260_822 },
    );
  });
});
