import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, IPV4, IPV6, LabelledBuilder, LabelledRanges } from '../../src/ip/index.js';
import { anyAddress, anyRanges, runs } from './arbitraries.js';
import { BOTH, brokenInvariant, normal, type Range, rangesIn, setOf, valueAt, wordsOf } from './oracle.js';

type Row = readonly [range: Range, label: number];

function built(family: Family, rows: readonly Row[]) {
  const builder = new LabelledBuilder(family);
  for (const [[first, last], label] of rows) builder.add(wordsOf(family, first), 0, wordsOf(family, last), 0, label);
  return builder.build();
}

function rowsIn({ family, lo, hi, labels }: LabelledRanges): Row[] {
  const w = family.words;
  return Array.from(labels, (label, r) => [[valueAt(lo, r, w), valueAt(hi, r, w)], label]);
}

/** Disjoint ranges in ascending order, each with one of four numbers. */
function anyRows(family: Family): fc.Arbitrary<Row[]> {
  return fc
    .tuple(anyRanges(family), fc.array(fc.nat(3), { minLength: 40, maxLength: 40 }))
    .map(([ranges, labels]) => normal(ranges).map((range, i): Row => [range, labels[i % 40]!]));
}

/** The number of an address, looked for from the first row to the last. */
function slowly(rows: readonly Row[], address: bigint): number | undefined {
  return rows.find(([[first, last]]) => first <= address && address <= last)?.[1];
}

function brokenRows(ranges: LabelledRanges): string | undefined {
  const { family, lo, hi, labels } = ranges;
  return LabelledRanges.ofColumns(family, lo, hi, labels) === undefined ? 'not as promised' : undefined;
}

describe.each(BOTH)('$name', (family) => {
  test('every address has the number of its row, in whatever order the rows came', () => {
    fc.assert(
      fc.property(anyRows(family), fc.array(anyAddress(family)), fc.infiniteStream(fc.nat()), (rows, more, dice) => {
        const mixed = rows.map((row) => [dice.next().value as number, row] as const).sort(([a], [b]) => a - b);
        const { ranges, leftOut } = built(
          family,
          mixed.map(([, row]) => row),
        );
        expect(leftOut).toBe(0);
        expect(brokenRows(ranges)).toBeUndefined();
        for (const address of [...rows.flatMap(([[first, last]]) => [first, last]), ...more]) {
          expect(ranges.at(wordsOf(family, address), 0)).toBe(slowly(rows, address));
        }
      }),
      runs(150),
    );
  });

  test('the set of a number holds its rows, and all of them together hold everything', () => {
    fc.assert(
      fc.property(anyRows(family), (rows) => {
        const { ranges } = built(family, rows);
        const sets = ranges.setsOf([0, 1, 2, 3, 9]);
        for (const [label, set] of sets) {
          expect(brokenInvariant(set)).toBeUndefined();
          expect(rangesIn(set)).toEqual(normal(rows.filter((row) => row[1] === label).map(([range]) => range)));
        }
        expect(rangesIn(ranges.all())).toEqual(normal(rows.map(([range]) => range)));
      }),
      runs(150),
    );
  });

  test('one laid over the other: what the upper one knows stands', () => {
    fc.assert(
      fc.property(anyRows(family), anyRows(family), fc.array(anyAddress(family)), (upper, lower, more) => {
        const over = built(family, upper).ranges.over(built(family, lower).ranges);
        expect(brokenRows(over)).toBeUndefined();
        for (const address of [...[...upper, ...lower].flatMap(([range]) => range), ...more]) {
          expect(over.at(wordsOf(family, address), 0)).toBe(slowly([...upper, ...lower], address));
        }
      }),
      runs(150),
    );
  });

  test('addresses of a set are counted by number', () => {
    fc.assert(
      fc.property(anyRows(family), anyRanges(family), (rows, ranges) => {
        const set = setOf(family, ranges);
        const counts = built(family, rows).ranges.countsIn(set);
        for (const label of [0, 1, 2, 3]) {
          const own = rangesIn(
            setOf(
              family,
              rows.filter((row) => row[1] === label).map(([range]) => range),
            ).intersect(set),
          );
          const exact = own.reduce((sum, [first, last]) => sum + last - first + 1n, 0n);
          expect(Math.abs((counts.get(label) ?? 0) - Number(exact))).toBeLessThanOrEqual(Number(exact) * 1e-12);
        }
      }),
      runs(150),
    );
  });
});

describe('rows that overlap', () => {
  const V4: Family = IPV4;
  test.each<[what: string, rows: Row[], expected: Row[], leftOut: number]>([
    [
      'with the same number are joined',
      [
        [[1n, 9n], 7],
        [[5n, 20n], 7],
      ],
      [[[1n, 20n], 7]],
      0,
    ],
    [
      'and one inside the other, too',
      [
        [[1n, 9n], 7],
        [[3n, 4n], 7],
      ],
      [[[1n, 9n], 7]],
      0,
    ],
    [
      'the one that begins first stands',
      [
        [[5n, 20n], 8],
        [[1n, 9n], 7],
      ],
      [[[1n, 9n], 7]],
      1,
    ],
    [
      'of two that begin together the first line',
      [
        [[1n, 3n], 8],
        [[1n, 9n], 7],
      ],
      [[[1n, 3n], 8]],
      1,
    ],
    [
      'a line twice',
      [
        [[1n, 3n], 8],
        [[1n, 3n], 8],
      ],
      [[[1n, 3n], 8]],
      0,
    ],
    [
      'neighbours of other numbers stay apart',
      [
        [[4n, 9n], 1],
        [[1n, 3n], 2],
      ],
      [
        [[1n, 3n], 2],
        [[4n, 9n], 1],
      ],
      0,
    ],
    [
      'the last address of all',
      [
        [[0xffffffffn, 0xffffffffn], 1],
        [[0n, 0n], 1],
      ],
      [
        [[0n, 0n], 1],
        [[0xffffffffn, 0xffffffffn], 1],
      ],
      0,
    ],
  ])('%s', (_, rows, expected, leftOut) => {
    const made = built(V4, rows);
    expect([rowsIn(made.ranges), made.leftOut]).toEqual([expected, leftOut]);
  });
});

test('more rows than the first room holds', () => {
  const rows = Array.from({ length: 5000 }, (_, i): Row => [[BigInt(i * 3), BigInt(i * 3 + 1)], i % 5]);
  expect(rowsIn(built(IPV6, rows).ranges)).toEqual(rows);
});

describe('columns that come back changed are refused', () => {
  const of = (lo: number[], hi: number[], labels: number[]) =>
    LabelledRanges.ofColumns(IPV4, Uint32Array.from(lo), Uint32Array.from(hi), Uint32Array.from(labels));
  test.each<[what: string, lo: number[], hi: number[], labels: number[]]>([
    ['a range that runs backwards', [5], [4], [1]],
    ['out of order', [5, 1], [6, 2], [1, 2]],
    ['overlapping', [1, 3], [3, 4], [1, 2]],
    ['neighbours of one number', [1, 3], [2, 4], [1, 1]],
    ['fewer numbers than ranges', [1, 5], [2, 6], [1]],
    ['fewer ends', [1, 5], [2], [1, 2]],
  ])('%s', (_, lo, hi, labels) => {
    expect(of(lo, hi, labels)).toBeUndefined();
  });

  test('and sound ones taken', () => {
    expect(of([1, 3], [2, 4], [1, 2])?.at(Uint32Array.of(3), 0)).toBe(2);
    expect(LabelledRanges.empty(IPV6).size).toBe(0);
  });
});
