import { describe, expect, test } from 'vitest';
import type { Content } from '../../src/apply/differences.js';
import { hasMovesIntoNets, type Plan, planOf, type SetChange } from '../../src/apply/plan.js';
import { fourSets, IpSet, prefixLines } from '../../src/ip/index.js';
import { DIGEST, OUR_TABLE, parsed, replaced, rule, set, state, table } from './listing.js';

const OTHER = `sha256:${'0b'.repeat(32)}`;

function content(digest: string, inward: readonly string[], outward?: readonly string[]): Content {
  const out = outward === undefined ? {} : { out: fourSets(IpSet.from(outward)) };
  return { digest, sets: { in: fourSets(IpSet.from(inward)), ...out } };
}

/** Changes in words: `nodes4 +9.0.0.1 -9.0.0.2`. */
function words(changes: readonly SetChange[] | undefined): string[] | undefined {
  const lines = (prefixes: SetChange['added'], sign: string) =>
    Buffer.from(prefixLines(prefixes, { before: ` ${sign}`, after: '' })).toString();
  return changes?.map(({ name, added, removed }) => `${name}${lines(added, '+')}${lines(removed, '-')}`);
}

/** Ten nodes that stand in no net, as lines. */
const NODES = Array.from({ length: 10 }, (_, i) => `45.9.20.${i * 2}`);
const BASE = content(DIGEST, NODES);
const live = parsed(table());

function planned(artefact: Content, base: Content | undefined = BASE, kernel = live): Plan {
  return planOf(artefact, { live: kernel, base });
}

function full(plan: Plan): string {
  return plan.kind === 'full' ? plan.why : `not full: ${plan.kind}`;
}

describe('nothing', () => {
  test('when digest, chains and kinds of sets are those of the artefact, also under second names', () => {
    expect(planned(BASE)).toEqual({ kind: 'nothing' });
    expect(planned(BASE, BASE, parsed(table(undefined, { nodes4: 'nodes4_b' })))).toEqual({ kind: 'nothing' });
    expect(planned(BASE, undefined)).toEqual({ kind: 'nothing' });
  });

  test('not when a rule is changed, although the digest is right', () => {
    expect(full(planned(BASE, BASE, parsed([...table(), rule('early')])))).toContain('chain early: expected');
    expect(full(planned(BASE, BASE, parsed([...table(), set('mine', 'ipv4_addr', [])])))).toContain('set mine');
  });
});

describe('full, with why', () => {
  const next = content(OTHER, [...NODES, '60.0.0.1']);
  const digest = (comment: string) => parsed([...replaced('set', 'state'), state(comment)]);

  test('nothing of ours is loaded', () => {
    expect(planOf(next, { live: undefined, base: BASE })).toEqual({
      kind: 'full',
      why: 'nothing of ours is loaded',
      changes: undefined,
    });
  });

  test('what is loaded has no digest of this version: cut off, by hand, of another layout', () => {
    const why = 'what is loaded was not completed, or not by this version';
    for (const kernel of [
      digest('blocklist layout 3 changing'),
      digest(`blocklist layout 2 ${DIGEST}`),
      parsed(replaced('set', 'state')),
      parsed([OUR_TABLE]),
    ]) {
      expect(planOf(next, { live: kernel, base: undefined })).toEqual({ kind: 'full', why, changes: undefined });
    }
  });

  test('chains, rules or kinds of sets were altered: all of them are named', () => {
    const altered = parsed([...replaced('set', 'nets6'), rule('listed')]);
    expect(full(planned(next, BASE, altered))).toBe(
      'chain listed: expected no hook, 6 rules, found no hook, 7 rules; set nets6: expected ipv6_addr interval, found absent',
    );
  });

  test('the artefact that is loaded was not kept', () => {
    expect(planOf(next, { live, base: undefined })).toEqual({
      kind: 'full',
      why: 'the artefact that is loaded was not kept here',
      changes: undefined,
    });
  });

  test('the artefact has outbound sets and the kernel has none, or the other way round', () => {
    expect(full(planned(content(OTHER, NODES, ['9.0.0.1'])))).toContain('chain outward: expected');
    const outward = parsed([...table(), set('out_nodes4', 'ipv4_addr', [])]);
    expect(full(planned(next, content(DIGEST, NODES, ['9.0.0.1']), outward))).toContain(
      'set out_nodes4: expected absent',
    );
  });

  test('more than half of the single addresses changed; the changes are known', () => {
    const lines = Array.from({ length: 1100 }, (_, i) => `31.${i >> 7}.${(i & 127) * 2}.1`);
    const plan = planned(content(OTHER, lines));
    expect(full(plan)).toBe('more than half of the single addresses changed');
    const sizes = plan.kind === 'full' ? plan.changes?.map(({ added, removed }) => [added.size, removed.size]) : [];
    expect(sizes).toEqual([[1100, 10]]);
  });
});

