import fc from 'fast-check';
import IPCIDR from 'ip-cidr';
import { describe, expect, test } from 'vitest';
import { BlockWalk, decompose, decomposeApart, IPV4, IPV6 } from '../../src/ip/index.js';
import { anyAddress, anyRanges, runs } from './arbitraries.js';
import {
  type Block,
  BOTH,
  blocksIn,
  hextets,
  lastAddress,
  normal,
  plainText,
  quad,
  type Range,
  rangesIn,
  setOf,
  trieBlocks,
  UNIVERSES,
  valueAt,
} from './oracle.js';

const V4_LAST = quad(255, 255, 255, 255);
const V6_LAST = lastAddress(IPV6);

describe('decompose: literal sets', () => {
  test.each<[name: string, ranges: Range[], expected: Block[]]>([
    ['nothing', [], []],
    ['0.0.0.0/0', [[0n, V4_LAST]], [[0n, 0]]],
    ['0.0.0.0', [[0n, 0n]], [[0n, 32]]],
    ['255.255.255.255', [[V4_LAST, V4_LAST]], [[V4_LAST, 32]]],
    ['all but 0.0.0.0', [[1n, V4_LAST]], Array.from({ length: 32 }, (_, k): Block => [1n << BigInt(k), 32 - k])],
    [
      'all but 255.255.255.255',
      [[0n, V4_LAST - 1n]],
      Array.from({ length: 32 }, (_, k): Block => [V4_LAST + 1n - (1n << BigInt(32 - k)), k + 1]),
    ],
    ['192.0.2.0-192.0.2.255', [[quad(192, 0, 2, 0), quad(192, 0, 2, 255)]], [[quad(192, 0, 2, 0), 24]]],
    [
      '192.0.2.1-192.0.2.6',
      [[quad(192, 0, 2, 1), quad(192, 0, 2, 6)]],
      [
        [quad(192, 0, 2, 1), 32],
        [quad(192, 0, 2, 2), 31],
        [quad(192, 0, 2, 4), 31],
        [quad(192, 0, 2, 6), 32],
      ],
    ],
    [
      '127.255.255.255-128.0.0.0, across the sign bit',
      [[quad(127, 255, 255, 255), quad(128, 0, 0, 0)]],
      [
        [quad(127, 255, 255, 255), 32],
        [quad(128, 0, 0, 0), 32],
      ],
    ],
    [
      'delegated 768 addresses are a /23 and a /24',
      [[quad(192, 0, 2, 0), quad(192, 0, 4, 255)]],
      [
        [quad(192, 0, 2, 0), 23],
        [quad(192, 0, 4, 0), 24],
      ],
    ],
  ])('IPv4 %s', (_name, ranges, expected) => {
    expect(blocksIn(decompose(setOf(IPV4, ranges)))).toEqual(expected);
  });

  test.each<[name: string, ranges: Range[], expected: Block[]]>([
    ['nothing', [], []],
    ['::/0', [[0n, V6_LAST]], [[0n, 0]]],
    ['::', [[0n, 0n]], [[0n, 128]]],
    ['the last address', [[V6_LAST, V6_LAST]], [[V6_LAST, 128]]],
    ['all but ::', [[1n, V6_LAST]], Array.from({ length: 128 }, (_, k): Block => [1n << BigInt(k), 128 - k])],
    [
      'all but the last address',
      [[0n, V6_LAST - 1n]],
      Array.from({ length: 128 }, (_, k): Block => [V6_LAST + 1n - (1n << BigInt(128 - k)), k + 1]),
    ],
    [
      'one address on each side of 64 bits',
      [[hextets(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0) - 1n, hextets(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0)]],
      [
        [hextets(0x2001, 0xdb8, 0, 0, 0xffff, 0xffff, 0xffff, 0xffff), 128],
        [hextets(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0), 128],
      ],
    ],
    [
      '2001:db8::/32 as a range',
      [[hextets(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), hextets(0x2001, 0xdb9, 0, 0, 0, 0, 0, 0) - 1n]],
      [[hextets(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32]],
    ],
  ])('IPv6 %s', (_name, ranges, expected) => {
    expect(blocksIn(decompose(setOf(IPV6, ranges)))).toEqual(expected);
  });
});

describe.each(BOTH)('decompose: siblings in $name', (family) => {
  /** A network of `length` bits whose bits look random but are the same in every run. */
  function someNetwork(length: number): bigint {
    const pattern = 0x9e3779b97f4a7c15f39cc0605cedc834n >> BigInt(128 - family.bits);
    const host = BigInt(family.bits - length);
    return (pattern >> host) << host;
  }

  for (let length = 1; length <= family.bits; length++) {
    const size = 1n << BigInt(family.bits - length);

    test(`two siblings /${length} become their parent`, () => {
      const parent = someNetwork(length - 1);
      const blocks: Range[] = [
        [parent + size, parent + 2n * size - 1n],
        [parent, parent + size - 1n],
      ];
      expect(blocksIn(decompose(setOf(family, blocks)))).toEqual([[parent, length - 1]]);
    });

    if (length === 1) continue;
    test(`two neighbours /${length} that are no siblings stay two`, () => {
      const parent = someNetwork(length - 2);
      const blocks: Range[] = [
        [parent + size, parent + 2n * size - 1n],
        [parent + 2n * size, parent + 3n * size - 1n],
      ];
      expect(blocksIn(decompose(setOf(family, blocks)))).toEqual([
        [parent + size, length],
        [parent + 2n * size, length],
      ]);
    });
  }
});

/** What is wrong with a list of blocks in itself: order, overlap, alignment, or two that would merge. */
function flaw(family: { readonly bits: number }, blocks: readonly Block[]): string | undefined {
  for (const [i, [network, length]] of blocks.entries()) {
    const size = 1n << BigInt(family.bits - length);
    if (network % size !== 0n) return `block ${i} has host bits`;
    const next = blocks[i + 1];
    if (next === undefined) break;
    if (next[0] < network + size) return `block ${i + 1} begins inside block ${i}`;
    if (next[1] === length && next[0] === network + size && (network / size) % 2n === 0n) return `${i} and its sibling`;
  }
  return undefined;
}

function covered(family: { readonly bits: number }, blocks: readonly Block[]): Range[] {
  return normal(blocks.map(([network, length]) => [network, network + (1n << BigInt(family.bits - length)) - 1n]));
}

describe.each(UNIVERSES)('decompose: all addresses known, $name', ({ family, base }) => {
  test('the fewest blocks, as the walk over the whole trie finds them', () => {
    const bits = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const sparse = fc
      .tuple(bits, bits, bits)
      .map((three) => three[0].map((byte, k) => byte & three[1][k]! & three[2][k]!));
    const dense = fc
      .tuple(bits, bits, bits)
      .map((three) => three[0].map((byte, k) => byte | three[1][k]! | three[2][k]!));
    fc.assert(
      fc.property(fc.oneof(bits, sparse, dense), (mask) => {
        const held = Array.from({ length: 256 }, (_, k) => k).filter((k) => (mask[k >> 3]! >> (k & 7)) & 1);
        const ranges = normal(held.map((k): Range => [base + BigInt(k), base + BigInt(k)]));
        const blocks = blocksIn(decompose(setOf(family, ranges)));
        expect(flaw(family, blocks)).toBeUndefined();
        expect(covered(family, blocks)).toEqual(ranges);
        expect(blocks).toEqual(trieBlocks(family, ranges));
      }),
      runs(25),
    );
  });
});

describe.each(BOTH)('decompose: the whole width of $name', (family) => {
  test('exact, disjoint, sorted and the fewest', () => {
    fc.assert(
      fc.property(anyRanges(family, 8), (ranges) => {
        const blocks = blocksIn(decompose(setOf(family, ranges)));
        expect(flaw(family, blocks)).toBeUndefined();
        expect(covered(family, blocks)).toEqual(normal(ranges));
        expect(blocks).toEqual(trieBlocks(family, normal(ranges)));
      }),
      runs(150),
    );
  });

  test('ip-cidr gives the same first and last address for a random block', () => {
    fc.assert(
      fc.property(anyAddress(family), fc.integer({ min: 0, max: family.bits }), (address, length) => {
        const cidr = new IPCIDR(`${plainText(family, address)}/${length}`);
        const first = cidr.start<bigint>({ type: 'bigInteger' });
        const last = cidr.end<bigint>({ type: 'bigInteger' });
        expect(blocksIn(decompose(setOf(family, [[first, last]])))).toEqual([[first, length]]);
      }),
      runs(400),
    );
  });

  test('decomposeApart parts single addresses from wider blocks and keeps the order', () => {
    fc.assert(
      fc.property(anyRanges(family), (ranges) => {
        const { nodes, nets } = decomposeApart(setOf(family, ranges));
        const expected = trieBlocks(family, normal(ranges));
        expect(blocksIn(nodes)).toEqual(expected.filter(([, length]) => length === family.bits));
        expect(blocksIn(nets)).toEqual(expected.filter(([, length]) => length < family.bits));
        expect([nodes.family, nets.family]).toEqual([family, family]);
      }),
      runs(100),
    );
  });

  test('BlockWalk steps through the same blocks, and stays at the end', () => {
    fc.assert(
      fc.property(anyRanges(family, 6), (ranges) => {
        const walk = new BlockWalk(setOf(family, ranges));
        const blocks: Block[] = [];
        while (walk.next()) blocks.push([valueAt(walk.words, 0, family.words), walk.length]);
        expect(blocks).toEqual(trieBlocks(family, normal(ranges)));
        expect([walk.next(), walk.next()]).toEqual([false, false]);
      }),
      runs(60),
    );
  });

  test('nothing apart is nothing', () => {
    const { nodes, nets } = decomposeApart(setOf(family, []));
    expect([nodes.size, nets.size, nodes.words.length, nets.lengths.length]).toEqual([0, 0, 0, 0]);
  });

  test('many blocks: more than the first columns hold', () => {
    const odd = Array.from({ length: 5000 }, (_, k): Range => [BigInt(8 * k + 1), BigInt(8 * k + 6)]);
    const blocks = blocksIn(decompose(setOf(family, odd)));
    expect(blocks).toHaveLength(20_000);
    expect(covered(family, blocks)).toEqual(rangesIn(setOf(family, odd)));
    expect(flaw(family, blocks)).toBeUndefined();
  });
});
