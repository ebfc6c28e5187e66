import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countAddresses, decompose, fourSets, IPV4, IPV6, IpSet, SET_KEYS } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import { type Block, BOTH, blocksIn, lastAddress, normal, setOf, trieBlocks } from './oracle.js';

test('the order of every output', () => {
  expect(SET_KEYS).toEqual(['nodes4', 'nets4', 'nodes6', 'nets6']);
});

test('the empty set has four empty sets', () => {
  const four = fourSets(IpSet.empty);
  for (const key of SET_KEYS) expect([key, four[key].size, countAddresses(four[key])]).toEqual([key, 0, 0n]);
});

test('single addresses and wider blocks of each family, numeric order, the fewest', () => {
  const single = (family: typeof IPV4) => (block: Block) => block[1] === family.bits;
  fc.assert(
    fc.property(anyRanges(IPV4, 8), anyRanges(IPV6, 8), (v4, v6) => {
      const four = fourSets(IpSet.of(setOf(IPV4, v4), setOf(IPV6, v6)));
      const [blocks4, blocks6] = [trieBlocks(IPV4, normal(v4)), trieBlocks(IPV6, normal(v6))];
      expect(blocksIn(four.nodes4)).toEqual(blocks4.filter(single(IPV4)));
      expect(blocksIn(four.nets4)).toEqual(blocks4.filter((block) => !single(IPV4)(block)));
      expect(blocksIn(four.nodes6)).toEqual(blocks6.filter(single(IPV6)));
      expect(blocksIn(four.nets6)).toEqual(blocks6.filter((block) => !single(IPV6)(block)));
      const families = SET_KEYS.map((key) => four[key].family.version);
      expect(families).toEqual([4, 4, 6, 6]);
    }),
    runs(100),
  );
});

test.each(BOTH)('countAddresses is exact, $name', (family) => {
  fc.assert(
    fc.property(anyRanges(family), (ranges) => {
      const expected = normal(ranges).reduce((sum, [first, last]) => sum + last - first + 1n, 0n);
      expect(countAddresses(decompose(setOf(family, ranges)))).toBe(expected);
    }),
    runs(200),
  );
  expect(countAddresses(decompose(setOf(family, [[0n, lastAddress(family)]])))).toBe(1n << BigInt(family.bits));
});
