import { IpSet } from '../ip/index.js';
import { EARLY_PRIORITY, loadCommands, namedSets } from '../render/commands.js';
import type { Artefact } from './artefact-store.js';
import { hookText, type LiveChain, type LiveTable, ruleGist } from './live.js';

/** How one set of the kernel differs from the artefact, in addresses. */
export interface SetDifference {
  readonly name: string;
  /** in the artefact and not in the kernel */
  readonly missing: bigint;
  /** in the kernel and not in the artefact */
  readonly extra: bigint;
}

export interface Differences {
  readonly sets: readonly SetDifference[];
  /** chains and other objects that are absent, foreign, or not as they should be, in words */
  readonly chains: readonly string[];
  /** what a load cannot change in place: chains hooked elsewhere, sets of another type, in words */
  readonly altered: readonly string[];
  /** what is in our table and not ours: a load removes it */
  readonly foreign: { readonly chains: readonly string[]; readonly sets: readonly string[] };
}

/** What an artefact should look like in the kernel. */
function expectedTable(artefact: Artefact) {
  const chains = new Map<string, { hook: string; rules: string[] }>();
  const kinds = new Map<string, string>();
  /** what the script itself removes */
  const retired = new Set<string>();
  for (const command of loadCommands(artefact.sets, artefact.digest)) {
    if (command.do === 'add-chain') {
      const { name, hook } = command.chain;
      chains.set(name, { hook: hookText({ hook, prio: EARLY_PRIORITY, policy: 'accept' }), rules: [] });
    } else if (command.do === 'delete-chain') {
      chains.delete(command.chain.name);
      retired.add(command.chain.name);
    } else if (command.do === 'delete-set') retired.add(command.set.name);
    else if (command.do === 'add-rule') chains.get(command.rule.chain)?.rules.push(ruleGist(command.rule.json));
    else if (command.do === 'add-set')
      kinds.set(command.set.name, `${command.set.type}${command.set.interval ? ' interval' : ''}`);
  }
  const sets = new Map<string, IpSet>(
    namedSets(artefact.sets).map(({ name, prefixes }) => [name, IpSet.ofPrefixes(prefixes)]),
  );
  return { sets, kinds, chains, retired };
}

/** Compares the kernel with the artefact; empty lists mean that they agree. */
export function differences(artefact: Artefact, live: LiveTable): Differences {
  const expected = expectedTable(artefact);
  const isForeign = (name: string) => !expected.retired.has(name);
  const altered: string[] = [];
  const chains = live.isActive ? [] : ['the table has a flag set (dormant?): none of its rules is asked'];
  for (const [name, kind] of live.kinds) {
    const wanted = expected.sets.has(name) ? expected.kinds.get(name) : undefined;
    if (wanted !== undefined && wanted !== kind) altered.push(`set ${name}: expected ${wanted}, found ${kind}`);
    else if (wanted === undefined && !live.sets.has(name)) chains.push(`set ${name}: expected absent, found ${kind}`);
  }
  for (const name of new Set([...expected.chains.keys(), ...live.chains.keys()])) {
    const [wanted, found] = [expected.chains.get(name), live.chains.get(name)];
    if (wanted && found && wanted.hook !== found.hook) altered.push(chainWords(name, wanted, found));
    else if (!sameChain(wanted, found)) chains.push(chainWords(name, wanted, found));
  }
  return {
    sets: setDifferences(expected.sets, live.sets),
    chains: [...altered, ...chains],
    altered,
    foreign: {
      chains: [...live.chains.keys()].filter((name) => !expected.chains.has(name) && isForeign(name)),
      sets: [...live.kinds.keys()].filter((name) => !expected.sets.has(name) && isForeign(name)),
    },
  };
}

function setDifferences(expected: LiveTable['sets'], live: LiveTable['sets']): SetDifference[] {
  return [...new Set([...expected.keys(), ...live.keys()])].flatMap((name): SetDifference[] => {
    const [wanted, found] = [expected.get(name), live.get(name)];
    if (wanted !== undefined && found !== undefined && wanted.equals(found)) return [];
    const [a, b] = [wanted ?? IpSet.empty, found ?? IpSet.empty];
    return [{ name, missing: sizeOf(a.subtract(b)), extra: sizeOf(b.subtract(a)) }];
  });
}

function sizeOf(set: IpSet): bigint {
  const { v4, v6 } = set.count();
  return BigInt(v4) + v6;
}

function sameChain(a: LiveChain | undefined, b: LiveChain | undefined): boolean {
  return a !== undefined && b !== undefined && a.hook === b.hook && a.rules.join('\n') === b.rules.join('\n');
}

function chainWords(name: string, wanted: LiveChain | undefined, found: LiveChain | undefined): string {
  const words = (chain: LiveChain | undefined) => (chain ? `${chain.hook}, ${chain.rules.length} rules` : 'absent');
  if (words(wanted) !== words(found)) return `chain ${name}: expected ${words(wanted)}, found ${words(found)}`;
  const at = wanted?.rules.findIndex((rule, i) => rule !== found?.rules[i]) ?? 0;
  return `chain ${name}: rule ${at + 1} should be "${wanted?.rules[at]}", is "${found?.rules[at]}"`;
}

/**
 * Whether an address leaves the single addresses of a family for one of its nets. Within one transaction it would be open for some milliseconds:
 * a refilled interval set is published to packets after the commit, a hash set at once.
 */
export function hasMovesIntoNets(artefact: Artefact, live: LiveTable): boolean {
  const wanted = new Map(namedSets(artefact.sets).map(({ name, prefixes }) => [name as string, prefixes]));
  return [...wanted].some(([name, prefixes]) => {
    const before = live.sets.get(name);
    const nets = wanted.get(name.replace('nodes', 'nets'));
    if (!name.includes('nodes') || before === undefined || nets === undefined) return false;
    return !before.subtract(IpSet.ofPrefixes(prefixes)).intersect(IpSet.ofPrefixes(nets)).isEmpty;
  });
}
