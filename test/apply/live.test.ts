import { describe, expect, test } from 'vitest';
import { parseListing, parseSet } from '../../src/apply/live.js';
import { formatPrefix, IpSet } from '../../src/ip/index.js';
import { refusal } from './artefacts.js';
import { DIGEST, listing, OUR_TABLE, PLACE, parsed, replaced, rule, set, state, table } from './listing.js';

describe('parseListing', () => {
  test('takes plain elements, blocks and ranges', () => {
    const live = parsed(
      table(['9.0.0.1', { prefix: { addr: '91.200.1.0', len: 24 } }, { range: ['80.0.0.16', '80.0.0.20'] }]),
    );
    const local = ['allow4', 'allow6', 'ban4', 'ban6'];
    expect([...live.sets.keys()].sort()).toEqual([...local, 'nets4', 'nets6', 'nodes4', 'nodes6']);
    const expected = IpSet.from(['9.0.0.1', '91.200.1.0/24', '80.0.0.16/30', '80.0.0.20']);
    expect(live.sets.get('nets4')?.equals(expected)).toBe(true);
    expect(live.sets.get('nodes4')?.count().v4).toBe(2);
    expect(live.sets.get('nodes6')?.has('2a0d:f302::1')).toBe(true);
    expect(live.sets.get('nets6')?.isEmpty).toBe(true);
  });

  test('takes blocks and ranges of IPv6', () => {
    const live = parsed([
      OUR_TABLE,
      set('nets6', 'ipv6_addr', ['interval'], [{ range: ['2a02::1', '2a02::4'] }]),
      set('more', 'ipv6_addr', ['interval'], [{ prefix: { addr: '2a02:4780::', len: 32 } }]),
    ]);
    expect(live.sets.get('nets6')?.count()).toEqual({ v4: 0, v6: 4n });
    expect(live.sets.get('more')?.count()).toEqual({ v4: 0, v6: 79_228_162_514_264_337_593_543_950_336n });
  });

  test('reads the rules of each chain by what they do, hook, priority, policy and the counter', () => {
    const live = parsed(table());
    expect(Object.fromEntries(live.chains)).toEqual({
      listed: {
        hook: 'no hook',
        rules: [
          'icmp type, icmp code, accept null',
          'icmp type, accept null',
          'icmpv6 type, accept null',
          'set op update , elem payload protocol ip , field saddr , set @seen4',
          'set op update , elem & [ payload protocol ip6 , field saddr , ffff ffff ffff ffff ] , set @seen6',
          'counter dropped, jump target dropping',
        ],
      },
      dropping: { hook: 'no hook', rules: ['drop null'] },
      inbound: {
        hook: 'no hook',
        rules: [
          'ip saddr @nodes4, jump target listed',
          'ip saddr @nets4, jump target listed',
          'ip6 saddr @nodes6, jump target listed',
          'ip6 saddr @nets6, jump target listed',
        ],
      },
      early: {
        hook: 'prerouting -310 accept',
        rules: [
          'ip saddr @allow4, return null',
          'ip6 saddr @allow6, return null',
          'ip saddr @ban4, jump target listed',
          'ip6 saddr @ban6, jump target listed',
          'jump target inbound',
        ],
      },
    });
    expect(live.counters.get('dropped')).toMatchObject({ packets: 3, bytes: 252 });
    expect(live.isActive).toBe(true);
  });

  test('kinds of sets, without the state set', () => {
    const objects = [...table(), set('ports', 'inet_service', [], [22])];
    expect(Object.fromEntries(parsed(objects).kinds)).toEqual({
      allow4: 'ipv4_addr interval timeout',
      allow6: 'ipv6_addr interval timeout',
      ban4: 'ipv4_addr interval timeout',
      ban6: 'ipv6_addr interval timeout',
      seen4: 'ipv4_addr timeout',
      seen6: 'ipv6_addr timeout',
      nodes4: 'ipv4_addr',
      nets4: 'ipv4_addr interval',
      nodes6: 'ipv6_addr',
      nets6: 'ipv6_addr interval',
      ports: 'inet_service',
    });
  });

  test('the digest is that of the state set, of this layout alone', () => {
    const digestWith = (...more: readonly object[]) => parsed([...replaced('set', 'state'), ...more]).digest;
    expect(parsed(table()).digest).toBe(DIGEST);
    expect(digestWith()).toBeUndefined();
    expect(digestWith(set('state', 'mark', []))).toBeUndefined();
    const others = [
      `blocklist layout 1 ${DIGEST}`,
      `blocklist layout 2 ${DIGEST}`,
      `blocklist layout 33 ${DIGEST}`,
      `${DIGEST}`,
      `blocklist layout 3 ${DIGEST}00`,
      `my blocklist layout 3 ${DIGEST}`,
      'blocklist layout 3 changing',
    ];
    for (const comment of others) expect(digestWith(state(comment)), comment).toBeUndefined();
  });

  test('names: where the rules look, not which sets are there', () => {
    const second = parsed(table(undefined, { nets4: 'nets4_b' }));
    expect([second.names('nodes4'), second.names('nets4')]).toEqual(['nodes4', 'nets4_b']);
    const leftover = parsed([...table(), set('nodes4_b', 'ipv4_addr', [], ['9.0.0.1'])]);
    expect(leftover.names('nodes4')).toBe('nodes4');
    expect(parsed([OUR_TABLE]).names('out_nets6')).toBe('out_nets6');
  });

  test('an empty table has nothing, and nothing dropped', () => {
    const live = parsed([OUR_TABLE]);
    expect([live.sets.size, live.chains.size, live.counters.size]).toEqual([0, 0, 0]);
  });

  test('no table of ours in the listing: undefined', () => {
    expect(parseListing(listing([]))).toBeUndefined();
    expect(parseListing(listing([{ table: { family: 'ip', name: 'blocklist', handle: 1 } }]))).toBeUndefined();
    expect(parseListing(listing([{ table: { family: 'inet', name: 'blocklist-old', handle: 1 } }]))).toBeUndefined();
  });

  test('objects of other tables are passed by, whatever they are called and hold', () => {
    const theirs = [
      { family: 'ip', table: 'blocklist' },
      { family: 'inet', table: 'filter' },
    ].flatMap((place) => [
      { table: { family: place.family, name: place.table, flags: ['dormant'] } },
      { set: { ...place, name: 'nodes4', type: 'ipv4_addr', elem: ['9.0.0.1', 22] } },
      { set: { ...place, name: 'state', type: 'mark', comment: `blocklist layout 3 sha256:${'ff'.repeat(32)}` } },
      { chain: { ...place, name: 'early', hook: 'input', prio: 0, policy: 'drop' } },
      { rule: { ...place, chain: 'early', expr: [{ drop: null }] } },
      { counter: { ...place, name: 'dropped', packets: 9, bytes: 99 } },
      { map: { ...place, name: 'services' } },
    ]);
    const ours = parsed(table());
    for (const objects of [
      [...theirs, ...table()],
      [...table(), ...theirs],
    ]) {
      const { names: _names, ...live } = parsed(objects);
      const { names: _ours, ...expected } = ours;
      expect(live).toEqual(expected);
    }
  });

  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ['no list of objects', { nftable: [] }],
    ['a list in place of an object', []],
    ['a set without a name', { nftables: [OUR_TABLE, { set: { ...PLACE } }] }],
    ['elements that are no list', { nftables: [OUR_TABLE, { set: { ...PLACE, name: 'nodes4', elem: '45.9.20.7' } }] }],
    ['a counter without numbers', { nftables: [OUR_TABLE, { counter: { ...PLACE, name: 'dropped' } }] }],
    [
      'a priority in words',
      { nftables: [OUR_TABLE, { chain: { ...PLACE, name: 'early', hook: 'prerouting', prio: 'raw' } }] },
    ],
    ['a rule without expressions', { nftables: [OUR_TABLE, { rule: { ...PLACE, chain: 'early' } }] }],
  ];
  test.each(wrong)('%s: nft-refused', async (_what, value) => {
    const error = await refusal(Promise.resolve().then(() => parseListing(JSON.stringify(value))));
    expect([error.code, error.where]).toEqual(['nft-refused', 'nft -j list table inet blocklist']);
  });

  const wrongElements: ReadonlyArray<readonly [string, unknown]> = [
    ['a number', 22],
    ['a block without length', { prefix: { addr: '9.0.0.0' } }],
    ['a range of one', { range: ['9.0.0.1'] }],
    ['a word', 'localhost'],
  ];
  test.each(wrongElements)('%s as an element: nft-refused', async (_what, element) => {
    expect((await refusal(Promise.resolve().then(() => parsed(table([element]))))).code).toBe('nft-refused');
    const local = [OUR_TABLE, set('ban4', 'ipv4_addr', ['interval', 'timeout'], [element])];
    expect((await refusal(Promise.resolve().then(() => parsed(local)))).code).toBe('nft-refused');
    expect((await refusal(Promise.resolve().then(() => parseSet(listing(local), 'ban4')))).code).toBe('nft-refused');
  });

  test('an element with a comment is its value', () => {
    const live = parsed(table([{ elem: { val: '9.0.0.1', comment: 'by hand' } }]));
    expect(live.sets.get('nets4')?.equals(IpSet.from(['9.0.0.1']))).toBe(true);
  });

  test('text that is not JSON: nft-refused', async () => {
    expect((await refusal(Promise.resolve().then(() => parseListing('Error: no such table')))).code).toBe(
      'nft-refused',
    );
  });
});

