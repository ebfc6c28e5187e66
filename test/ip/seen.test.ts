import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, IPV4, IPV6, SeenRanges } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import {
  BOTH,
  lastAddress,
  normal,
  quad,
  type Range,
  setOf,
  UNIVERSE_SIZE,
  UNIVERSES,
  type Universe,
  valueAt,
  wordsOf,
} from './oracle.js';

type Row = readonly [first: bigint, last: bigint, since: number, until: number];

function rowsOf({ family, lo, hi, first, last }: SeenRanges): Row[] {
  const w = family.words;
  expect([lo.length, hi.length, last.length]).toEqual([first.length * w, first.length * w, first.length]);
  return Array.from(first, (since, r) => [valueAt(lo, r, w), valueAt(hi, r, w), since, last[r]!]);
}

/** Days as a dumb map of single addresses. */
class SlowSeen {
  private days = new Map<number, readonly [since: number, until: number]>();

  constructor(private readonly universe: Universe) {}

  advance(held: ReadonlySet<number>, day: number, kept: number): void {
    const next = new Map<number, readonly [number, number]>();
    for (let k = 0; k < UNIVERSE_SIZE; k++) {
      const before = this.days.get(k);
      if (held.has(k)) next.set(k, [before?.[0] ?? day, day]);
      else if (before !== undefined && day - before[1] <= kept) next.set(k, before);
    }
    this.days = next;
  }

  at(k: number): { first: number; last: number } | undefined {
    const days = this.days.get(k);
    return days && { first: days[0], last: days[1] };
  }

  /** Neighbours of the same days are one row. */
  rows(): Row[] {
    const rows: [bigint, bigint, number, number][] = [];
    for (let k = 0; k < UNIVERSE_SIZE; k++) {
      const days = this.days.get(k);
      if (days === undefined) continue;
      const address = this.universe.base + BigInt(k);
      const open = rows.at(-1);
      if (open !== undefined && open[1] + 1n === address && open[2] === days[0] && open[3] === days[1])
        open[1] = address;
      else rows.push([address, address, ...days]);
    }
    return rows;
  }
}

/** Pieces of a universe: from an offset, so many. */
const pieces = fc.array(fc.tuple(fc.nat(UNIVERSE_SIZE - 1), fc.integer({ min: 1, max: 60 })), { maxLength: 8 });

function heldIn(chosen: ReadonlyArray<readonly [from: number, size: number]>): Set<number> {
  const held = new Set<number>();
  for (const [from, size] of chosen) for (let k = from; k < Math.min(from + size, UNIVERSE_SIZE); k++) held.add(k);
  return held;
}

function setIn({ family, base }: Universe, held: ReadonlySet<number>) {
  return setOf(
    family,
    [...held].map((k): Range => [base + BigInt(k), base + BigInt(k)]),
  );
}

describe.each(UNIVERSES)('$name', (universe) => {
  const { family, base } = universe;

  test('many days of lists leave the days that a map of single addresses has', () => {
    const program = fc.array(fc.tuple(fc.nat(4), pieces), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(program, fc.nat(6), (steps, kept) => {
        const slow = new SlowSeen(universe);
        let seen = SeenRanges.of(setOf(family, []), 0);
        let day = 20_000;
        for (const [pause, chosen] of steps) {
          day += pause;
          const held = heldIn(chosen);
          slow.advance(held, day, kept);
          seen = seen.advanced(setIn(universe, held), day, kept);
          expect(rowsOf(seen)).toEqual(slow.rows());
        }
        for (let k = 0; k < UNIVERSE_SIZE; k++)
          expect(seen.at(wordsOf(family, base + BigInt(k)), 0)).toEqual(slow.at(k));
      }),
      runs(60),
    );
  });

  test('nothing is known of addresses around what was seen', () => {
    const seen = SeenRanges.of(setOf(family, [[base, base + 255n]]), 7);
    expect(seen.at(wordsOf(family, base), 0)).toEqual({ first: 7, last: 7 });
    expect(seen.at(wordsOf(family, base + 255n), 0)).toEqual({ first: 7, last: 7 });
    for (const outside of [base - 1n, base + 256n]) {
      if (outside < 0n || outside > lastAddress(family)) continue;
      expect(seen.at(wordsOf(family, outside), 0)).toBeUndefined();
    }
  });
});

