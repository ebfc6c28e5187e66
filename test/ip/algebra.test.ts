import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, IPV4, IPV6, IpSet, IpSetBuilder, type RangeSet } from '../../src/ip/index.js';
import { anyAddress, anyRanges, runs } from './arbitraries.js';
import {
  BOTH,
  brokenInvariant,
  lastAddress,
  normal,
  type Range,
  rangesIn,
  SlowSet,
  setOf,
  UNIVERSE_SIZE,
  UNIVERSES,
  type Universe,
  wordsOf,
} from './oracle.js';

/** Offsets into a universe; `flip` makes the operand reach beyond it. */
interface Operand {
  readonly spans: readonly (readonly [number, number])[];
  readonly flip: boolean;
}
type Step =
  | { readonly op: 'add'; readonly span: readonly [number, number] }
  | { readonly op: 'union' | 'subtract' | 'intersect'; readonly by: Operand }
  | { readonly op: 'complement' };

const anySpan = fc
  .tuple(fc.nat(UNIVERSE_SIZE - 1), fc.oneof(fc.constant(0), fc.nat(3), fc.nat(UNIVERSE_SIZE - 1)))
  .map(([from, more]): [number, number] => [from, Math.min(UNIVERSE_SIZE - 1, from + more)]);
const anyOperand: fc.Arbitrary<Operand> = fc.record({
  spans: fc.array(anySpan, { maxLength: 20 }),
  flip: fc.boolean(),
});
const anyProgram: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ op: fc.constant('add' as const), span: anySpan }) },
    {
      weight: 5,
      arbitrary: fc.record({
        op: fc.constantFrom('union' as const, 'subtract' as const, 'intersect' as const),
        by: anyOperand,
      }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ op: 'complement' }) },
  ),
  { minLength: 1, maxLength: 12 },
);

function spanned({ base }: Universe, [from, to]: readonly [number, number]): Range {
  return [base + BigInt(from), base + BigInt(to)];
}

function fastOperand(universe: Universe, { spans, flip }: Operand): RangeSet {
  const set = setOf(
    universe.family,
    spans.map((span) => spanned(universe, span)),
  );
  return flip ? set.complement() : set;
}

function slowOperand(universe: Universe, { spans, flip }: Operand): SlowSet {
  const inside = Array.from({ length: UNIVERSE_SIZE }, (_, k) => spans.some(([from, to]) => from <= k && k <= to));
  const set = new SlowSet(universe, inside);
  return flip ? set.complement() : set;
}

function fastStep(universe: Universe, set: RangeSet, step: Step): RangeSet {
  if (step.op === 'complement') return set.complement();
  if (step.op !== 'add') return set[step.op](fastOperand(universe, step.by));
  const [first, last] = spanned(universe, step.span);
  const builder = new IpSetBuilder();
  builder.of(universe.family).addSet(set);
  builder.addRange(universe.family, wordsOf(universe.family, first), wordsOf(universe.family, last));
  return builder.of(universe.family).build();
}

function slowStep(universe: Universe, set: SlowSet, step: Step): SlowSet {
  if (step.op === 'complement') return set.complement();
  if (step.op === 'add') {
    return set.combine(slowOperand(universe, { spans: [step.span], flip: false }), (a, b) => a || b);
  }
  const rule = {
    union: (a: boolean, b: boolean) => a || b,
    intersect: (a: boolean, b: boolean) => a && b,
    subtract: (a: boolean, b: boolean) => a && !b,
  }[step.op];
  return set.combine(slowOperand(universe, step.by), rule);
}

function wrongAnswers(fast: RangeSet, slow: SlowSet): string[] {
  const wrong: string[] = [];
  for (const [address, held] of slow.answers()) {
    if (fast.hasAt(wordsOf(fast.family, address), 0) !== held) wrong.push(`has(${address}) is not ${held}`);
  }
  return wrong;
}

