import { describe, expect, test } from 'vitest';
import { lockoutHits, lockoutWords, onlyHit } from '../../src/apply/lockout.js';
import { decompose, formatPrefix, IpSet, parsePrefix } from '../../src/ip/index.js';
import { artefactOf } from './artefacts.js';

const BLOCKED = ['45.9.20.7', '91.200.0.0/22', '2a0d:f302::1', '2a02:4780::/32'];
const WHAT = 'an address of local.admins';

interface Lists {
  readonly outward?: readonly string[];
  readonly allowed?: readonly string[];
}

/** Who is hit, what of it, and in which set. */
async function hits(admins: readonly string[], { outward, allowed = [] }: Lists = {}) {
  const { sets } = await artefactOf(BLOCKED, outward);
  const everyone = admins.map((text) => ({ prefix: parsePrefix(text), what: WHAT }));
  return lockoutHits(sets, everyone, IpSet.from(allowed));
}

async function words(admins: readonly string[], lists: Lists = {}): Promise<string[][]> {
  return (await hits(admins, lists)).map(({ prefix, hit, set }) => [formatPrefix(prefix), formatPrefix(hit), set]);
}

describe('lockoutHits', () => {
  test.each([
    ['nobody', []],
    ['an address beside a node', ['45.9.20.6', '45.9.20.8']],
    ['the addresses beside a block', ['91.199.255.255', '91.200.4.0']],
    ['a block that ends where one begins', ['91.199.0.0/16']],
    ['IPv6 beside both', ['2a0d:f302::2', '2a02:4781::', '2a02:477f:ffff::/48']],
  ])('%s passes', async (_what, admins) => {
    expect(await words(admins)).toEqual([]);
  });

  test.each([
    ['a node', '45.9.20.7', '45.9.20.7', 'nodes4'],
    ['the first of a block', '91.200.0.0', '91.200.0.0', 'nets4'],
    ['the last of a block', '91.200.3.255', '91.200.3.255', 'nets4'],
    ['a block inside a block', '91.200.2.0/24', '91.200.2.0/24', 'nets4'],
    ['a block around a block', '91.200.0.0/16', '91.200.0.0/22', 'nets4'],
    ['a block around a node', '45.9.0.0/16', '45.9.20.7', 'nodes4'],
    ['an IPv6 node', '2a0d:f302::1', '2a0d:f302::1', 'nodes6'],
    ['inside an IPv6 block', '2a02:4780:ffff::1', '2a02:4780:ffff::1', 'nets6'],
  ])('%s is hit, with what is hit and in which set', async (_what, admin, hit, set) => {
    const found = await hits(['9.0.0.1', admin]);
    expect(found.map(({ prefix }) => formatPrefix(prefix))).toEqual([admin]);
    expect(found.map(lockoutWords)).toEqual([`${hit}, ${WHAT} (set ${set})`]);
  });

  test('everybody who is hit is named, each once, in their order', async () => {
    expect(await words(['91.200.0.1', '9.0.0.1', '45.9.20.7', '88.0.0.0/5'])).toEqual([
      ['91.200.0.1', '91.200.0.1', 'nets4'],
      ['45.9.20.7', '45.9.20.7', 'nodes4'],
      ['88.0.0.0/5', '91.200.0.0/22', 'nets4'],
    ]);
  });

  test('an administrator in IPv4-mapped form is the IPv4 address', async () => {
    expect(await words(['::ffff:45.9.20.7'])).toEqual([['45.9.20.7', '45.9.20.7', 'nodes4']]);
    expect(await words(['::ffff:45.9.20.8'])).toEqual([]);
  });

  test('an outbound set counts, too: who is there gets no answer', async () => {
    const outward = ['77.91.64.0/22'];
    expect(await words(['77.91.64.1'])).toEqual([]);
    expect(await words(['77.91.64.1'], { outward })).toEqual([['77.91.64.1', '77.91.64.1', 'out_nets4']]);
    expect(await words(['45.9.20.7'], { outward })).toEqual([['45.9.20.7', '45.9.20.7', 'nodes4']]);
  });

  test('what is allowed here passes, the rest of a net does not', async () => {
    expect(await words(['45.9.20.7'], { allowed: ['45.9.20.7'] })).toEqual([]);
    expect(await words(['91.200.2.9'], { allowed: ['91.200.0.0/16'] })).toEqual([]);
    expect(await words(['77.91.64.1'], { outward: ['77.91.64.0/22'], allowed: ['77.91.64.1'] })).toEqual([]);
    expect(await words(['91.200.0.0/22'], { allowed: ['91.200.0.0/23'] })).toEqual([
      ['91.200.0.0/22', '91.200.2.0/23', 'nets4'],
    ]);
    expect(await words(['45.9.20.7'], { allowed: ['45.9.20.8'] })).toEqual([['45.9.20.7', '45.9.20.7', 'nodes4']]);
  });
});

describe('onlyHit', () => {
  const alone = IpSet.from(['88.198.0.0/16', '2a01:4f8::/32']);
  const only = (ports: readonly number[]) => ({
    only: { nets4: decompose(alone.v4), nets6: decompose(alone.v6), ports },
  });
  const from = (text: string) => ({ prefix: parsePrefix(text), what: 'the other end of your SSH session', port: 22 });

  test.each([
    ['in it', '88.198.1.2', [], []],
    ['in it, IPv6', '2a01:4f8::1', [], []],
    ['elsewhere', '110.1.1.2', [], ['110.1.1.2, the other end of your SSH session (not in set only_nets4)']],
    ['elsewhere, IPv6', '240e::1', [], ['240e::1, the other end of your SSH session (not in set only_nets6)']],
    [
      'elsewhere, on a port of it',
      '110.1.1.2',
      [22, 80],
      ['110.1.1.2, the other end of your SSH session (not in set only_nets4)'],
    ],
    ['elsewhere, on a free port', '110.1.1.2', [80], []],
    ['let through on this host', '9.9.9.9', [], []],
  ])('%s', (_what, text, ports, words) => {
    expect(onlyHit(only(ports), from(text), IpSet.from(['9.9.9.0/24'])).map(lockoutWords)).toEqual(words);
  });

  test('without only, and without a session, nobody is kept out', () => {
    expect(onlyHit({}, from('110.1.1.2'), IpSet.empty)).toEqual([]);
    expect(onlyHit(only([]), undefined, IpSet.empty)).toEqual([]);
  });
});
