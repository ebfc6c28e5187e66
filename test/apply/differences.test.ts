import { beforeAll, describe, expect, test } from 'vitest';
import type { Artefact } from '../../src/apply/artefact.js';
import { type LocalContent, setDifferences, structureDifferences } from '../../src/apply/differences.js';
import { parsePrefix } from '../../src/ip/index.js';
import { artefactOf } from './artefacts.js';
import { chain, PASS, parsed, replaced, rule, set, table } from './listing.js';

const INWARD = ['45.9.20.7', '60.1.2.3', '91.200.1.0/24', '2a0d:f302::1'];
const NO_LOCAL: LocalContent = new Map();

let artefact: Artefact;
beforeAll(async () => {
  artefact = await artefactOf(INWARD);
});

function sets(objects: readonly object[], local = NO_LOCAL) {
  return setDifferences({ artefact, local }, parsed(objects));
}

function structure(objects: readonly object[]) {
  return structureDifferences(artefact, parsed(objects));
}

test('none when the kernel holds exactly the artefact, whether under its first or its second names', () => {
  for (const objects of [table(), table(undefined, { nodes4: 'nodes4_b', nets6: 'nets6_b' })]) {
    expect(sets(objects)).toEqual([]);
    expect(structure(objects)).toEqual({
      words: [],
      misplaced: [],
      otherKind: [],
      foreign: { chains: [], sets: [] },
    });
  }
});

describe('addresses', () => {
  test('in elements of another shape are the same', () => {
    expect(sets(table([{ range: ['91.200.1.0', '91.200.1.255'] }]))).toEqual([]);
    const halves = [{ prefix: { addr: '91.200.1.128', len: 25 } }, { prefix: { addr: '91.200.1.0', len: 25 } }];
    expect(sets(table(halves))).toEqual([]);
  });

  test('are counted both ways', () => {
    expect(sets(table([{ prefix: { addr: '91.200.0.0', len: 23 } }]))).toEqual([
      { name: 'nets4', missing: 0n, extra: 256n },
    ]);
    expect(sets(table([{ prefix: { addr: '91.200.1.0', len: 26 } }, '9.0.0.1']))).toEqual([
      { name: 'nets4', missing: 192n, extra: 1n },
    ]);
  });

  test('of an absent set are missing', () => {
    expect(sets(replaced('set', 'nets4'))).toEqual([{ name: 'nets4', missing: 256n, extra: 0n }]);
  });

  test('whose end is a moment away may be there or not, on either side', () => {
    const wish = (text: string, seconds?: number) => ({ prefix: parsePrefix(text), seconds });
    const timed = (val: string, expires: number) => ({ elem: { val, timeout: 60, expires } });
    const ban4 = (elem: readonly unknown[]) =>
      replaced('set', 'ban4', set('ban4', 'ipv4_addr', ['interval', 'timeout'], elem));
    const local: LocalContent = new Map([['ban4', [wish('62.1.1.1'), wish('62.1.1.2', 40), wish('62.1.1.3', 2)]]]);
    expect(sets(ban4(['62.1.1.1', timed('62.1.1.2', 40)]), local)).toEqual([]);
    expect(sets(ban4(['62.1.1.1', timed('62.1.1.2', 40), timed('62.1.1.9', 3)]), local)).toEqual([]);
    expect(sets(ban4(['62.1.1.1', timed('62.1.1.3', 2)]), local)).toEqual([{ name: 'ban4', missing: 1n, extra: 0n }]);
    expect(sets(ban4(['62.1.1.1', timed('62.1.1.2', 40), timed('62.1.1.9', 30), '62.1.1.8']), local)).toEqual([
      { name: 'ban4', missing: 0n, extra: 2n },
    ]);
  });

  test('of a set that no rule looks at count for nothing', () => {
    const second = table(undefined, { nets4: 'nets4_b' });
    expect(sets([...second, set('nets4', 'ipv4_addr', ['interval'], ['9.0.0.1'])])).toEqual([]);
    expect(sets([...table(), set('nets4_b', 'ipv4_addr', ['interval'], ['9.0.0.1'])])).toEqual([]);
  });

  test('of host-local sets are compared, whatever time they have left', () => {
    const one = (text: string, seconds?: number) => [{ prefix: parsePrefix(text), seconds }];
    const local: LocalContent = new Map([
      ['allow4', one('9.0.0.1')],
      ['ban4', one('9.1.0.0/16', 60)],
      ['ban6', []],
    ]);
    expect(sets(table(), local)).toEqual([
      { name: 'allow4', missing: 1n, extra: 0n },
      { name: 'ban4', missing: 65_536n, extra: 0n },
    ]);
    const timed = { elem: { val: { prefix: { addr: '9.1.0.0', len: 16 } }, timeout: 90, expires: 7 } };
    const kinds = ['interval', 'timeout'];
    const filled = [
      ...table(),
      set('allow4', 'ipv4_addr', kinds, ['9.0.0.1']),
      set('ban4', 'ipv4_addr', kinds, [timed]),
    ];
    expect(sets(filled, local)).toEqual([]);
    expect(sets([...filled, set('ban6', 'ipv6_addr', kinds, ['2a02::1'])], local)).toEqual([
      { name: 'ban6', missing: 0n, extra: 1n },
    ]);
  });
});