describe.each(UNIVERSES)('random programs against a boolean array, $name', (universe) => {
  test('ranges, membership, count and invariant after every step', () => {
    fc.assert(
      fc.property(anyProgram, (program) => {
        let fast = setOf(universe.family, []);
        let slow = new SlowSet(universe);
        for (const step of program) {
          fast = fastStep(universe, fast, step);
          slow = slowStep(universe, slow, step);
          expect(brokenInvariant(fast)).toBeUndefined();
          expect(rangesIn(fast)).toEqual(slow.ranges());
          expect(wrongAnswers(fast, slow)).toEqual([]);
          expect(fast.count()).toBe(slow.count());
          expect(fast.equals(setOf(universe.family, slow.ranges()))).toBe(true);
        }
      }),
      runs(80),
    );
  });

  test('equals tells sets apart that differ in one address', () => {
    fc.assert(
      fc.property(anyOperand, fc.nat(UNIVERSE_SIZE - 1), (operand, k) => {
        const slow = slowOperand(universe, operand);
        const other = new SlowSet(universe, [...slow.inside], slow.outside);
        other.inside[k] = !other.inside[k];
        const fast = fastOperand(universe, operand);
        expect(fast.equals(setOf(universe.family, other.ranges()))).toBe(false);
        expect(setOf(universe.family, other.ranges()).equals(fast)).toBe(false);
      }),
      runs(60),
    );
  });

  test('no operation changes its operands', () => {
    fc.assert(
      fc.property(anyOperand, anyOperand, (x, y) => {
        const a = fastOperand(universe, x);
        const b = fastOperand(universe, y);
        a.union(b);
        a.intersect(b);
        a.subtract(b);
        a.complement();
        new IpSetBuilder().of(universe.family).addSet(a);
        expect(rangesIn(a)).toEqual(slowOperand(universe, x).ranges());
        expect(rangesIn(b)).toEqual(slowOperand(universe, y).ranges());
      }),
      runs(60),
    );
  });
});

describe.each(BOTH)('laws over the whole width of $name', (family) => {
  const whole = lastAddress(family) + 1n;
  const anySet = anyRanges(family).map((ranges) => ({ ranges, set: setOf(family, ranges) }));

  function same(left: RangeSet, right: RangeSet): void {
    expect(brokenInvariant(left)).toBeUndefined();
    expect(rangesIn(left)).toEqual(rangesIn(right));
    expect(left.equals(right)).toBe(true);
  }

  test('built ranges are in normal form', () => {
    fc.assert(
      fc.property(anySet, ({ ranges, set }) => {
        expect(rangesIn(set)).toEqual(normal(ranges));
      }),
      runs(200),
    );
  });

  test('double complement, De Morgan, difference', () => {
    fc.assert(
      fc.property(anySet, anySet, ({ set: a }, { set: b }) => {
        same(a.complement().complement(), a);
        same(a.union(b).complement(), a.complement().intersect(b.complement()));
        same(a.intersect(b).complement(), a.complement().union(b.complement()));
        same(a.subtract(b), a.intersect(b.complement()));
        expect(a.subtract(b).intersect(b).size).toBe(0);
        same(a.subtract(b).union(a.intersect(b)), a);
      }),
      runs(120),
    );
  });

  test('union and intersection: commutative, associative, idempotent, distributive', () => {
    fc.assert(
      fc.property(anySet, anySet, anySet, ({ set: a }, { set: b }, { set: c }) => {
        same(a.union(b), b.union(a));
        same(a.intersect(b), b.intersect(a));
        same(a.union(b).union(c), a.union(b.union(c)));
        same(a.intersect(b).intersect(c), a.intersect(b.intersect(c)));
        same(a.union(a), a);
        same(a.intersect(a), a);
        same(a.intersect(b.union(c)), a.intersect(b).union(a.intersect(c)));
      }),
      runs(150),
    );
  });

  test('nothing and everything are neutral or absorb', () => {
    const none = setOf(family, []);
    const all = setOf(family, [[0n, lastAddress(family)]]);
    expect(rangesIn(none.complement())).toEqual([[0n, lastAddress(family)]]);
    expect(rangesIn(all.complement())).toEqual([]);
    expect([none.count(), all.count()]).toEqual([0n, whole]);
    fc.assert(
      fc.property(anySet, ({ set: a }) => {
        for (const kept of [a.union(none), none.union(a), a.subtract(none), a.intersect(all), all.intersect(a)]) {
          same(kept, a);
        }
        for (const empty of [a.intersect(none), none.intersect(a), none.subtract(a), a.subtract(a), a.subtract(all)]) {
          expect(empty.size).toBe(0);
        }
        same(a.union(all), all);
        same(all.subtract(a), a.complement());
      }),
      runs(100),
    );
  });

  test('counts add up', () => {
    fc.assert(
      fc.property(anySet, anySet, (x, y) => {
        const [a, b] = [x.set, y.set];
        expect(a.count()).toBe(normal(x.ranges).reduce((sum, [first, last]) => sum + last - first + 1n, 0n));
        expect(a.count() + b.count()).toBe(a.union(b).count() + a.intersect(b).count());
        expect(a.count() + a.complement().count()).toBe(whole);
        expect(a.subtract(b).count()).toBe(a.count() - a.intersect(b).count());
      }),
      runs(120),
    );
  });

  test('membership at and around every end, against a walk over the ranges', () => {
    fc.assert(
      fc.property(anySet, anySet, fc.array(anyAddress(family), { maxLength: 8 }), (x, y, more) => {
        const ends = [...x.ranges, ...y.ranges].flat();
        const asked = [...ends.flatMap((end) => [end - 1n, end, end + 1n]), ...more];
        const held = (ranges: readonly Range[], a: bigint) => ranges.some(([first, last]) => first <= a && a <= last);
        for (const address of asked.filter((value) => value >= 0n && value < whole)) {
          const words = wordsOf(family, address);
          const [inX, inY] = [held(x.ranges, address), held(y.ranges, address)];
          expect(x.set.hasAt(words, 0)).toBe(inX);
          expect(x.set.union(y.set).hasAt(words, 0)).toBe(inX || inY);
          expect(x.set.intersect(y.set).hasAt(words, 0)).toBe(inX && inY);
          expect(x.set.subtract(y.set).hasAt(words, 0)).toBe(inX && !inY);
          expect(x.set.complement().hasAt(words, 0)).toBe(!inX);
        }
      }),
      runs(60),
    );
  });
});

