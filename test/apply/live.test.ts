import { beforeAll, describe, expect, test } from 'vitest';
import type { Artefact } from '../../src/apply/artefact-store.js';
import { differences, parseTable } from '../../src/apply/live.js';
import { IpSet } from '../../src/ip/index.js';
import { artefactOf, refusal } from './artefacts.js';

const PLACE = { family: 'inet', table: 'blocklist' };

function rule(chain: string): object {
  return { rule: { ...PLACE, chain, handle: 9, expr: [{ drop: null }] } };
}

/** What nft 1.0.6 prints with -j for a table of ours, but for the rules' expressions. */
function table(nets4: readonly unknown[] = [{ prefix: { addr: '91.200.1.0', len: 24 } }]): object[] {
  return [
    { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } },
    { table: { family: 'inet', name: 'blocklist', handle: 2 } },
    { counter: { ...PLACE, name: 'dropped', handle: 1, packets: 3, bytes: 252 } },
    { set: { ...PLACE, name: 'nodes4', type: 'ipv4_addr', handle: 2, elem: ['45.9.20.7', '60.1.2.3'] } },
    { set: { ...PLACE, name: 'nets4', type: 'ipv4_addr', handle: 3, flags: ['interval'], elem: nets4 } },
    { set: { ...PLACE, name: 'nodes6', type: 'ipv6_addr', handle: 4, elem: ['2a0d:f302::1'] } },
    { set: { ...PLACE, name: 'nets6', type: 'ipv6_addr', handle: 5, flags: ['interval'] } },
    { set: { ...PLACE, name: 'state', type: 'mark', handle: 31, comment: 'blocklist layout 1 sha256:00' } },
    { chain: { ...PLACE, name: 'listed', handle: 10 } },
    {
      chain: { ...PLACE, name: 'early', handle: 11, type: 'filter', hook: 'prerouting', prio: -310, policy: 'accept' },
    },
    ...['listed', 'listed', 'listed', 'listed', 'early', 'early', 'early', 'early'].map(rule),
  ];
}

function parsed(objects: readonly object[]) {
  return parseTable(JSON.stringify({ nftables: objects }));
}

describe('parseTable', () => {
  test('takes plain elements, blocks and ranges', () => {
    const live = parsed(
      table(['9.0.0.1', { prefix: { addr: '91.200.1.0', len: 24 } }, { range: ['80.0.0.16', '80.0.0.20'] }]),
    );
    expect([...live.sets.keys()]).toEqual(['nodes4', 'nets4', 'nodes6', 'nets6']);
    const expected = IpSet.from(['9.0.0.1', '91.200.1.0/24', '80.0.0.16/30', '80.0.0.20']);
    expect(live.sets.get('nets4')?.equals(expected)).toBe(true);
    expect(live.sets.get('nodes4')?.count().v4).toBe(2);
    expect(live.sets.get('nodes6')?.has('2a0d:f302::1')).toBe(true);
    expect(live.sets.get('nets6')?.isEmpty).toBe(true);
  });

  test('takes blocks and ranges of IPv6', () => {
    const objects = [
      { set: { ...PLACE, name: 'nets6', type: 'ipv6_addr', elem: [{ range: ['2a02::1', '2a02::4'] }] } },
      { set: { ...PLACE, name: 'more', type: 'ipv6_addr', elem: [{ prefix: { addr: '2a02:4780::', len: 32 } }] } },
    ];
    const live = parsed(objects);
    expect(live.sets.get('nets6')?.count()).toEqual({ v4: 0, v6: 4n });
    expect(live.sets.get('more')?.count()).toEqual({ v4: 0, v6: 79_228_162_514_264_337_593_543_950_336n });
  });

  test('counts the rules of each chain, and reads hook, priority, policy and the counter', () => {
    const live = parsed(table());
    expect(Object.fromEntries(live.chains)).toEqual({
      listed: 'no hook, 4 rules',
      early: 'prerouting -310 accept, 4 rules',
    });
    expect(live.dropped).toEqual({ packets: 3, bytes: 252 });
  });

  test('an empty table has nothing, and nothing dropped', () => {
    const live = parsed([{ table: { family: 'inet', name: 'blocklist', handle: 2 } }]);
    expect([live.sets.size, live.chains.size, live.dropped]).toEqual([0, 0, { packets: 0, bytes: 0 }]);
  });

  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ['no list of objects', { nftable: [] }],
    ['a list in place of an object', []],
    ['a set of another table', { nftables: [{ set: { family: 'inet', table: 'filter', name: 'nodes4' } }] }],
    ['a set without a name', { nftables: [{ set: { ...PLACE } }] }],
    ['elements that are no list', { nftables: [{ set: { ...PLACE, name: 'nodes4', elem: '45.9.20.7' } }] }],
    ['a counter without numbers', { nftables: [{ counter: { ...PLACE, name: 'dropped' } }] }],
    ['a priority in words', { nftables: [{ chain: { ...PLACE, name: 'early', hook: 'prerouting', prio: 'raw' } }] }],
  ];
  test.each(wrong)('%s: nft-refused', async (_what, value) => {
    const error = await refusal(Promise.resolve().then(() => parseTable(JSON.stringify(value))));
    expect([error.code, error.where]).toEqual(['nft-refused', 'nft -j list table inet blocklist']);
  });

  const wrongElements: ReadonlyArray<readonly [string, unknown]> = [
    ['an element with a comment', { elem: { val: '9.0.0.1', comment: 'by hand' } }],
    ['a number', 22],
    ['a block without length', { prefix: { addr: '9.0.0.0' } }],
    ['a range of one', { range: ['9.0.0.1'] }],
  ];
  test.each(wrongElements)('%s as an element is an error', (_what, element) => {
    expect(() => parsed(table([element]))).toThrow();
  });

  test.fails.each([...wrongElements, ['a word', 'localhost'] as const])(
    'OPEN DEFECT: %s as an element: an error of our own, about what nft printed',
    async (_what, element) => {
      expect((await refusal(Promise.resolve().then(() => parsed(table([element]))))).code).toBe('nft-refused');
    },
  );

  test.fails('OPEN DEFECT: text that is not JSON: nft-refused', async () => {
    expect((await refusal(Promise.resolve().then(() => parseTable('Error: no such table')))).code).toBe('nft-refused');
  });
});

