import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gatherDisjoint } from '../../src/ip/disjoint.js';
import { anyRanges, runs } from './arbitraries.js';
import { BOTH, normal, type Range, setOf, valueAt } from './oracle.js';

describe.each(BOTH)('$name', (family) => {
  /** Ranges with nothing in common, each given to one of five sets. */
  const dealt = fc
    .tuple(anyRanges(family, 24), fc.array(fc.nat(4), { minLength: 24, maxLength: 24 }))
    .map(([given, owners]) => normal(given).map((range, i) => ({ range, owner: owners[i]! })));

  test('sets without anything in common: every range with its owner, in order', () => {
    fc.assert(
      fc.property(dealt, (rows) => {
        const sets = [0, 1, 2, 3, 4].map((owner) =>
          setOf(
            family,
            rows.filter((row) => row.owner === owner).map(({ range }) => range),
          ),
        );
        const found = gatherDisjoint(family, sets)!;
        const w = family.words;
        const gathered = Array.from(found.owner, (owner, r) => ({
          range: [valueAt(found.lo, r, w), valueAt(found.hi, r, w)] as Range,
          owner,
        }));
        expect(gathered).toEqual(rows);
      }),
      runs(200),
    );
  });

  test('undefined as soon as two have an address in common, also the last one of all', () => {
    fc.assert(
      fc.property(dealt, fc.nat(23), fc.boolean(), (rows, pick, atEnd) => {
        fc.pre(rows.length > 0);
        const { range } = rows[pick % rows.length]!;
        const shared = atEnd ? range[1] : range[0];
        const sets = [
          setOf(
            family,
            rows.map((row) => row.range),
          ),
          setOf(family, [[shared, shared]]),
        ];
        expect(gatherDisjoint(family, sets)).toBeUndefined();
      }),
      runs(200),
    );
  });

  test('no set, and empty ones', () => {
    expect(gatherDisjoint(family, [])?.owner.length).toBe(0);
    expect(gatherDisjoint(family, [setOf(family, []), setOf(family, [[1n, 2n]])])?.owner).toEqual(Uint32Array.of(1));
  });
});
