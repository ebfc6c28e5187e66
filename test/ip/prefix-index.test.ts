import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPrefix, IpSet, type Prefix, PrefixIndex, parsePrefix } from '../../src/ip/index.js';
import { runs } from './arbitraries.js';

/** Blocks of both families that often lie in each other, and are often the same. */
const anyBlock = fc
  .tuple(fc.constantFrom('45.9.1.', '2a0a::'), fc.nat(63), fc.nat(7))
  .map(([base, host, free]): Prefix => {
    const bits = base.includes(':') ? 128 : 32;
    return parsePrefix(`${base}${base.includes(':') ? host.toString(16) : host}/${bits - free}`);
  });

test('the blocks that have something in common with another one, in the order in which they were given', () => {
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 30 }), anyBlock, (blocks, asked) => {
      const whole = IpSet.from([asked]);
      const rows = blocks.map((prefix, i) => ({ i, prefix }));
      const expected = rows.filter(({ prefix }) => !IpSet.from([prefix]).intersect(whole).isEmpty);
      expect(new PrefixIndex(rows, ({ prefix }) => prefix).touching(asked)).toEqual(expected);
    }),
    runs(300),
  );
});

test.each<[asked: string, found: string[]]>([
  ['0.0.0.0', ['0.0.0.0/0', '0.0.0.0']],
  ['255.255.255.255', ['0.0.0.0/0', '255.255.255.254/31']],
  ['::', ['::/0', '::']],
  ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['::/0']],
  ['0.0.0.0/0', ['0.0.0.0/0', '255.255.255.254/31', '0.0.0.0']],
])('the ends of the families: %s', (asked, found) => {
  const blocks = ['0.0.0.0/0', '255.255.255.254/31', '::/0', '0.0.0.0', '::'].map(parsePrefix);
  expect(new PrefixIndex(blocks, (block) => block).touching(parsePrefix(asked)).map(formatPrefix)).toEqual(found);
});

test('a hundred thousand of them are asked a hundred thousand times', () => {
  const blocks = Array.from({ length: 100_000 }, (_, i) => parsePrefix(`45.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`));
  const index = new PrefixIndex(blocks, (block) => block);
  // One by one that would be 10^10 comparisons.
  expect(blocks.every((block) => index.touching(block).length === 1)).toBe(true);
});
