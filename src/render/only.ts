import type { OnlySets } from '../build/build.js';
import type { Names } from './layout.js';
import { type ChainName, equals, icmpType, inSet, match, type Part, type Rule, rule } from './rule.js';

/** TCP and UDP alone have ports; everything else, and other ports, return from the chain. */
export function otherPortsReturn(chain: ChainName, ports: readonly number[]): Rule[] {
  if (ports.length === 0) return [];
  const others: Part = {
    text: 'meta l4proto != { tcp, udp }',
    json: [match('!=', { meta: { key: 'l4proto' } }, { set: ['tcp', 'udp'] })],
  };
  const elsewhere: Part = {
    text: `th dport != { ${ports.join(', ')} }`,
    json: [match('!=', { payload: { protocol: 'th', field: 'dport' } }, { set: ports })],
  };
  return [rule(chain, [others], 'return'), rule(chain, [elsewhere], 'return')];
}

/**
 * Rules for `countries.only`: from whom something may come. What the host cannot do without passes first. Special-purpose addresses stand in
 * the sets; answers, and what `allow` has, left the chain before.
 */
export function onlyRules({ ports }: OnlySets, names: Names): Rule[] {
  return [
    rule('stateful', [NEIGHBOURS], 'return'),
    rule('stateful', [DHCP_ANSWER], 'return'),
    ...otherPortsReturn('stateful', ports),
    rule('stateful', [inSet({ version: 4, field: 'saddr' }, names('only_nets4'))], 'return'),
    rule('stateful', [inSet({ version: 6, field: 'saddr' }, names('only_nets6'))], 'return'),
    rule('stateful', [], 'jump elsewhere'),
  ];
}

/** An answer of a server of DHCP (RFC 2131), which may be anywhere. */
export const DHCP_ANSWER: Part = {
  text: 'udp sport 67 udp dport 68',
  json: [equals('udp', 'sport', 67), equals('udp', 'dport', 68)],
};

/** Neighbours, routers and multicast listeners (RFC 4861, RFC 2710, RFC 3810), without which IPv6 stands still. */
export const NEIGHBOURS: Part = icmpType(
  6,
  'nd-router-solicit',
  'nd-router-advert',
  'nd-neighbor-solicit',
  'nd-neighbor-advert',
  'mld-listener-query',
  'mld-listener-report',
  'mld-listener-done',
  'mld2-listener-report',
);
