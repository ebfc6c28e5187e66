import type { RuleSets } from '../build/build.js';
import { IpSet } from '../ip/index.js';
import { type LocalElement, localSpecs } from '../render/commands.js';
import {
  chainsOf,
  type LocalSetName,
  type Names,
  namedSets,
  namesIn,
  SEEN_SETS,
  type SetName,
  type SetSpec,
  specOf,
} from '../render/layout.js';
import { rulesOf } from '../render/rules.js';
import { hookText, ruleGist } from './gist.js';
import { kindOf, type LiveChain, type LiveTable } from './live.js';

/** What the host-local sets are to hold. */
export type LocalContent = ReadonlyMap<LocalSetName, readonly LocalElement[]>;

/** What an artefact brings into the kernel. */
export interface Content {
  readonly sets: RuleSets;
  readonly digest: string;
}

/** What the kernel is to hold: what was reviewed, and what belongs to this host alone. */
export interface Target {
  readonly artefact: Content;
  readonly local: LocalContent;
}

/** How one set of the kernel differs from what it should hold, in addresses. */
export interface SetDifference {
  readonly name: SetName | LocalSetName;
  /** wanted and not in the kernel */
  readonly missing: bigint;
  /** in the kernel and not wanted */
  readonly extra: bigint;
}

/** How chains, rules and kinds of sets differ: all that can be seen without reading an element. */
export interface StructureDifferences {
  /** every one of them in words */
  readonly words: readonly string[];
  /** chains of ours that are hooked elsewhere: a load has to delete them first */
  readonly misplaced: readonly string[];
  /** sets of ours that have another type: they cannot be filled, only replaced */
  readonly otherKind: readonly string[];
  /** what is in our table and not ours: a load removes it */
  readonly foreign: { readonly chains: readonly string[]; readonly sets: readonly string[] };
}

/** Compares chains, rules and kinds of sets with the artefact. */
export function structureDifferences({ sets }: Content, live: LiveTable): StructureDifferences {
  const words = live.isActive ? [] : ['the table has a flag set (dormant?): none of its rules is asked'];
  const chains = expectedChains(sets, live.names);
  const specs = new Map<string, SetSpec>(
    [...SEEN_SETS.map(specOf), ...localSpecs(), ...namesIn(sets).map((name) => specOf(live.names(name)))].map(
      (spec) => [spec.name, spec],
    ),
  );
  const misplaced: string[] = [];
  const otherKind: string[] = [];
  for (const name of new Set([...chains.keys(), ...live.chains.keys()])) {
    const [wanted, found] = [chains.get(name), live.chains.get(name)];
    if (!sameChain(wanted, found)) words.push(chainWords(name, wanted, found));
    if (wanted && found && wanted.hook !== found.hook) misplaced.push(name);
  }
  for (const name of new Set([...specs.keys(), ...live.kinds.keys()])) {
    const [wanted, found] = [specs.get(name), live.kinds.get(name)];
    const kind = wanted === undefined ? 'absent' : kindOf(wanted.type, wanted.flags);
    if (kind !== (found ?? 'absent')) words.push(`set ${name}: expected ${kind}, found ${found ?? 'absent'}`);
    if (wanted !== undefined && found !== undefined && kind !== found) otherKind.push(name);
  }
  return {
    words,
    misplaced,
    otherKind,
    foreign: {
      chains: [...live.chains.keys()].filter((name) => !chains.has(name)),
      sets: [...live.kinds.keys()].filter((name) => !specs.has(name)),
    },
  };
}

function expectedChains(sets: RuleSets, names: Names): Map<string, LiveChain> {
  const rules = rulesOf(sets, names);
  return new Map(
    chainsOf(sets).map(({ name, hook }) => [
      name,
      {
        hook: hookText(hook === undefined ? {} : { hook: hook.name, prio: hook.priority, policy: 'accept' }),
        rules: rules.filter(({ chain }) => chain === name).map(({ json }) => ruleGist(json)),
      },
    ]),
  );
}

/** Who ends within this has ended, or has not: a look takes a while, and the kernel rounds. */
const ENDING_SECONDS = 10;

/** Compares every address that was read from the kernel with what should be there; empty when they agree. */
export function setDifferences({ artefact, local }: Target, live: LiveTable): SetDifference[] {
  const listed = namedSets(artefact.sets).flatMap(({ name, prefixes }) => {
    const set = IpSet.ofPrefixes(prefixes);
    const found = live.sets.get(live.names(name)) ?? IpSet.empty;
    return set.equals(found) ? [] : [difference(name, [set, found], [set, found])];
  });
  const here = [...local].flatMap(([name, elements]) => {
    const [wanted, found] = [setOf(elements), live.sets.get(name) ?? IpSet.empty];
    if (wanted.equals(found)) return [];
    const lasting = [setOf(elements.filter(isLasting)), setOf((live.local.get(name) ?? []).filter(isLasting))] as const;
    const differs = difference(name, [lasting[0], found], [wanted, lasting[1]]);
    return differs.missing + differs.extra === 0n ? [] : [differs];
  });
  return [...listed, ...here];
}

function difference(
  name: SetDifference['name'],
  [wanted, found]: readonly [IpSet, IpSet],
  [known, there]: readonly [IpSet, IpSet],
): SetDifference {
  return { name, missing: sizeOf(wanted.subtract(found)), extra: sizeOf(there.subtract(known)) };
}

function isLasting({ seconds }: LocalElement): boolean {
  return seconds === undefined || seconds > ENDING_SECONDS;
}

function setOf(elements: readonly LocalElement[]): IpSet {
  return IpSet.from(elements.map(({ prefix }) => prefix));
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
