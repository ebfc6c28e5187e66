import type { Policy, Rate } from '../build/policy.js';
import type { CounterName } from './layout.js';
import { equals, icmpType, type JumpChain, type Part, type Rule, rule } from './rule.js';

/** What becomes of a packet once its address is found: chains that are entered by a jump and end in one place. */

/** Begins every line of ours in the kernel log; fail2ban and people look for it. */
const LOG_PREFIX = 'blocklist drop: ';

export function droppingRules({ log }: Policy): Rule[] {
  return [...(log === undefined ? [] : [rule('dropping', [within(log), LOG])]), rule('dropping', [], 'drop')];
}

/** From, or to, a listed address: who it is is remembered, and the packet goes. */
export function listedRules(chain: 'listed' | 'listed_out'): Rule[] {
  const field = chain === 'listed' ? 'saddr' : 'daddr';
  return [
    ...passedIcmp(chain),
    // A set that is full ends its rule: the drop stands in another.
    rule(chain, [remembered(4, field)]),
    rule(chain, [remembered(6, field)]),
    rule(chain, [counted(chain === 'listed' ? 'dropped' : 'dropped_out')], 'jump dropping'),
  ];
}

/** From where nobody may connect. */
export function elsewhereRules(): Rule[] {
  return [...passedIcmp('elsewhere'), rule('elsewhere', [counted('kept_out')], 'jump dropping')];
}

/** More echo requests than the limit, from whomever. Neighbour discovery and errors are other types of ICMP. */
export function echoRules(limit: Rate | undefined): Rule[] {
  if (limit === undefined) return [];
  return ([4, 6] as const).map((version) =>
    rule('early', [icmpType(version, 'echo-request'), beyond(limit), counted('echo_limited')], 'drop'),
  );
}

/**
 * Messages without which connections of others through listed routers would hang: fragmentation needed and time exceeded
 * (RFC 1191, RFC 792), packet too big and time exceeded (RFC 8201, RFC 4443).
 */
function passedIcmp(chain: JumpChain): Rule[] {
  const needed: Part = {
    text: 'icmp type destination-unreachable icmp code frag-needed',
    json: [equals('icmp', 'type', 'destination-unreachable'), equals('icmp', 'code', 'frag-needed')],
  };
  return [
    rule(chain, [needed], 'accept'),
    rule(chain, [icmpType(4, 'time-exceeded')], 'accept'),
    rule(chain, [icmpType(6, 'packet-too-big', 'time-exceeded')], 'accept'),
  ];
}

/** One host has a /64 of IPv6, and would fill the set with it. */
const HOST_MASK = 'ffff:ffff:ffff:ffff::';

function remembered(version: 4 | 6, field: 'saddr' | 'daddr'): Part {
  const address = { payload: { protocol: version === 4 ? 'ip' : 'ip6', field } };
  const set = `@seen${version}`;
  return version === 4
    ? { text: `update ${set} { ip ${field} }`, json: [{ set: { op: 'update', elem: address, set } }] }
    : {
        text: `update ${set} { ip6 ${field} & ${HOST_MASK} }`,
        json: [{ set: { op: 'update', elem: { '&': [address, HOST_MASK] }, set } }],
      };
}

function counted(name: CounterName): Part {
  return { text: `counter name "${name}"`, json: [{ counter: name }] };
}

/** What nft takes when no other is given: nft(8), LIMIT STATEMENT. Written out, since it prints it. */
const BURST = 5;

function within({ count, per }: Rate): Part {
  return {
    text: `limit rate ${count}/${per} burst ${BURST} packets`,
    json: [{ limit: { rate: count, burst: BURST, per } }],
  };
}

function beyond({ count, per }: Rate): Part {
  return {
    text: `limit rate over ${count}/${per} burst ${BURST} packets`,
    json: [{ limit: { rate: count, burst: BURST, per, inv: true } }],
  };
}

const LOG: Part = { text: `log prefix "${LOG_PREFIX}"`, json: [{ log: { prefix: LOG_PREFIX } }] };
