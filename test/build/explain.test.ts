import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { build } from '../../src/build/build.js';
import { explain } from '../../src/build/explain.js';
import { entryOf, formatPrefix, IpSet, parsePrefix, partIn } from '../../src/ip/index.js';
import type { Density, Loaded } from '../../src/sources/contract.js';
import type { Holding } from '../../src/sources/holding.js';
import { runs } from '../ip/arbitraries.js';
import { DIRECTIONS, inputOf, source, textOf } from './inputs.js';

/** What a build has of a source, to be asked; listed since day 10 and seen on day 20 last, also what is in `gone`. */
function holding({ set, nodes, ...rest }: Loaded, gone: IpSet = IpSet.empty): Holding {
  return {
    ...rest,
    partOf: (block) => {
      const part = partIn(set, block);
      return part.isEmpty ? undefined : { set: part, nodes: partIn(nodes, block) };
    },
    entryOf: (block) => entryOf(set, block),
    daysOf: (address) => (set.union(gone).has(address) ? { first: 10, last: 20 } : undefined),
    detailsOf: (address) => (set.has(address) ? [`details of ${rest.id}`] : []),
  };
}

const ask = (text: string, sources: readonly Loaded[], ofAll?: Density) =>
  explain(
    parsePrefix(text),
    sources.map((each) => holding(each)),
    ofAll,
  );

describe('an address', () => {
  const sources = [source('a', ['45.9.1.7', '45.9.2.0/24']), source('b', ['45.9.0.0/16']), source('c', ['2a0a::/32'])];

  test('who lists it, with its entry, days and details, in the order of the sources', () => {
    const { listings, left, dense } = ask('45.9.1.7', sources);
    const rows = listings.map((each) => [
      each.source.id,
      each.entry && formatPrefix(each.entry),
      each.days,
      each.details,
    ]);
    expect(rows).toEqual([
      ['a', '45.9.1.7', { first: 10, last: 20 }, ['details of a']],
      ['b', '45.9.0.0/16', { first: 10, last: 20 }, ['details of b']],
    ]);
    expect([left, dense]).toEqual([[], []]);
  });

  test('nobody lists it', () => {
    const { listings, listed } = ask('45.10.1.7', sources);
    expect([listings, listed.in.isEmpty, listed.out.isEmpty]).toEqual([[], true, true]);
  });

  test('who listed it before, and does no more', () => {
    const gone = holding(source('was', ['45.9.9.9']), IpSet.from(['45.9.1.7']));
    expect(explain(parsePrefix('45.9.1.7'), [gone], undefined).left).toEqual([
      { id: 'was', days: { first: 10, last: 20 } },
    ]);
    // Of a net that would be as many as it has addresses.
    expect(explain(parsePrefix('45.9.1.0/24'), [gone], undefined).left).toEqual([]);
  });

  test.each(DIRECTIONS)('a source of direction %s lists it on these sides', (direction) => {
    const { listed } = ask('45.9.1.7', [source('a', ['45.9.1.7'], { direction })]);
    expect(listed.in.isEmpty).toBe(direction === 'out');
    expect(listed.out.isEmpty).toBe(direction === 'in');
  });
});

describe('a net', () => {
  test('how much of it each source has; an entry only where one has all of it', () => {
    const sources = [source('a', ['45.9.1.7', '45.9.2.0/24']), source('b', ['45.9.0.0/15'])];
    const { listings } = ask('45.9.0.0/16', sources);
    expect(listings.map(({ part, entry, days }) => [textOf(part), entry && formatPrefix(entry), days])).toEqual([
      [['45.9.1.7', '45.9.2.0/24'], undefined, undefined],
      [['45.9.0.0/16'], '45.8.0.0/15', { first: 10, last: 20 }],
    ]);
  });
});

