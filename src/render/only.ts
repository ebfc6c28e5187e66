import { equals, type JsonExpression, matchRule, type Rule, verdictJson } from './rule.js';

/**
 * Rules for `countries.only`: from whom something may come, unless it is an answer. What the host cannot do without passes first: its own
 * loopback, answers to what it or its guests asked for, neighbour discovery and multicast listeners (RFC 4861, RFC 2710, RFC 3810), and
 * DHCP (RFC 2131), whose server may be anywhere. Special-purpose addresses and `allow` stand in the sets.
 */
export function onlyRules(sets: { readonly v4: string; readonly v6: string }, ports: readonly number[]): Rule[] {
  const passes = (text: string, ...matches: readonly JsonExpression[]): Rule => ({
    chain: 'stateful',
    text: `${text} return`,
    json: [...matches, verdictJson('return')],
  });
  const among = (version: 4 | 6, set: string) => matchRule('stateful', { version, field: 'saddr' }, set, 'return');
  return [
    passes('iifname "lo"', match('==', { meta: { key: 'iifname' } }, 'lo')),
    passes(
      'ct state established,related ct direction reply',
      match('in', { ct: { key: 'state' } }, ['established', 'related']),
      match('==', { ct: { key: 'direction' } }, 'reply'),
    ),
    passes(`icmpv6 type { ${NEIGHBOUR_TYPES.join(', ')} }`, equals('icmpv6', 'type', { set: NEIGHBOUR_TYPES })),
    passes('udp sport 67 udp dport 68', equals('udp', 'sport', 67), equals('udp', 'dport', 68)),
    ...portRules(ports, passes),
    among(4, 'allow4'),
    among(6, 'allow6'),
    among(4, sets.v4),
    among(6, sets.v6),
    { chain: 'stateful', text: 'jump listed', json: [verdictJson('jump listed')] },
  ];
}

const NEIGHBOUR_TYPES = [
  'nd-router-solicit',
  'nd-router-advert',
  'nd-neighbor-solicit',
  'nd-neighbor-advert',
  'mld-listener-query',
  'mld-listener-report',
  'mld-listener-done',
  'mld2-listener-report',
];

/** With ports, everything else passes: other protocols, and other ports. */
function portRules(
  ports: readonly number[],
  passes: (text: string, ...matches: readonly JsonExpression[]) => Rule,
): Rule[] {
  if (ports.length === 0) return [];
  return [
    passes('meta l4proto != { tcp, udp }', match('!=', { meta: { key: 'l4proto' } }, { set: ['tcp', 'udp'] })),
    passes(
      `th dport != { ${ports.join(', ')} }`,
      match('!=', { payload: { protocol: 'th', field: 'dport' } }, { set: ports }),
    ),
  ];
}

function match(op: '==' | '!=' | 'in', left: object, right: unknown): JsonExpression {
  return { match: { op, left, right } };
}
