import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { build, sourcesOf } from '../../src/build/build.js';
import { IpSet } from '../../src/ip/index.js';
import { DIRECTIONS, inputOf, source } from './inputs.js';

/** 32 addresses each, so that a set can be a list of numbers and every question be answered by looking. */
const UNIVERSES = [
  ['IPv4', (n: number) => `198.18.7.${n}`],
  ['IPv6', (n: number) => `2001:db8::${n.toString(16)}`],
  ['IPv4 at the end', (n: number) => `255.255.255.${224 + n}`],
] as const;
const SIZE = 32;

const members = fc.uniqueArray(fc.nat(SIZE - 1), { maxLength: SIZE });
const sources = fc.array(fc.record({ members, direction: fc.constantFrom(...DIRECTIONS) }), {
  minLength: 1,
  maxLength: 5,
});

describe.each(UNIVERSES)('against a slow twin that looks at every address of %s', (_, textOf) => {
  const all = Array.from({ length: SIZE }, (__, n) => n);
  const texts = (numbers: readonly number[]) => numbers.map(textOf);
  const inside = (set: IpSet) => all.filter((n) => set.has(textOf(n)));

  test('what is blocked, what is unique, and who brought it', () => {
    fc.assert(
      fc.property(sources, members, members, (given, never, allowed) => {
        const isFree = (n: number) => never.includes(n) || allowed.includes(n);
        const blockedBy = (side: 'in' | 'out') =>
          all.filter(
            (n) =>
              !isFree(n) &&
              given.some((each) => (each.direction === side || each.direction === 'both') && each.members.includes(n)),
          );
        const expected = { in: blockedBy('in'), out: blockedBy('out') };
        fc.pre(expected.in.length + expected.out.length > 0);

        const loaded = given.map((each, i) => source(`s${i}`, texts(each.members), { direction: each.direction }));
        const input = { neverBlock: IpSet.from(texts(never)), allow: IpSet.from(texts(allowed)) };
        const built = build(inputOf(loaded, input));

        expect({ in: inside(built.blocked.in), out: inside(built.blocked.out) }).toEqual(expected);
        const count = built.blocked.in.count();
        expect(Number(count.v4) + Number(count.v6)).toBe(expected.in.length);
        expect('out' in built.sets).toBe(expected.out.length > 0);
        given.forEach((each, i) => {
          const unique = each.members.filter(
            (n) => !isFree(n) && given.every((other, k) => k === i || !other.members.includes(n)),
          );
          const share = built.shares[i]!;
          expect(Number(share.unique.v4) + Number(share.unique.v6)).toBe(unique.length);
          expect(Number(share.addresses.v4) + Number(share.addresses.v6)).toBe(each.members.length);
        });
        for (const n of all) {
          const ids = given.flatMap((each, i) => (each.members.includes(n) ? [`s${i}`] : []));
          expect(sourcesOf(built.provenance, textOf(n))).toEqual(ids);
        }
      }),
      { numRuns: 300, seed: 20_260_822 },
    );
  });
});
