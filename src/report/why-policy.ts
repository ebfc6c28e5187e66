import { addressCount } from '../io/figures.js';
import { setOfBlock } from '../ip/index.js';
import { type Answer, countIn, type RulesState } from './why.js';

/** What of a listed host passes all the same. */
export function policyLine({ rules = [] }: Answer, { policy }: RulesState): string[] {
  if (rules.length === 0 || policy === undefined) return [];
  const { drop, ports, skipInterfaces } = policy;
  const words = [
    ...(ports === undefined
      ? []
      : [`only what goes to ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')} is dropped`]),
    ...(drop === 'new' ? ['what this host begins with it goes on'] : []),
    ...(skipInterfaces === undefined ? [] : [`not on ${skipInterfaces.join(', ')}`]),
  ];
  return words.length === 0 ? [] : [`by policy: ${words.join('; ')}`];
}

/** Whom `countries.only` keeps out. */
export function keptOutLines({ keptOut, block }: Answer): string[] {
  if (keptOut === undefined) return [];
  const { part, ports } = keptOut;
  const who = part.equals(setOfBlock(block)) ? '' : `${addressCount(countIn(part, block))} addresses `;
  const where = ports.length === 0 ? '' : ` to ports ${ports.join(', ')}`;
  return [`${who}not in countries.only: may not connect${where}, answers to this host arrive`];
}
