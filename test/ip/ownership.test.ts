import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, IpSet, Ownership, type RangeSet } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import {
  BOTH,
  brokenInvariant,
  lastAddress,
  normal,
  type Range,
  rangesIn,
  setOf,
  UNIVERSE_SIZE,
  UNIVERSES,
  type Universe,
} from './oracle.js';

/** Offsets into a universe, both inclusive. */
type Span = readonly [from: number, to: number];

const ALL = Array.from({ length: UNIVERSE_SIZE }, (_, k) => k);
const LAST = UNIVERSE_SIZE - 1;

const anySpan = fc
  .tuple(fc.oneof(fc.nat(LAST), fc.constantFrom(0, LAST)), fc.oneof(fc.constant(0), fc.nat(3), fc.nat(LAST)))
  .map(([from, more]): Span => [from, Math.min(LAST, from + more)]);
const anySpans = fc.array(anySpan, { maxLength: 12 });
/** None to seven sets; some of them the same. */
const anySets = fc
  .tuple(fc.array(anySpans, { maxLength: 7 }), fc.nat(6), fc.nat(6))
  .map(([sets, from, to]) => sets.map((set, i) => (i === to ? (sets[from] ?? set) : set)));

function fast({ family, base }: Universe, spans: readonly Span[]): RangeSet {
  return setOf(
    family,
    spans.map(([from, to]): Range => [base + BigInt(from), base + BigInt(to)]),
  );
}

function held(spans: readonly Span[], k: number): boolean {
  return spans.some(([from, to]) => from <= k && k <= to);
}

/** The ranges of the addresses for which it holds, looked at one by one. */
function rangesWhere({ base }: Universe, holds: (k: number) => boolean): Range[] {
  return normal(ALL.filter(holds).map((k): Range => [base + BigInt(k), base + BigInt(k)]));
}

function sound(set: RangeSet): Range[] {
  expect(brokenInvariant(set)).toBeUndefined();
  return rangesIn(set);
}

describe.each(UNIVERSES)('against a look at every address, $name', (universe) => {
  const { family } = universe;

  test('Ownership: the union, what at least two have, and how much each has alone', () => {
    fc.assert(
      fc.property(anySets, anySpans, (sets, without) => {
        const owners = ALL.map((k) => sets.flatMap((spans, i) => (held(spans, k) ? [i] : [])));
        const made = Ownership.of(
          family,
          sets.map((spans) => fast(universe, spans)),
        );
        expect(sound(made.union())).toEqual(rangesWhere(universe, (k) => owners[k]!.length > 0));
        expect(sound(made.repeated())).toEqual(rangesWhere(universe, (k) => owners[k]!.length > 1));
        const alone = (isWithout: (k: number) => boolean) =>
          sets.map((_, i) =>
            BigInt(ALL.filter((k) => owners[k]!.length === 1 && owners[k]![0] === i && !isWithout(k)).length),
          );
        expect(made.alone(fast(universe, without))).toEqual(alone((k) => held(without, k)));
        expect(made.alone(fast(universe, []))).toEqual(alone(() => false));
        // Asked again, and in another order, it says the same.
        expect(sound(made.union())).toEqual(rangesWhere(universe, (k) => owners[k]!.length > 0));
      }),
      runs(150),
    );
  });

  test('intersect', () => {
    fc.assert(
      fc.property(anySpans, anySpans, (a, b) => {
        const [x, y] = [fast(universe, a), fast(universe, b)];
        const expected = rangesWhere(universe, (k) => held(a, k) && held(b, k));
        expect(sound(x.intersect(y))).toEqual(expected);
        expect(sound(y.intersect(x))).toEqual(expected);
        expect(rangesIn(x)).toEqual(rangesWhere(universe, (k) => held(a, k)));
      }),
      runs(150),
    );
  });
});