describe('structure', () => {
  test('an absent set is named even when it should be empty, and a foreign one, too', () => {
    expect(structure(replaced('set', 'nets6')).words).toEqual(['set nets6: expected ipv6_addr interval, found absent']);
    expect(structure(replaced('set', 'ban6')).words).toEqual([
      'set ban6: expected ipv6_addr interval timeout, found absent',
    ]);
    expect(structure([...table(), set('mine', 'ipv4_addr', [], ['9.0.0.1'])])).toEqual({
      words: ['set mine: expected absent, found ipv4_addr'],
      misplaced: [],
      otherKind: [],
      foreign: { chains: [], sets: ['mine'] },
    });
  });

  test('a second set that no rule looks at is foreign', () => {
    expect(structure([...table(), set('nodes4_b', 'ipv4_addr', [])]).foreign.sets).toEqual(['nodes4_b']);
    const second = table(undefined, { nodes4: 'nodes4_b' });
    expect(structure([...second, set('nodes4', 'ipv4_addr', [])]).foreign.sets).toEqual(['nodes4']);
  });

  test('chains: absent, foreign, elsewhere, with another policy or number of rules', () => {
    const wanted = 'chain early: expected prerouting -310 accept, 5 rules, found';
    const elsewhere = [
      [{ policy: 'drop' }, 'prerouting -310 drop'],
      [{ prio: 0 }, 'prerouting 0 accept'],
      [{ hook: 'input' }, 'input -310 accept'],
    ] as const;
    for (const [change, found] of elsewhere) {
      const { words, misplaced } = structure(replaced('chain', 'early', chain('early', change)));
      expect([words, misplaced]).toEqual([[`${wanted} ${found}, 5 rules`], ['early']]);
    }
    const other = structure(replaced('chain', 'early', chain('other')));
    expect(other.words).toEqual([
      `${wanted} absent`,
      'chain other: expected absent, found prerouting -310 accept, 0 rules',
    ]);
    expect([other.misplaced, other.foreign.chains]).toEqual([[], ['other']]);
    const more = structure([...table(), rule('early')]);
    expect([more.words, more.misplaced]).toEqual([[`${wanted} prerouting -310 accept, 6 rules`], []]);
  });

  test('as many rules that do something else, or the same in another order', () => {
    const objects = table().map((object) =>
      JSON.stringify(object).includes('"dropped"}') ? rule('listed', PASS) : object,
    );
    expect(structure(objects).words).toEqual([
      'chain listed: rule 6 should be "counter dropped, jump target dropping", is "accept null"',
    ]);
    const at = table().findIndex((object) => JSON.stringify(object).includes('@allow4'));
    const [allow4 = {}, allow6 = {}, ban4 = {}] = table().slice(at);
    const swapped = table();
    swapped.splice(at, 3, ban4, allow4, allow6);
    expect(structure(swapped).words).toEqual([
      'chain early: rule 1 should be "ip saddr @allow4, return null", is "ip saddr @ban4, jump target listed"',
    ]);
  });

  test('another interface that is passed by is another rule', async () => {
    const skipping = await artefactOf(INWARD, undefined, { skipInterfaces: ['wg0'] });
    const at = table().findIndex((object) => JSON.stringify(object).includes('@allow4'));
    const passing = (right: string) =>
      rule('early', { match: { op: '==', left: { meta: { key: 'iifname' } }, right } }, { return: null });
    const words = (right: string) =>
      structureDifferences(skipping, parsed(table().toSpliced(at, 0, passing(right)))).words;
    expect(words('wg0')).toEqual([]);
    expect(words('wg1')).toEqual([expect.stringContaining('chain early: rule 1 should be')]);
  });

  test('a flag of the table, a set of another type, a set that is no set of addresses', () => {
    const dormant = { table: { family: 'inet', name: 'blocklist', flags: ['dormant'] } };
    expect(structure(replaced('table', 'blocklist', dormant)).words).toEqual([
      'the table has a flag set (dormant?): none of its rules is asked',
    ]);
    const interval = structure(replaced('set', 'nodes4', set('nodes4', 'ipv4_addr', ['interval'])));
    expect(interval.words).toEqual(['set nodes4: expected ipv4_addr, found ipv4_addr interval']);
    expect(interval.otherKind).toEqual(['nodes4']);
    const timeless = structure(replaced('set', 'ban4', set('ban4', 'ipv4_addr', ['interval'])));
    expect(timeless.words).toEqual(['set ban4: expected ipv4_addr interval timeout, found ipv4_addr interval']);
    expect(timeless.otherKind).toEqual(['ban4']);
    const seen = structure(replaced('set', 'seen4', set('seen4', 'ipv4_addr', [])));
    expect(seen.words).toEqual(['set seen4: expected ipv4_addr timeout, found ipv4_addr']);
    expect(seen.otherKind).toEqual(['seen4']);
    for (const flags of [['timeout'], ['timeout', 'dynamic'], ['dynamic', 'timeout']]) {
      expect(structure(replaced('set', 'seen4', set('seen4', 'ipv4_addr', flags))).words, flags.join()).toEqual([]);
    }
    expect(structure([...table(), set('ports', 'inet_service', [], [22])])).toMatchObject({
      words: ['set ports: expected absent, found inet_service'],
      otherKind: [],
      foreign: { sets: ['ports'] },
    });
  });

  test('outbound sets and their chains are expected when the artefact has them, and only then', async () => {
    const outward = await artefactOf(INWARD, ['77.91.64.0/22']);
    const live = parsed(table());
    expect(setDifferences({ artefact: outward, local: NO_LOCAL }, live)).toEqual([
      { name: 'out_nets4', missing: 1024n, extra: 0n },
    ]);
    expect(structureDifferences(outward, live).words).toEqual([
      'chain listed_out: expected no hook, 6 rules, found absent',
      'chain outbound: expected no hook, 4 rules, found absent',
      'chain forwarded: expected prerouting -310 accept, 3 rules, found absent',
      'chain outward: expected output -310 accept, 3 rules, found absent',
      'set out_nodes4: expected ipv4_addr, found absent',
      'set out_nets4: expected ipv4_addr interval, found absent',
      'set out_nodes6: expected ipv6_addr, found absent',
      'set out_nets6: expected ipv6_addr interval, found absent',
    ]);
    expect(structure([...table(), chain('outward', { hook: 'output' }), set('out_nodes4', 'ipv4_addr', [])])).toEqual({
      words: [
        'chain outward: expected absent, found output -310 accept, 0 rules',
        'set out_nodes4: expected absent, found ipv4_addr',
      ],
      misplaced: [],
      otherKind: [],
      foreign: { chains: ['outward'], sets: ['out_nodes4'] },
    });
  });
});
