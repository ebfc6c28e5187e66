import type { RuleSets } from '../build/build.js';
import type { Policy } from '../build/policy.js';
import { DEFAULT_POLICY } from './default-policy.js';
import { droppingRules, echoRules, elsewhereRules, listedRules } from './dropping.js';
import { chainsOf, hasOutbound, type ListedName, type Names } from './layout.js';
import { onlyRules, otherPortsReturn } from './only.js';
import { atInterface, type ChainName, inSet, match, type Part, type Rule, rule, type Side } from './rule.js';

/** The rules of all chains, each in its order. DESIGN "The sets and the rules" has the reasons. */
export function rulesOf(sets: RuleSets, names: Names): Rule[] {
  const policy = sets.policy ?? DEFAULT_POLICY;
  const isNew = policy.drop === 'new';
  const isThere = new Set(chainsOf(sets).map(({ name }) => name));
  const inbound = rule('early', [], 'jump inbound');
  return [
    ...droppingRules(policy),
    ...listedRules('listed'),
    ...(isThere.has('listed_out') ? listedRules('listed_out') : []),
    ...(isThere.has('elsewhere') ? elsewhereRules() : []),
    ...otherPortsReturn('inbound', policy.ports),
    ...lookups('inbound', 'saddr', ['nodes4', 'nets4', 'nodes6', 'nets6'], names),
    ...(isThere.has('outbound') ? lookups('outbound', 'daddr', outboundSets(sets, policy), names) : []),
    // What is allowed here leaves the chain first; then what is banned by hand, then what is listed.
    ...skipped('early', 'iifname', policy),
    ...allowed('early', 'saddr'),
    ...banned(),
    ...(isNew ? [] : [inbound]),
    // Those of listed hosts are gone, and use up nothing of what others have.
    ...echoRules(policy.echoLimit),
    ...(isThere.has('stateful') ? statefulRules(sets, policy, names) : []),
    ...(hasOutbound(sets) ? outwardRules(policy) : []),
  ];
}

/** Behind conntrack, which tells answers: to what this host and its guests asked for. */
function statefulRules({ only }: RuleSets, policy: Policy, names: Names): Rule[] {
  return [
    rule('stateful', [atInterface('iifname', 'lo')], 'return'),
    ...skipped('stateful', 'iifname', policy),
    rule('stateful', [ANSWER], 'return'),
    ...allowed('stateful', 'saddr'),
    ...(policy.drop === 'new' ? [rule('stateful', [], 'jump inbound')] : []),
    ...(only === undefined ? [] : onlyRules(only, names)),
  ];
}

/** What this host sends, and what it forwards, which never passes `output`. */
function outwardRules(policy: Policy): Rule[] {
  const isNew = policy.drop === 'new';
  const chains: ReadonlyArray<readonly [ChainName, 'iifname' | 'oifname']> = isNew
    ? [
        ['forwarded_new', 'iifname'],
        ['outward_new', 'oifname'],
      ]
    : [
        ['forwarded', 'iifname'],
        ['outward', 'oifname'],
      ];
  return chains.flatMap(([chain, key]) => [
    ...skipped(chain, key, policy),
    ...(isNew ? [rule(chain, [KNOWN], 'return')] : []),
    ...allowed(chain, 'daddr'),
    rule(chain, [], 'jump outbound'),
  ]);
}

function skipped(chain: ChainName, key: 'iifname' | 'oifname', { skipInterfaces }: Policy): Rule[] {
  return skipInterfaces.map((name) => rule(chain, [atInterface(key, name)], 'return'));
}

function allowed(chain: ChainName, field: Side['field']): Rule[] {
  return [
    rule(chain, [inSet({ version: 4, field }, 'allow4')], 'return'),
    rule(chain, [inSet({ version: 6, field }, 'allow6')], 'return'),
  ];
}

/** Bans are of senders only, and of all that they send, whatever the policy: somebody decided on each. */
function banned(): Rule[] {
  return [
    rule('early', [inSet({ version: 4, field: 'saddr' }, 'ban4')], 'jump listed'),
    rule('early', [inSet({ version: 6, field: 'saddr' }, 'ban6')], 'jump listed'),
  ];
}

function outboundSets({ out }: RuleSets, { alsoOutbound }: Policy): readonly ListedName[] {
  const own = out === undefined ? [] : (['out_nodes4', 'out_nets4', 'out_nodes6', 'out_nets6'] as const);
  return [...own, ...(alsoOutbound ? (['nodes4', 'nets4', 'nodes6', 'nets6'] as const) : [])];
}

function lookups(
  chain: 'inbound' | 'outbound',
  field: Side['field'],
  sets: readonly ListedName[],
  names: Names,
): Rule[] {
  const verdict = chain === 'inbound' ? 'jump listed' : 'jump listed_out';
  return sets.map((name) => rule(chain, [inSet({ version: name.endsWith('4') ? 4 : 6, field }, names(name))], verdict));
}

const inState = match('in', { ct: { key: 'state' } }, ['established', 'related']);
/** Connections that began before; those that a listed host began are answered into the void. */
const KNOWN: Part = { text: 'ct state established,related', json: [inState] };
const ANSWER: Part = {
  text: 'ct state established,related ct direction reply',
  json: [inState, match('==', { ct: { key: 'direction' } }, 'reply')],
};