/** What single addresses at the ends of all given ranges say: enough, since nothing changes between them. */
function countedAtEnds(family: Family, sets: readonly (readonly Range[])[], without: readonly Range[]) {
  const last = lastAddress(family);
  const starts = new Set<bigint>([0n]);
  for (const [first, end] of [...sets.flat(), ...without]) {
    starts.add(first);
    if (end < last) starts.add(end + 1n);
  }
  const sorted = [...starts].sort((a, b) => (a < b ? -1 : 1));
  const inside = (ranges: readonly Range[], at: bigint) => ranges.some(([first, end]) => first <= at && at <= end);
  const pieces = sorted.map((from, i) => ({ from, to: (sorted[i + 1] ?? last + 1n) - 1n }));
  const owned = pieces.map(({ from, to }) => ({
    range: [from, to] as Range,
    owners: sets.flatMap((ranges, i) => (inside(ranges, from) ? [i] : [])),
    isWithout: inside(without, from),
  }));
  return {
    union: normal(owned.filter(({ owners }) => owners.length > 0).map(({ range }) => range)),
    repeated: normal(owned.filter(({ owners }) => owners.length > 1).map(({ range }) => range)),
    alone: sets.map((_, i) =>
      owned
        .filter(({ owners, isWithout }) => owners.length === 1 && owners[0] === i && !isWithout)
        .reduce((total, { range: [from, to] }) => total + to - from + 1n, 0n),
    ),
  };
}

