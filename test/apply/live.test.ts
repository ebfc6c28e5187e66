import { beforeAll, describe, expect, test } from 'vitest';
import type { Artefact } from '../../src/apply/artefact-store.js';
import { differences } from '../../src/apply/differences.js';
import { parseTable } from '../../src/apply/live.js';
import { IpSet } from '../../src/ip/index.js';
import { artefactOf, refusal } from './artefacts.js';

const PLACE = { family: 'inet', table: 'blocklist' };
const PASS = { accept: null };
const JUMP = { jump: { target: 'listed' } };

function rule(chain: string, ...expr: readonly object[]): object {
  return { rule: { ...PLACE, chain, handle: 9, expr: expr.length > 0 ? expr : [{ drop: null }] } };
}

function match(protocol: string, field: string, right: unknown): object {
  return { match: { op: '==', left: { payload: { protocol, field } }, right } };
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
    rule('listed', match('icmp', 'type', 'destination-unreachable'), match('icmp', 'code', 'frag-needed'), PASS),
    rule('listed', match('icmp', 'type', 'time-exceeded'), PASS),
    rule('listed', match('icmpv6', 'type', { set: ['packet-too-big', 'time-exceeded'] }), PASS),
    rule('listed', { counter: 'dropped' }, { drop: null }),
    rule('early', match('ip', 'saddr', '@nodes4'), JUMP),
    rule('early', match('ip', 'saddr', '@nets4'), JUMP),
    rule('early', match('ip6', 'saddr', '@nodes6'), JUMP),
    rule('early', match('ip6', 'saddr', '@nets6'), JUMP),
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
      listed: {
        hook: 'no hook',
        rules: [
          'icmp type, icmp code, accept null',
          'icmp type, accept null',
          'icmpv6 type, accept null',
          'counter dropped, drop null',
        ],
      },
      early: {
        hook: 'prerouting -310 accept',
        rules: [
          'ip saddr @nodes4, jump target listed',
          'ip saddr @nets4, jump target listed',
          'ip6 saddr @nodes6, jump target listed',
          'ip6 saddr @nets6, jump target listed',
        ],
      },
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
    ['a number', 22],
    ['a block without length', { prefix: { addr: '9.0.0.0' } }],
    ['a range of one', { range: ['9.0.0.1'] }],
  ];
  test.each([...wrongElements, ['a word', 'localhost'] as const])(
    '%s as an element: nft-refused',
    async (_what, element) => {
      expect((await refusal(Promise.resolve().then(() => parsed(table([element]))))).code).toBe('nft-refused');
    },
  );

  test('an element with a comment is its value', () => {
    const live = parsed(table([{ elem: { val: '9.0.0.1', comment: 'by hand' } }]));
    expect(live.sets.get('nets4')?.equals(IpSet.from(['9.0.0.1']))).toBe(true);
  });

  test('text that is not JSON: nft-refused', async () => {
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
    expect(found(table())).toEqual({ sets: [], chains: [], altered: [], foreign: { chains: [], sets: [] } });
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
    expect(found([...table(), { set: { ...PLACE, name: 'mine', type: 'ipv4_addr', elem: ['9.0.0.1'] } }]).sets).toEqual(
      [{ name: 'mine', missing: 0n, extra: 1n }],
    );
  });

  test('chains: absent, foreign, elsewhere, with another policy or number of rules', () => {
    const early = { ...PLACE, name: 'early', type: 'filter', hook: 'prerouting', prio: -310, policy: 'accept' };
    const changed = (chain: object) =>
      table().map((object) => (JSON.stringify(object).includes('"name":"early"') ? { chain } : object));
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

  test('as many rules that do something else', () => {
    const objects = table().map((object) =>
      JSON.stringify(object).includes('"drop"') ? rule('listed', PASS) : object,
    );
    expect(found(objects).chains).toEqual([
      'chain listed: rule 4 should be "counter dropped, drop null", is "accept null"',
    ]);
  });

  test('a flag of the table, a set of another type, a set that is no set of addresses', () => {
    const [meta = {}, , ...rest] = table();
    expect(found([meta, { table: { family: 'inet', name: 'blocklist', flags: ['dormant'] } }, ...rest]).chains).toEqual(
      ['the table has a flag set (dormant?): none of its rules is asked'],
    );
    const interval = {
      ...PLACE,
      name: 'nodes4',
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: ['45.9.20.7', '60.1.2.3'],
    };
    const altered = table().map((object) =>
      JSON.stringify(object).includes('"nodes4","type"') ? { set: interval } : object,
    );
    expect(found(altered).altered).toEqual(['set nodes4: expected ipv4_addr, found ipv4_addr interval']);
    expect(found([...table(), { set: { ...PLACE, name: 'ports', type: 'inet_service', elem: [22] } }])).toMatchObject({
      chains: ['set ports: expected absent, found inet_service'],
      foreign: { sets: ['ports'] },
    });
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