test.each<[name: string, family: Family, ranges: Range[], share: number]>([
  ['nothing of IPv4', IPV4, [], 0],
  ['nothing of IPv6', IPV6, [], 0],
  ['all of IPv4', IPV4, [[0n, lastAddress(IPV4)]], 1],
  ['all of IPv6', IPV6, [[0n, lastAddress(IPV6)]], 1],
  ['half of IPv4', IPV4, [[1n << 31n, lastAddress(IPV4)]], 0.5],
  ['half of IPv6', IPV6, [[0n, (1n << 127n) - 1n]], 0.5],
  ['an IPv4 /8 and a /9', IPV4, [[10n << 24n, (11n << 24n) + (1n << 23n) - 1n]], 3 / 512],
  ['one IPv4 address', IPV4, [[7n, 7n]], 2 ** -32],
  ['an IPv6 /32', IPV6, [[0x20010db8n << 96n, (0x20010db9n << 96n) - 1n]], 2 ** -32],
  ['an IPv6 /64', IPV6, [[0n, (1n << 64n) - 1n]], 2 ** -64],
])('share: %s', (_name, family, ranges, share) => {
  expect(setOf(family, ranges).share()).toBe(share);
});

describe('IpSet: the two families do not mix', () => {
  const low = { v4: setOf(IPV4, [[1n, 5n]]), v6: setOf(IPV6, [[3n, 9n]]) };
  const high = { v4: setOf(IPV4, [[4n, 8n]]), v6: setOf(IPV6, [[1n, 4n]]) };
  const a = IpSet.of(low.v4, low.v6);
  const b = IpSet.of(high.v4, high.v6);
  const v4Last = lastAddress(IPV4);
  const v6Last = lastAddress(IPV6);

  test.each<[name: string, set: IpSet, v4: Range[], v6: Range[]]>([
    ['union', a.union(b), [[1n, 8n]], [[1n, 9n]]],
    ['intersect', a.intersect(b), [[4n, 5n]], [[3n, 4n]]],
    ['subtract', a.subtract(b), [[1n, 3n]], [[5n, 9n]]],
    ['subtract, the other way', b.subtract(a), [[6n, 8n]], [[1n, 2n]]],
    [
      'complement',
      a.complement(),
      [
        [0n, 0n],
        [6n, v4Last],
      ],
      [
        [0n, 2n],
        [10n, v6Last],
      ],
    ],
    ['empty', IpSet.empty, [], []],
    ['complement of empty', IpSet.empty.complement(), [[0n, v4Last]], [[0n, v6Last]]],
  ])('%s', (_name, set, v4, v6) => {
    expect(rangesIn(set.v4)).toEqual(v4);
    expect(rangesIn(set.v6)).toEqual(v6);
    expect([set.of(IPV4), set.of(IPV6)]).toEqual([set.v4, set.v6]);
    expect([set.v4.family, set.v6.family]).toEqual([IPV4, IPV6]);
  });

  test('equals needs both families', () => {
    expect(a.equals(IpSet.of(setOf(IPV4, [[1n, 5n]]), setOf(IPV6, [[3n, 9n]])))).toBe(true);
    expect(a.equals(IpSet.of(high.v4, low.v6))).toBe(false);
    expect(a.equals(IpSet.of(low.v4, high.v6))).toBe(false);
    expect(setOf(IPV4, []).equals(setOf(IPV6, []))).toBe(false);
  });

  test('count of everything: a number for IPv4, exact for IPv6', () => {
    expect(IpSet.empty.complement().count()).toEqual({ v4: 4_294_967_296, v6: 2n ** 128n });
    expect(IpSet.empty.count()).toEqual({ v4: 0, v6: 0n });
  });

  test('isEmpty needs both families', () => {
    expect([IpSet.empty.isEmpty, a.isEmpty]).toEqual([true, false]);
    expect(IpSet.of(low.v4, setOf(IPV6, [])).isEmpty).toBe(false);
    expect(IpSet.of(setOf(IPV4, []), low.v6).isEmpty).toBe(false);
  });
});