describe('elements of host-local sets', () => {
  const elem = [
    '9.0.0.1',
    { elem: { val: '9.0.0.2', timeout: 3600, expires: 3599 } },
    { elem: { val: { prefix: { addr: '9.1.0.0', len: 16 } }, timeout: 60, expires: 7 } },
    { elem: { val: '9.0.0.3', comment: 'by hand' } },
    { range: ['9.2.0.1', '9.2.0.6'] },
  ];
  const expected = [
    ['9.0.0.1', undefined],
    ['9.0.0.2', 3599],
    ['9.1.0.0/16', 7],
    ['9.0.0.3', undefined],
    ['9.2.0.1', undefined],
  ];

  test('with the seconds that are left, from the whole listing and from that of one set', () => {
    const objects = [OUR_TABLE, set('ban4', 'ipv4_addr', ['interval', 'timeout'], elem)];
    const words = (elements: ReturnType<typeof parseSet> | undefined) =>
      elements?.map(({ prefix, seconds }) => [formatPrefix(prefix), seconds]);
    const live = parsed(objects);
    expect(words([...(live.local.get('ban4') ?? [])])).toEqual(expected);
    expect(words(parseSet(listing(objects), 'ban4'))).toEqual(expected);
    expect([...live.local.keys()]).toEqual(['ban4']);
    expect(parseSet(listing([OUR_TABLE]), 'ban4')).toEqual([]);
  });

  test('with their addresses among the sets, a range as a whole', () => {
    const live = parsed([OUR_TABLE, set('ban4', 'ipv4_addr', ['interval', 'timeout'], elem), rule('early')]);
    expect(live.sets.get('ban4')?.count().v4).toBe(3 + 65_536 + 6);
  });
});
