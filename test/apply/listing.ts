import { type LiveTable, parseListing } from '../../src/apply/live.js';

/** What nft 1.0.6 prints with -j, in parts that tests change. */

export const PLACE = { family: 'inet', table: 'blocklist' };
export const PASS = { accept: null };
export const DIGEST = `sha256:${'0a'.repeat(32)}`;
const JUMP = jump('listed');
const RETURN = { return: null };
const SOURCE4 = { payload: { protocol: 'ip', field: 'saddr' } };
const SOURCE6 = { payload: { protocol: 'ip6', field: 'saddr' } };

export function rule(chain: string, ...expr: readonly object[]): object {
  return { rule: { ...PLACE, chain, handle: 9, expr: expr.length > 0 ? expr : [{ drop: null }] } };
}

function jump(target: string): object {
  return { jump: { target } };
}

function match(protocol: string, field: string, right: unknown): object {
  return { match: { op: '==', left: { payload: { protocol, field } }, right } };
}

export function set(name: string, type: string, flags: readonly string[], elem?: readonly unknown[]): object {
  const flagged = flags.length === 0 ? {} : { flags };
  return { set: { ...PLACE, name, type, handle: 2, ...flagged, ...(elem === undefined ? {} : { elem }) } };
}

export function state(comment: string): object {
  return { set: { ...PLACE, name: 'state', type: 'mark', handle: 31, comment } };
}

export const OUR_TABLE = { table: { family: 'inet', name: 'blocklist', handle: 2 } };

const LOCAL: readonly object[] = ['allow', 'ban'].flatMap((name) => [
  set(`${name}4`, 'ipv4_addr', ['interval', 'timeout']),
  set(`${name}6`, 'ipv6_addr', ['interval', 'timeout']),
]);

/** Of each family, and with what the rules fill it; nft 1.0.6 does not tell that they are dynamic. */
const SEEN: readonly object[] = ['seen4', 'seen6'].map((name) =>
  set(
    name,
    name === 'seen4' ? 'ipv4_addr' : 'ipv6_addr',
    ['timeout'],
    [
      {
        elem: {
          val: name === 'seen4' ? '45.9.20.7' : '2a0d:f302::',
          counter: { packets: 3, bytes: 252 },
          expires: 3599,
        },
      },
    ],
  ),
);

function update(name: string, elem: object): object {
  return { set: { op: 'update', elem, set: `@${name}` } };
}

/** A chain that is entered by a jump. */
function jumped(name: string): object {
  return { chain: { ...PLACE, name, handle: 10 } };
}

/** A chain like `early`. */
export function chain(name: string, more: Readonly<Record<string, unknown>> = {}): object {
  const hooked = { type: 'filter', hook: 'prerouting', prio: -310, policy: 'accept' };
  return { chain: { ...PLACE, name, handle: 11, ...hooked, ...more } };
}

/** Our table of 45.9.20.7, 60.1.2.3, 91.200.1.0/24 and 2a0d:f302::1. `names` are where the rules look for listed addresses. */
export function table(
  nets4: readonly unknown[] = [{ prefix: { addr: '91.200.1.0', len: 24 } }],
  names: Readonly<Partial<Record<string, string>>> = {},
): object[] {
  const at = (name: string) => names[name] ?? name;
  return [
    { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } },
    OUR_TABLE,
    ...['dropped', 'dropped_out', 'kept_out', 'echo_limited'].map((name) => ({
      counter: { ...PLACE, name, handle: 1, packets: name === 'dropped' ? 3 : 0, bytes: name === 'dropped' ? 252 : 0 },
    })),
    ...SEEN,
    ...LOCAL,
    set(at('nodes4'), 'ipv4_addr', [], ['45.9.20.7', '60.1.2.3']),
    set(at('nets4'), 'ipv4_addr', ['interval'], nets4),
    set(at('nodes6'), 'ipv6_addr', [], ['2a0d:f302::1']),
    set(at('nets6'), 'ipv6_addr', ['interval']),
    state(`blocklist layout 3 ${DIGEST}`),
    ...['dropping', 'listed', 'inbound'].map(jumped),
    chain('early'),
    rule('dropping'),
    rule('listed', match('icmp', 'type', 'destination-unreachable'), match('icmp', 'code', 'frag-needed'), PASS),
    rule('listed', match('icmp', 'type', 'time-exceeded'), PASS),
    rule('listed', match('icmpv6', 'type', { set: ['packet-too-big', 'time-exceeded'] }), PASS),
    rule('listed', update('seen4', SOURCE4)),
    rule('listed', update('seen6', { '&': [SOURCE6, 'ffff:ffff:ffff:ffff::'] })),
    rule('listed', { counter: 'dropped' }, jump('dropping')),
    rule('inbound', match('ip', 'saddr', `@${at('nodes4')}`), JUMP),
    rule('inbound', match('ip', 'saddr', `@${at('nets4')}`), JUMP),
    rule('inbound', match('ip6', 'saddr', `@${at('nodes6')}`), JUMP),
    rule('inbound', match('ip6', 'saddr', `@${at('nets6')}`), JUMP),
    rule('early', match('ip', 'saddr', '@allow4'), RETURN),
    rule('early', match('ip6', 'saddr', '@allow6'), RETURN),
    rule('early', match('ip', 'saddr', '@ban4'), JUMP),
    rule('early', match('ip6', 'saddr', '@ban6'), JUMP),
    rule('early', jump('inbound')),
  ];
}

/** The table with one of its sets, chains or tables by this name replaced; by nothing without `by`. */
export function replaced(kind: 'set' | 'chain' | 'table', name: string, by?: object): object[] {
  return table().flatMap((object) => {
    const { [kind]: found } = object as Record<string, { name?: string }>;
    if (found?.name !== name) return [object];
    return by === undefined ? [] : [by];
  });
}

export function listing(objects: readonly object[]): string {
  return JSON.stringify({ nftables: objects });
}

/** The table in the listing, which must be there. */
export function parsed(objects: readonly object[]): LiveTable {
  const live = parseListing(listing(objects));
  if (live === undefined) throw new Error('the table is not in the listing');
  return live;
}