describe.each(BOTH)('$name', (family: Family) => {
  const last = lastAddress(family);
  const all: Range = [0n, last];
  const seenOn = (day: number, ...ranges: Range[]) => SeenRanges.of(setOf(family, ranges), day);

  test('of a set: its ranges, all since that day', () => {
    fc.assert(
      fc.property(anyRanges(family), (ranges) => {
        expect(rowsOf(SeenRanges.of(setOf(family, ranges), 9))).toEqual(normal(ranges).map(([a, b]) => [a, b, 9, 9]));
      }),
      runs(100),
    );
  });

  test.each<[what: string, before: Range[], now: Range[], rows: Row[]]>([
    ['nothing, then nothing', [], [], []],
    ['all stays', [all], [all], [[0n, last, 1, 5]]],
    ['all comes', [], [all], [[0n, last, 5, 5]]],
    ['all goes', [all], [], [[0n, last, 1, 1]]],
    [
      'the ends stay',
      [all],
      [
        [0n, 0n],
        [last, last],
      ],
      [
        [0n, 0n, 1, 5],
        [1n, last - 1n, 1, 1],
        [last, last, 1, 5],
      ],
    ],
    [
      'the ends were there',
      [
        [0n, 0n],
        [last, last],
      ],
      [all],
      [
        [0n, 0n, 1, 5],
        [1n, last - 1n, 5, 5],
        [last, last, 1, 5],
      ],
    ],
    [
      'a hole opens',
      [all],
      [
        [0n, 9n],
        [20n, last],
      ],
      [
        [0n, 9n, 1, 5],
        [10n, 19n, 1, 1],
        [20n, last, 1, 5],
      ],
    ],
    [
      'the last address comes behind its neighbour',
      [[last - 1n, last - 1n]],
      [[last - 1n, last]],
      [
        [last - 1n, last - 1n, 1, 5],
        [last, last, 5, 5],
      ],
    ],
    [
      'the first address comes before its neighbour',
      [[1n, 1n]],
      [[0n, 1n]],
      [
        [0n, 0n, 5, 5],
        [1n, 1n, 1, 5],
      ],
    ],
  ])('%s', (_, before, now, rows) => {
    expect(rowsOf(seenOn(1, ...before).advanced(setOf(family, now), 5, 90))).toEqual(rows);
  });

  test.each<[what: string, day: number, isKept: boolean]>([
    ['the next day', 2, true],
    ['exactly as long as it is kept', 91, true],
    ['one day longer', 92, false],
  ])('what went is known %s: %i', (_, day, isKept) => {
    const gone = seenOn(1, [5n, 6n]).advanced(setOf(family, [[8n, 8n]]), day, 90);
    expect(rowsOf(gone)).toEqual([...(isKept ? [[5n, 6n, 1, 1]] : []), [8n, 8n, day, day]]);
  });

  test('with nothing kept, what went is known on that day only', () => {
    const same = seenOn(3, [5n, 6n]).advanced(setOf(family, []), 3, 0);
    expect(rowsOf(same)).toEqual([[5n, 6n, 3, 3]]);
    expect(rowsOf(same.advanced(setOf(family, []), 4, 0))).toEqual([]);
  });

  test('what comes back while it is known keeps its first day; afterwards it is new', () => {
    const away = seenOn(1, [5n, 5n]).advanced(setOf(family, []), 10, 90);
    expect(rowsOf(away.advanced(setOf(family, [[5n, 5n]]), 50, 90))).toEqual([[5n, 5n, 1, 50]]);
    const forgotten = away.advanced(setOf(family, []), 200, 90);
    expect(rowsOf(forgotten.advanced(setOf(family, [[5n, 5n]]), 201, 90))).toEqual([[5n, 5n, 201, 201]]);
  });

  test('neighbours with the same days are one row again', () => {
    const parts = seenOn(1, [0n, 9n]).advanced(setOf(family, [[0n, 4n]]), 2, 0);
    expect(rowsOf(parts)).toEqual([[0n, 4n, 1, 2]]);
    const both = seenOn(1, [0n, 4n], [6n, 9n]).advanced(setOf(family, [[0n, 9n]]), 1, 0);
    expect(rowsOf(both)).toEqual([[0n, 9n, 1, 1]]);
  });

  test('a clock that went back makes no last day before a first one', () => {
    const back = seenOn(100, [5n, 9n]).advanced(setOf(family, [[7n, 20n]]), 90, 30);
    for (const [, , since, until] of rowsOf(back)) expect(since).toBeLessThanOrEqual(until);
  });

  test('the history before is as it was', () => {
    const before = seenOn(1, [5n, 9n]);
    before.advanced(setOf(family, [[7n, 20n]]), 9, 30);
    expect(rowsOf(before)).toEqual([[5n, 9n, 1, 1]]);
  });
});

test('addresses at an offset of a column', () => {
  const seen = SeenRanges.of(setOf(IPV6, [[5n, 5n]]), 3);
  expect(seen.at(Uint32Array.of(9, 9, 9, 9, 0, 0, 0, 5), 4)).toEqual({ first: 3, last: 3 });
  expect(seen.at(Uint32Array.of(0, 0, 0, 5, 0, 0, 0, 6), 4)).toBeUndefined();
  const four = SeenRanges.of(setOf(IPV4, [[quad(192, 0, 2, 1), quad(192, 0, 2, 9)]]), 3);
  expect(four.at(Uint32Array.of(0, 0xc0000209), 1)).toEqual({ first: 3, last: 3 });
  expect(four.at(Uint32Array.of(0, 0xc000020a), 1)).toBeUndefined();
});