describe('delta', () => {
  const delta = (plan: Plan) => (plan.kind === 'delta' ? words(plan.changes) : plan);

  test('names what came and went in each set that changed', () => {
    const base = content(DIGEST, [...NODES, '91.200.0.0/24', '2a02::1']);
    const next = content(OTHER, [...NODES.slice(1), '60.0.0.1', '91.200.0.0/23', '2a02::1', '2a03::/32']);
    expect(delta(planned(next, base))).toEqual([
      'nodes4 +60.0.0.1 -45.9.20.0',
      'nets4 +91.200.0.0/23 -91.200.0.0/24',
      'nets6 +2a03::/32',
    ]);
  });

  /** Nodes of which none touch; another `from` gives others. */
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => `31.${(from + i) >> 7}.${((from + i) & 127) * 2}.1`);

  test('up to half of the single addresses of the artefact, both ways counted', () => {
    const base = content(DIGEST, many(3000));
    expect(planned(content(OTHER, many(3000, 750)), base).kind).toBe('delta');
    expect(planned(content(OTHER, many(3001, 750)), base).kind).toBe('full');
    // Two thirds remain: a third of what was is half of what is.
    expect(planned(content(OTHER, many(2000, 1000)), base).kind).toBe('delta');
    expect(planned(content(OTHER, many(1999, 1001)), base).kind).toBe('full');
    expect(planned(content(OTHER, many(6000)), base).kind).toBe('delta');
    expect(planned(content(OTHER, many(6001)), base).kind).toBe('full');
  });

  test('of few it does not matter: a thousand are a delta whatever the share', () => {
    expect(planned(content(OTHER, ['60.0.0.1'])).kind).toBe('delta');
    const base = content(DIGEST, many(1000));
    expect(planned(content(OTHER, many(1000, 500)), base).kind).toBe('delta');
    expect(planned(content(OTHER, many(1001, 500)), base).kind).toBe('full');
  });

  test('nets do not count: they are refilled anyway', () => {
    const nets = Array.from({ length: 1500 }, (_, i) => `${91 + (i >> 7)}.${(i & 127) * 2}.0.0/16`);
    expect(planned(content(OTHER, [...NODES, ...nets])).kind).toBe('delta');
  });

  test('another digest of the same sets changes nothing but the digest', () => {
    expect(planned(content(OTHER, NODES))).toEqual({ kind: 'delta', changes: [], transactions: 1 });
  });

  test('two transactions only where an address moves from a node into a net', () => {
    const base = content(DIGEST, [...NODES, '91.200.0.0/24', '60.0.0.1']);
    const plan = (lines: readonly string[]) => planned(content(OTHER, [...NODES, ...lines]), base);
    expect(plan(['91.200.0.0/24', '60.0.0.0/31'])).toMatchObject({ kind: 'delta', transactions: 2 });
    expect(plan(['91.200.0.0/24', '60.0.0.4/31'])).toMatchObject({ kind: 'delta', transactions: 1 });
    // From a net to a node, and away from both.
    expect(plan(['91.200.0.1', '60.0.0.1'])).toMatchObject({ kind: 'delta', transactions: 1 });
    expect(plan(['91.200.0.0/24'])).toMatchObject({ kind: 'delta', transactions: 1 });
  });

  test('compares with what was loaded, wherever the rules look', () => {
    const second = parsed(table(undefined, { nodes4: 'nodes4_b', nets4: 'nets4_b' }));
    expect(delta(planned(content(OTHER, [...NODES, '60.0.0.1']), BASE, second))).toEqual(['nodes4 +60.0.0.1']);
  });
});

describe('hasMovesIntoNets', () => {
  function moves(
    before: readonly string[],
    after: readonly string[],
    outward: { before?: string[]; after?: string[] } = {},
  ) {
    const from = content(DIGEST, before, outward.before);
    const to = content(OTHER, after, outward.after);
    const objects = outward.after === undefined ? live : undefined;
    const plan = objects === undefined ? undefined : planned(to, from);
    const changes = plan === undefined || plan.kind === 'nothing' ? undefined : plan.changes;
    return hasMovesIntoNets(to.sets, changes ?? []);
  }

  test.each([
    ['a node that a new net covers', ['9.0.0.7'], ['9.0.0.0/24'], true],
    ['a node that a wider net covers', ['9.0.0.0', '9.0.1.0/24'], ['9.0.0.0/23'], true],
    ['an IPv6 node', ['2a02::1'], ['2a02::/64'], true],
    ['one of many', [...NODES, '9.0.0.7'], [...NODES, '9.0.0.0/24'], true],
    ['a node that only went', ['9.0.0.7', ...NODES], NODES, false],
    ['a net that came elsewhere', ['9.0.0.7', ...NODES], [...NODES, '9.0.1.0/24'], false],
    ['a net that fell apart into nodes', ['9.0.0.6/31'], ['9.0.0.7'], false],
    ['a net within a wider one', ['9.0.0.0/25'], ['9.0.0.0/24'], false],
    ['nothing', NODES, NODES, false],
  ])('%s', (_what, before, after, expected) => {
    expect(moves(before, after)).toBe(expected);
  });

  test('of one side into the nets of the other are none', () => {
    const to = content(OTHER, ['9.0.0.0/24'], ['9.0.0.0/24']).sets;
    const removed = fourSets(IpSet.from(['9.0.0.7'])).nodes4;
    const added = fourSets(IpSet.empty).nodes4;
    expect(hasMovesIntoNets(to, [{ name: 'out_nodes4', added, removed }])).toBe(true);
    const inwardOnly = content(OTHER, ['9.0.0.0/24'], []).sets;
    expect(hasMovesIntoNets(inwardOnly, [{ name: 'out_nodes4', added, removed }])).toBe(false);
    expect(hasMovesIntoNets(inwardOnly, [{ name: 'nodes4', added, removed }])).toBe(true);
    // A side that is not there any more has no nets to move into.
    expect(hasMovesIntoNets(content(OTHER, ['9.0.0.0/24']).sets, [{ name: 'out_nodes4', added, removed }])).toBe(false);
  });
});
