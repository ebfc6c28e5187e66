import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coversPrefix, type DenseNet, denseNets, type Family, IPV4, IPV6 } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import {
  BOTH,
  hextets,
  lastAddress,
  quad,
  type Range,
  setOf,
  UNIVERSE_SIZE,
  UNIVERSES,
  valueAt,
  wordsOf,
} from './oracle.js';

type Net = readonly [network: bigint, length: number, nodes: number];

function netsOf(nets: readonly DenseNet[]): Net[] {
  return nets.map(({ prefix: { family, words, length }, nodes }) => {
    expect(words.length).toBe(family.words);
    return [valueAt(words, 0, family.words), length, nodes];
  });
}

/** Counts one by one. */
function slowly(family: Family, addresses: Iterable<bigint>, length: number, atLeast: number): Net[] {
  const shift = BigInt(family.bits - length);
  const counts = new Map<bigint, number>();
  for (const address of addresses) {
    const net = (address >> shift) << shift;
    counts.set(net, (counts.get(net) ?? 0) + 1);
  }
  const dense = [...counts].filter(([, count]) => count >= atLeast).map(([net, count]): Net => [net, length, count]);
  return dense.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Many single addresses, and a few runs. */
const offsets = fc.tuple(
  fc.array(fc.nat(UNIVERSE_SIZE - 1), { maxLength: 120 }),
  fc.array(fc.tuple(fc.nat(UNIVERSE_SIZE - 1), fc.nat(UNIVERSE_SIZE)), { maxLength: 3 }),
);

describe.each(UNIVERSES)('$name', ({ family, base }) => {
  test('finds the nets that counting one by one finds', () => {
    fc.assert(
      fc.property(offsets, fc.nat(9), fc.integer({ min: 1, max: 40 }), ([single, several], hostBits, atLeast) => {
        const chosen = new Set(single);
        for (const [from, size] of several)
          for (let k = from; k < Math.min(from + size, UNIVERSE_SIZE); k++) chosen.add(k);
        const addresses = [...chosen].map((k) => base + BigInt(k));
        const set = setOf(
          family,
          addresses.map((address): Range => [address, address]),
        );
        const length = family.bits - hostBits;
        expect(netsOf(denseNets(set, length, atLeast))).toEqual(slowly(family, addresses, length, atLeast));
      }),
      runs(150),
    );
  });
});

describe.each(BOTH)('$name', (family) => {
  const last = lastAddress(family);
  const { bits } = family;

  test('no addresses, no nets', () => {
    expect(denseNets(setOf(family, []), bits - 8, 1)).toEqual([]);
  });

  test.each<[what: string, ranges: Range[], hostBits: number, atLeast: number, nets: Net[]]>([
    ['the first net, full', [[0n, 255n]], 8, 256, [[0n, bits - 8, 256]]],
    ['the first net, one short', [[1n, 255n]], 8, 256, []],
    ['the first address alone', [[0n, 0n]], 8, 1, [[0n, bits - 8, 1]]],
    ['the last net, full', [[last - 255n, last]], 8, 256, [[last - 255n, bits - 8, 256]]],
    ['the last net, one short', [[last - 254n, last]], 8, 256, []],
    ['the last address alone', [[last, last]], 8, 1, [[last - 255n, bits - 8, 1]]],
    [
      'both ends',
      [
        [0n, 1n],
        [last - 1n, last],
      ],
      8,
      2,
      [
        [0n, bits - 8, 2],
        [last - 255n, bits - 8, 2],
      ],
    ],
    ['one on each side of a border', [[255n, 256n]], 8, 2, []],
    [
      'a run from the middle of a net over two into the middle of a fourth',
      [[1000n, 1800n]],
      8,
      30,
      [
        [1024n, bits - 8, 256],
        [1280n, bits - 8, 256],
        [1536n, bits - 8, 256],
      ],
    ],
    [
      'ranges of one net are counted together',
      [
        [0n, 4n],
        [100n, 104n],
        [255n, 260n],
      ],
      8,
      11,
      [[0n, bits - 8, 11]],
    ],
    [
      'a net is closed before a later one',
      [
        [0n, 4n],
        [1024n, 1026n],
      ],
      8,
      3,
      [
        [0n, bits - 8, 5],
        [1024n, bits - 8, 3],
      ],
    ],
  ])('%s', (_, ranges, hostBits, atLeast, nets) => {
    expect(netsOf(denseNets(setOf(family, ranges), bits - hostBits, atLeast))).toEqual(nets);
  });

  test('a run over a thousand nets, partly in the first and the last', () => {
    const base = last - 1_000_000n - (last % 256n) + 255n;
    const from = ((base >> 8n) << 8n) + 200n;
    const to = from + 256n * 1000n;
    const nets = netsOf(denseNets(setOf(family, [[from, to]]), bits - 8, 57));
    // 56 addresses in the first net, 201 in the last.
    expect(nets.length).toBe(1000);
    expect(nets[0]).toEqual([from + 56n, bits - 8, 256]);
    expect(nets.at(-2)).toEqual([from + 56n + 256n * 998n, bits - 8, 256]);
    expect(nets.at(-1)).toEqual([to - 200n, bits - 8, 201]);
  });

  test('the nets have words of their own', () => {
    const [first, second] = denseNets(
      setOf(family, [
        [0n, 1n],
        [256n, 257n],
      ]),
      bits - 8,
      2,
    );
    first!.prefix.words.fill(0xffffffff);
    expect(valueAt(second!.prefix.words, 0, family.words)).toBe(256n);
  });
});

describe('the prefixes that the configuration allows', () => {
  test('an IPv4 /8, exact count', () => {
    const set = setOf(IPV4, [[quad(10, 0, 0, 0), quad(11, 0, 0, 9)]]);
    expect(netsOf(denseNets(set, 8, 10))).toEqual([
      [quad(10, 0, 0, 0), 8, 16_777_216],
      [quad(11, 0, 0, 0), 8, 10],
    ]);
  });

  test('an IPv4 /31', () => {
    const set = setOf(IPV4, [[quad(192, 0, 2, 1), quad(192, 0, 2, 3)]]);
    expect(netsOf(denseNets(set, 31, 2))).toEqual([[quad(192, 0, 2, 2), 31, 2]]);
  });

  test('an IPv6 /64, across 32 bits, exact count', () => {
    const low = hextets(0x2001, 0xdb8, 0, 7, 0, 0, 0xffff, 0xfff0);
    const far = hextets(0x2001, 0xdb8, 0, 7, 0xffff, 0xffff, 0xffff, 0xffff);
    const set = setOf(IPV6, [
      [low, low + 0x20n],
      [far, far + 1n],
    ]);
    expect(netsOf(denseNets(set, 64, 2))).toEqual([[hextets(0x2001, 0xdb8, 0, 7, 0, 0, 0, 0), 64, 34]]);
  });

  test('an IPv6 count of 2^52', () => {
    const base = hextets(0x2001, 0xdb8, 0, 7, 0, 0, 0, 0);
    const set = setOf(IPV6, [[base + 5n, base + (1n << 52n) + 4n]]);
    expect(netsOf(denseNets(set, 64, 2))).toEqual([[base, 64, 4_503_599_627_370_496]]);
  });

  test('an IPv6 /8 of one range of all addresses has all its nets', () => {
    const nets = netsOf(denseNets(setOf(IPV6, [[0n, lastAddress(IPV6)]]), 8, 2));
    expect(nets.length).toBe(256);
    expect(nets.every(([, , nodes]) => nodes === 2 ** 120)).toBe(true);
    expect(nets.at(-1)?.[0]).toBe(0xffn << 120n);
  });
});

describe('coversPrefix', () => {
  test.each(UNIVERSES)('has every address, $name', ({ family, base }) => {
    const chosen = fc.array(fc.tuple(fc.nat(UNIVERSE_SIZE - 1), fc.integer({ min: 1, max: 200 })), { maxLength: 4 });
    fc.assert(
      fc.property(chosen, fc.nat(UNIVERSE_SIZE - 1), fc.nat(8), (several, at, hostBits) => {
        const held = new Set<bigint>();
        for (const [from, size] of several) {
          for (let k = from; k < Math.min(from + size, UNIVERSE_SIZE); k++) held.add(base + BigInt(k));
        }
        const set = setOf(
          family,
          [...held].map((address): Range => [address, address]),
        );
        const network = ((base + BigInt(at)) >> BigInt(hostBits)) << BigInt(hostBits);
        const inside = Array.from({ length: 2 ** hostBits }, (_, k) => held.has(network + BigInt(k)));
        const prefix = { family, words: wordsOf(family, network), length: family.bits - hostBits };
        expect(coversPrefix(set, prefix)).toBe(inside.every(Boolean));
      }),
      runs(200),
    );
  });

  test.each(BOTH)('the whole of $name', (family) => {
    const last = lastAddress(family);
    const all = { family, words: wordsOf(family, 0n), length: 0 };
    expect(coversPrefix(setOf(family, [[0n, last]]), all)).toBe(true);
    expect(coversPrefix(setOf(family, [[0n, last - 1n]]), all)).toBe(false);
    expect(coversPrefix(setOf(family, [[1n, last]]), all)).toBe(false);
    expect(coversPrefix(setOf(family, []), all)).toBe(false);
    fc.assert(
      fc.property(anyRanges(family), (ranges) => {
        const isAll = ranges.some(([a, b]) => a === 0n && b === last);
        if (!isAll) expect(coversPrefix(setOf(family, ranges.slice(0, 1)), all)).toBe(false);
      }),
      runs(50),
    );
  });
});