describe.each(BOTH)('$name', (family) => {
  const last = lastAddress(family);
  const half = 1n << BigInt(family.bits - 1);

  test('over the whole of it', () => {
    const given = fc.tuple(fc.array(anyRanges(family, 8), { maxLength: 7 }), anyRanges(family, 8));
    fc.assert(
      fc.property(given, ([sets, without]) => {
        const made = Ownership.of(
          family,
          sets.map((ranges) => setOf(family, ranges)),
        );
        const expected = countedAtEnds(family, sets, without);
        expect(sound(made.union())).toEqual(expected.union);
        expect(sound(made.repeated())).toEqual(expected.repeated);
        expect(made.alone(setOf(family, without))).toEqual(expected.alone);
      }),
      runs(200),
    );
  });

  test.each<[what: string, sets: Range[][], without: Range[], union: Range[], repeated: Range[], alone: bigint[]]>([
    ['no sets', [], [], [], [], []],
    ['one empty set', [[]], [], [], [], [0n]],
    ['seven empty sets', [[], [], [], [], [], [], []], [[0n, last]], [], [], Array<bigint>(7).fill(0n)],
    ['the first address', [[[0n, 0n]]], [], [[0n, 0n]], [], [1n]],
    ['the last address', [[[last, last]]], [], [[last, last]], [], [1n]],
    [
      'the first and last of two',
      [[[0n, 0n]], [[last, last]]],
      [],
      [
        [0n, 0n],
        [last, last],
      ],
      [],
      [1n, 1n],
    ],
    ['the first address twice', [[[0n, 0n]], [[0n, 0n]]], [], [[0n, 0n]], [[0n, 0n]], [0n, 0n]],
    ['the last address twice', [[[last, last]], [[last, last]]], [], [[last, last]], [[last, last]], [0n, 0n]],
    ['everything', [[[0n, last]]], [], [[0n, last]], [], [last + 1n]],
    ['everything twice', [[[0n, last]], [[0n, last]]], [], [[0n, last]], [[0n, last]], [0n, 0n]],
    ['everything without everything', [[[0n, last]]], [[0n, last]], [[0n, last]], [], [0n]],
    [
      'everything without its ends',
      [[[0n, last]]],
      [
        [0n, 0n],
        [last, last],
      ],
      [[0n, last]],
      [],
      [last - 1n],
    ],
    [
      'everything but the ends, which are another',
      [
        [[1n, last - 1n]],
        [
          [0n, 0n],
          [last, last],
        ],
      ],
      [],
      [[0n, last]],
      [],
      [last - 1n, 2n],
    ],
    ['two halves that touch', [[[0n, half - 1n]], [[half, last]]], [], [[0n, last]], [], [half, half]],
    [
      'two that touch inside a third',
      [[[10n, 19n]], [[20n, 29n]], [[0n, 99n]]],
      [],
      [[0n, 99n]],
      [[10n, 29n]],
      [0n, 0n, 80n],
    ],
    [
      'one inside of another, its ends included',
      [[[10n, 20n]], [[10n, 15n]], [[16n, 20n]]],
      [],
      [[10n, 20n]],
      [[10n, 20n]],
      [0n, 0n, 0n],
    ],
    ['overlapping at one address', [[[10n, 20n]], [[20n, 30n]]], [[20n, 20n]], [[10n, 30n]], [[20n, 20n]], [10n, 10n]],
    [
      'one gap of one address',
      [[[10n, 19n]], [[21n, 30n]]],
      [],
      [
        [10n, 19n],
        [21n, 30n],
      ],
      [],
      [10n, 10n],
    ],
    [
      'what is excluded lies across the ends of several',
      [[[10n, 19n]], [[20n, 29n]], [[40n, 49n]]],
      [[15n, 44n]],
      [
        [10n, 29n],
        [40n, 49n],
      ],
      [],
      [5n, 0n, 5n],
    ],
    [
      'several excluded in one',
      [[[10n, 99n]], [[200n, 209n]]],
      [
        [0n, 10n],
        [20n, 29n],
        [99n, 200n],
        [209n, 300n],
      ],
      [
        [10n, 99n],
        [200n, 209n],
      ],
      [],
      [78n, 8n],
    ],
    // The number of more than two is one more, not another owner.
    ['three of three', [[[1n, 3n]], [[2n, 4n]], [[3n, 5n]]], [], [[1n, 5n]], [[2n, 4n]], [1n, 0n, 1n]],
  ])('%s', (_, sets, without, union, repeated, alone) => {
    const made = Ownership.of(
      family,
      sets.map((ranges) => setOf(family, ranges)),
    );
    expect(sound(made.union())).toEqual(union);
    expect(sound(made.repeated())).toEqual(repeated);
    expect(made.alone(setOf(family, without))).toEqual(alone);
  });

  test('a hundred sets, of which each has one address alone', () => {
    const sets = Array.from(
      { length: 100 },
      (_, i) =>
        [
          [0n, 9n],
          [100n + 2n * BigInt(i), 100n + 2n * BigInt(i)],
        ] as Range[],
    );
    const made = Ownership.of(
      family,
      sets.map((ranges) => setOf(family, ranges)),
    );
    expect(sound(made.repeated())).toEqual([[0n, 9n]]);
    expect(made.alone(setOf(family, []))).toEqual(Array<bigint>(100).fill(1n));
    expect(sound(made.union())).toHaveLength(101);
  });

  test('the sets given stay as they were', () => {
    const sets = [setOf(family, [[0n, 5n]]), setOf(family, [[3n, 9n]])];
    Ownership.of(family, sets).union();
    expect(sets.map(rangesIn)).toEqual([[[0n, 5n]], [[3n, 9n]]]);
    const [only] = sets;
    const alone = Ownership.of(family, [only!]);
    expect(rangesIn(alone.union())).toEqual([[0n, 5n]]);
    expect(rangesIn(only!)).toEqual([[0n, 5n]]);
  });
});

describe('IpSet.unionOf', () => {
  test.each([0, 1, 2, 3, 5, 7, 16, 17])('%i sets: what any of them has', (count) => {
    const sets = Array.from({ length: count }, (_, i) =>
      IpSet.from([`192.0.2.${2 * i}`, `2001:db8::${(2 * i).toString(16)}`]),
    );
    const union = IpSet.unionOf(sets);
    expect(union.count()).toEqual({ v4: count, v6: BigInt(count) });
    for (let i = 0; i < count; i++) expect(union.has(`192.0.2.${2 * i}`)).toBe(true);
    expect(union.has('192.0.2.1')).toBe(false);
  });

  test('against a look at every address', () => {
    const [universe] = UNIVERSES;
    fc.assert(
      fc.property(anySets, (sets) => {
        const all = sets.map((spans) => IpSet.of(fast(universe!, spans), IpSet.empty.v6));
        const expected = rangesWhere(universe!, (k) => sets.some((spans) => held(spans, k)));
        expect(sound(IpSet.unionOf(all).v4)).toEqual(expected);
      }),
      runs(150),
    );
  });
});
