import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  entryOf,
  formatPrefix,
  IPV4,
  IPV6,
  IpSet,
  type Prefix,
  parsePrefix,
  partIn,
  touching,
  widened,
} from '../../src/ip/index.js';
import { runs } from './arbitraries.js';
import { type Range, rangesIn } from './oracle.js';

/** The first addresses of a block of each family, where every address can be looked at. */
const BASES = [
  { name: 'IPv4', address: (k: number) => `45.9.1.${k}`, bits: 32 },
  { name: 'IPv6', address: (k: number) => `2a0a:1::${k.toString(16)}`, bits: 128 },
] as const;
const SIZE = 64;

const anySpans = fc.array(
  fc.tuple(fc.nat(SIZE - 1), fc.nat(12)).map(([from, more]) => [from, Math.min(SIZE - 1, from + more)] as const),
  { maxLength: 8 },
);
/** A block inside the universe: its first address and how many of its bits are free. */
const anyBlock = fc.tuple(fc.nat(SIZE - 1), fc.nat(6)).map(([at, free]) => ({ first: at - (at % 2 ** free), free }));

const texts = (set: IpSet) => [...set.prefixes()].map(formatPrefix);

describe.each(BASES)('$name, against a look at every address', ({ address, bits }) => {
  const setOf = (spans: readonly (readonly [number, number])[]) =>
    IpSet.from(spans.map(([from, to]) => `${address(from)}-${address(to)}`));
  const blockOf = ({ first, free }: { first: number; free: number }) => parsePrefix(`${address(first)}/${bits - free}`);
  const members = (set: IpSet) => Array.from({ length: SIZE }, (_, k) => k).filter((k) => set.has(address(k)));

  test('partIn is the intersection', () => {
    fc.assert(
      fc.property(anySpans, anyBlock, (spans, place) => {
        const [set, block] = [setOf(spans), blockOf(place)];
        expect(partIn(set, block).equals(set.intersect(IpSet.from([block])))).toBe(true);
      }),
      runs(200),
    );
  });

  test('entryOf is the one of the fewest blocks that has all of it', () => {
    fc.assert(
      fc.property(anySpans, anyBlock, (spans, place) => {
        const [set, block] = [setOf(spans), blockOf(place)];
        const whole = members(IpSet.from([block]));
        const expected = [...set.prefixes()].find((each) => {
          const inside = new Set(members(IpSet.from([each])));
          return whole.every((k) => inside.has(k));
        });
        const found = entryOf(set, block);
        expect(found && formatPrefix(found)).toBe(expected && formatPrefix(expected));
      }),
      runs(200),
    );
  });

  test('touching keeps the ranges, whole, that regions touch', () => {
    fc.assert(
      fc.property(anySpans, anySpans, (spans, wanted) => {
        const [set, regions] = [setOf(spans), setOf(wanted)];
        const family = bits === 32 ? IPV4 : IPV6;
        const isTouched = ([from, to]: Range) =>
          rangesIn(regions.of(family)).some(([first, last]) => from <= last && first <= to);
        expect(rangesIn(touching(family, set.of(family).lo, set.of(family).hi, regions)!)).toEqual(
          rangesIn(set.of(family)).filter(isTouched),
        );
      }),
      runs(200),
    );
  });
});

describe('at the ends', () => {
  test.each<[set: string[], block: string, part: string[], entry: string | undefined]>([
    [[], '0.0.0.0', [], undefined],
    [['0.0.0.0'], '0.0.0.0', ['0.0.0.0'], '0.0.0.0'],
    [['255.255.255.255'], '255.255.255.255', ['255.255.255.255'], '255.255.255.255'],
    [['0.0.0.0/0'], '255.255.255.255', ['255.255.255.255'], '0.0.0.0/0'],
    [['45.9.1.0/24'], '0.0.0.0/0', ['45.9.1.0/24'], undefined],
    [['::/0'], '::', ['::'], '::/0'],
    [['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], '::/0', ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], undefined],
    [['45.9.1.0/24'], '2a0a::1', [], undefined],
    // Two blocks side by side are one range, and neither has the block across both.
    [['45.9.1.128/25', '45.9.2.0/24'], '45.9.1.0/24', ['45.9.1.128/25'], undefined],
    [['45.9.1.128/25', '45.9.2.0/24'], '45.9.2.0/25', ['45.9.2.0/25'], '45.9.2.0/24'],
  ])('%j and %s', (set, block, part, entry) => {
    const prefix = parsePrefix(block);
    expect(texts(partIn(IpSet.from(set), prefix))).toEqual(part);
    const found = entryOf(IpSet.from(set), prefix);
    expect(found && formatPrefix(found)).toBe(entry);
  });

  test.each<[block: string, to: number, wide: string]>([
    ['45.9.1.7', 24, '45.9.1.0/24'],
    ['45.9.0.0/16', 24, '45.9.0.0/16'],
    ['45.9.0.0/16', 16, '45.9.0.0/16'],
    ['255.255.255.255', 0, '0.0.0.0/0'],
    ['2a0a:1:2:3:4:5:6:7', 64, '2a0a:1:2:3::/64'],
    ['2a0a:1:2:3:4:5:6:7', 33, '2a0a:1::/33'],
    ['2a0a:1:2:3:4:5:6:7', 128, '2a0a:1:2:3:4:5:6:7'],
  ])('%s widened to /%i', (block, to, wide) => {
    const prefix: Prefix = parsePrefix(block);
    expect(formatPrefix(widened(prefix, to))).toBe(wide);
    expect(formatPrefix(prefix)).toBe(block);
  });
});

test.each<[what: string, lo: number[], hi: number[]]>([
  ['not in order', [9, 5], [9, 5]],
  ['that overlap', [5, 7], [8, 9]],
  ['that end before they begin', [9], [5]],
  ['without an end', [5, 9], [6]],
])('columns %s are no set', (_, lo, hi) => {
  expect(touching(IPV4, Uint32Array.from(lo), Uint32Array.from(hi), IpSet.from(['0.0.0.0/0']))).toBeUndefined();
});