describe('differences', () => {
  let artefact: Artefact;
  beforeAll(async () => {
    artefact = await artefactOf(['45.9.20.7', '60.1.2.3', '91.200.1.0/24', '2a0d:f302::1']);
  });

  function found(objects: readonly object[]) {
    return differences(artefact, parsed(objects));
  }

  test('none when the kernel holds exactly the artefact', () => {
    expect(found(table())).toEqual({ sets: [], chains: [] });
  });

  test('elements in another shape are the same addresses', () => {
    expect(found(table([{ range: ['91.200.1.0', '91.200.1.255'] }])).sets).toEqual([]);
    const halves = [{ prefix: { addr: '91.200.1.128', len: 25 } }, { prefix: { addr: '91.200.1.0', len: 25 } }];
    expect(found(table(halves)).sets).toEqual([]);
  });

  test('are counted in addresses, both ways', () => {
    expect(found(table([{ prefix: { addr: '91.200.0.0', len: 23 } }])).sets).toEqual([
      { name: 'nets4', missing: 0n, extra: 256n },
    ]);
    expect(found(table([{ prefix: { addr: '91.200.1.0', len: 26 } }, '9.0.0.1'])).sets).toEqual([
      { name: 'nets4', missing: 192n, extra: 1n },
    ]);
  });

  test('an absent set is named even when it should be empty, and a foreign one, too', () => {
    const without = table().filter((object) => !JSON.stringify(object).includes('nets6'));
    expect(found(without).sets).toEqual([{ name: 'nets6', missing: 0n, extra: 0n }]);
    expect(found([...table(), { set: { ...PLACE, name: 'mine', elem: ['9.0.0.1'] } }]).sets).toEqual([
      { name: 'mine', missing: 0n, extra: 1n },
    ]);
  });

  test('chains: absent, foreign, elsewhere, with another policy or number of rules', () => {
    const early = { ...PLACE, name: 'early', type: 'filter', hook: 'prerouting', prio: -310, policy: 'accept' };
    const changed = (chain: object) => [
      ...table().filter((object) => !JSON.stringify(object).includes('"name":"early"')),
      { chain },
    ];
    const wanted = 'chain early: expected prerouting -310 accept, 4 rules, found';
    expect(found(changed({ ...early, policy: 'drop' })).chains).toEqual([`${wanted} prerouting -310 drop, 4 rules`]);
    expect(found(changed({ ...early, prio: 0 })).chains).toEqual([`${wanted} prerouting 0 accept, 4 rules`]);
    expect(found(changed({ ...early, hook: 'input' })).chains).toEqual([`${wanted} input -310 accept, 4 rules`]);
    expect(found(changed({ ...early, name: 'other' })).chains).toEqual([
      `${wanted} absent`,
      'chain other: expected absent, found prerouting -310 accept, 0 rules',
    ]);
    expect(found([...table(), rule('early')]).chains).toEqual([`${wanted} prerouting -310 accept, 5 rules`]);
  });

  test('outbound sets and their chain are expected when the artefact has them, and only then', async () => {
    const outward = await artefactOf(['45.9.20.7', '60.1.2.3', '91.200.1.0/24', '2a0d:f302::1'], ['77.91.64.0/22']);
    const { sets, chains } = differences(outward, parsed(table()));
    expect(sets.map(({ name, missing }) => [name, missing])).toEqual([
      ['out_nodes4', 0n],
      ['out_nets4', 1024n],
      ['out_nodes6', 0n],
      ['out_nets6', 0n],
    ]);
    expect(chains).toEqual([
      'chain early: expected prerouting -310 accept, 8 rules, found prerouting -310 accept, 4 rules',
      'chain outward: expected output -310 accept, 4 rules, found absent',
    ]);
  });
});