describe('nets by density', () => {
  const nodes = ['45.9.1.1', '45.9.1.3', '45.9.1.5'];
  const rule: Density = { v4: { prefix: 24, 'at-least': 3 } };

  test('an address that nobody lists, in a net of which three are listed', () => {
    const { listings, dense, listed } = ask('45.9.1.200', [source('a', nodes, { density: rule })]);
    expect(listings).toEqual([]);
    expect(dense).toMatchObject([{ source: 'a', nodes: 3 }]);
    expect(textOf(listed.in)).toEqual(['45.9.1.200']);
  });

  test('two sources together', () => {
    const sources = [source('a', nodes.slice(0, 2)), source('b', nodes.slice(2))];
    expect(ask('45.9.1.200', sources, rule).dense).toMatchObject([{ source: 'all', nodes: 3 }]);
    expect(ask('45.9.1.200', sources).dense).toEqual([]);
    expect(ask('45.9.2.200', sources, rule).dense).toEqual([]);
  });

  test('sources of different sides do not count together', () => {
    const sources = [source('a', nodes.slice(0, 2)), source('b', nodes.slice(2), { direction: 'out' })];
    expect(ask('45.9.1.200', sources, rule).dense).toEqual([]);
  });
});

/** Entries in a few neighbouring nets, so that they meet. */
const anyEntry = fc.oneof(
  fc.tuple(fc.nat(3), fc.nat(15)).map(([net, host]) => `45.9.${net}.${host * 3}`),
  fc.tuple(fc.nat(3), fc.integer({ min: 23, max: 30 })).map(([net, length]) => `45.9.${net}.0/${length}`),
  fc.tuple(fc.nat(3), fc.nat(15)).map(([net, host]) => `2a0a:0:0:${net}::${host}`),
);
const anyDensity = fc.option(
  fc.record({
    v4: fc.record({ prefix: fc.constantFrom(24, 26, 28), 'at-least': fc.integer({ min: 2, max: 6 }) }),
    v6: fc.record({ prefix: fc.constantFrom(64, 80), 'at-least': fc.integer({ min: 2, max: 6 }) }),
  }),
  { nil: undefined },
);
const anySources = fc
  .array(fc.tuple(fc.array(anyEntry, { minLength: 1, maxLength: 12 }), fc.constantFrom(...DIRECTIONS), anyDensity), {
    minLength: 1,
    maxLength: 5,
  })
  .map((rows) =>
    rows.map(([entries, direction, density], i) =>
      source(`s${i}`, entries, { direction, ...(density === undefined ? {} : { density }) }),
    ),
  );
const anyQuestion = fc.oneof(
  fc
    .tuple(fc.nat(3), fc.nat(255), fc.integer({ min: 20, max: 32 }))
    .map(([net, host, length]) => ({ text: `45.9.${net}.${host}`, length })),
  fc
    .tuple(fc.nat(3), fc.nat(20), fc.integer({ min: 60, max: 128 }))
    .map(([net, host, length]) => ({ text: `2a0a:0:0:${net}::${host}`, length })),
);

test('what is listed of a block is what a build would block of it, and who lists it are those whose sets have it', () => {
  fc.assert(
    fc.property(anySources, anyDensity, anyQuestion, (sources, density, { text, length }) => {
      const [block] = [...IpSet.from([`${text}/${length}`]).prefixes()];
      const { listings, listed } = explain(
        block!,
        sources.map((each) => holding(each)),
        density,
      );
      const built = build(inputOf(sources, density === undefined ? {} : { density }));
      expect(textOf(listed.in)).toEqual(textOf(partIn(built.blocked.in, block!)));
      expect(textOf(listed.out)).toEqual(textOf(partIn(built.blocked.out, block!)));
      const whole = IpSet.from([block!]);
      const expected = sources.filter(({ set }) => !set.intersect(whole).isEmpty).map(({ id }) => id);
      expect(listings.map((each) => each.source.id)).toEqual(expected);
    }),
    runs(300),
  );
});
