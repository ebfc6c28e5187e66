import { type LiveTable, parseListing } from '../../src/apply/live.js';

/** What nft 1.0.6 prints with -j, in parts that tests change. */

export const PLACE = { family: 'inet', table: 'blocklist' };
export const PASS = { accept: null };
export const DIGEST = `sha256:${'0a'.repeat(32)}`;
const JUMP = { jump: { target: 'listed' } };
const RETURN = { return: null };

export function rule(chain: string, ...expr: readonly object[]): object {
  return { rule: { ...PLACE, chain, handle: 9, expr: expr.length > 0 ? expr : [{ drop: null }] } };
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
    { counter: { ...PLACE, name: 'dropped', handle: 1, packets: 3, bytes: 252 } },
    ...LOCAL,
    set(at('nodes4'), 'ipv4_addr', [], ['45.9.20.7', '60.1.2.3']),
    set(at('nets4'), 'ipv4_addr', ['interval'], nets4),
    set(at('nodes6'), 'ipv6_addr', [], ['2a0d:f302::1']),
    set(at('nets6'), 'ipv6_addr', ['interval']),
    state(`blocklist layout 2 ${DIGEST}`),
    { chain: { ...PLACE, name: 'listed', handle: 10 } },
    chain('early'),
    rule('listed', match('icmp', 'type', 'destination-unreachable'), match('icmp', 'code', 'frag-needed'), PASS),
    rule('listed', match('icmp', 'type', 'time-exceeded'), PASS),
    rule('listed', match('icmpv6', 'type', { set: ['packet-too-big', 'time-exceeded'] }), PASS),
    rule('listed', { counter: 'dropped' }, { drop: null }),
    rule('early', match('ip', 'saddr', '@allow4'), RETURN),
    rule('early', match('ip6', 'saddr', '@allow6'), RETURN),
    rule('early', match('ip', 'saddr', '@ban4'), JUMP),
    rule('early', match('ip6', 'saddr', '@ban6'), JUMP),
    rule('early', match('ip', 'saddr', `@${at('nodes4')}`), JUMP),
    rule('early', match('ip', 'saddr', `@${at('nets4')}`), JUMP),
    rule('early', match('ip6', 'saddr', `@${at('nodes6')}`), JUMP),
    rule('early', match('ip6', 'saddr', `@${at('nets6')}`), JUMP),
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
