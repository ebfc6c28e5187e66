import type { RuleSets } from '../build/build.js';
import type { Prefix, Prefixes } from '../ip/index.js';
import {
  type ChainSpec,
  COUNTERS,
  type CounterName,
  chainsOf,
  FIRST_NAMES,
  LOCAL_SETS,
  type LocalSetName,
  type Names,
  namedSets,
  SEEN_SETS,
  type SetName,
  type SetSpec,
  specOf,
  stateComment,
  stateSpec,
  unusedIn,
} from './layout.js';
import type { Rule } from './rule.js';
import { rulesOf } from './rules.js';

/** The work for the kernel as data: lists of commands, from which scripts and the JSON are printed. */

/** What an artefact is made of. */
export type NftCommand =
  | { readonly do: 'add-table' }
  | { readonly do: 'add-counter'; readonly name: CounterName }
  | { readonly do: 'add-set' | 'flush-set' | 'delete-set'; readonly set: SetSpec }
  | { readonly do: 'add-chain' | 'flush-chain' | 'delete-chain'; readonly chain: ChainSpec }
  | { readonly do: 'add-rule'; readonly rule: Rule }
  | { readonly do: 'add-elements'; readonly set: SetSpec; readonly prefixes: Prefixes };

/** An element of a host-local set. */
export interface LocalElement {
  readonly prefix: Prefix;
  /** whole seconds until the kernel removes it; undefined: it stays */
  readonly seconds: number | undefined;
}

/** What only an apply does, on this host: as text, never as part of an artefact. */
export type KernelCommand =
  | NftCommand
  | { readonly do: 'delete-elements'; readonly set: SetSpec; readonly prefixes: Prefixes }
  /** an object of our table by its name alone: somebody else may have made it */
  | { readonly do: 'empty' | 'remove'; readonly what: 'chain' | 'set'; readonly name: string }
  | {
      readonly do: 'add-local' | 'delete-local';
      readonly set: SetSpec;
      readonly elements: readonly LocalElement[];
    };

/**
 * Everything that makes the kernel hold these sets, from any earlier state of our table, in one transaction. Sets are
 * flushed and refilled, never replaced: a fresh interval set would be empty to packets for some 10 ms after the commit.
 */
export function loadCommands(ruleSets: RuleSets, digest: string, names: Names = FIRST_NAMES): NftCommand[] {
  const sets = setSpecs(ruleSets, names);
  const chains = chainsOf(ruleSets);
  return [
    ...declarations([...localSpecs(), ...sets]),
    ...each('add-chain', chains),
    ...each('flush-chain', chains),
    ...withoutUnused(ruleSets),
    ...sets.map((set) => ({ do: 'flush-set', set }) as const),
    ...elements(ruleSets, names),
    ...rules(ruleSets, names),
    ...newState(stateComment(digest)),
  ];
}

/**
 * The first load, where nothing of ours is in the kernel, in three steps: all sets, empty; their elements, whose groups may be loaded side by side, since
 * nft spends half of its time on reading text; and last the chains, with which the sets begin to count, all at once.
 */
export function createCommands(ruleSets: RuleSets, digest: string) {
  const filled = elements(ruleSets, FIRST_NAMES);
  const isOf = (kind: 'nodes' | 'nets') => (command: NftCommand) => 'set' in command && command.set.name.includes(kind);
  return {
    sets: declarations([...localSpecs(), ...setSpecs(ruleSets, FIRST_NAMES)]),
    elements: [filled.filter(isOf('nodes')), filled.filter(isOf('nets'))],
    chains: [
      ...each('add-chain', chainsOf(ruleSets)),
      ...rules(ruleSets, FIRST_NAMES),
      { do: 'add-set', set: stateSpec(stateComment(digest)) } as const,
    ],
  };
}

/** The sets of `names`, new where they are missing, with all that is listed: nodes added to those that are there, interval sets refilled. */
export function additions(ruleSets: RuleSets, names: Names): NftCommand[] {
  const isAdded = (command: NftCommand) => 'set' in command && !command.set.flags.includes('interval');
  return [
    ...declarations(setSpecs(ruleSets, names)),
    ...elements(ruleSets, names).filter(isAdded),
    ...refillNets(ruleSets, names),
  ];
}

/** The interval sets of `names`, or those of them that are wanted, flushed and refilled. */
export function refillNets(
  ruleSets: RuleSets,
  names: Names,
  isWanted: (name: SetName) => boolean = () => true,
): NftCommand[] {
  return namedSets(ruleSets).flatMap(({ name, prefixes }) => {
    const set = specOf(names(name));
    if (!set.flags.includes('interval') || !isWanted(name)) return [];
    const refill: NftCommand[] = [{ do: 'flush-set', set }];
    if (prefixes.size > 0) refill.push({ do: 'add-elements', set, prefixes });
    return refill;
  });
}

/** The `state` set anew: `add` before `delete` makes the deletion right whether or not the object is there. */
export function newState(comment: string): NftCommand[] {
  const bare = stateSpec(undefined);
  return [
    { do: 'add-set', set: bare },
    { do: 'delete-set', set: bare },
    { do: 'add-set', set: stateSpec(comment) },
  ];
}

/** The table, its counters, the sets that the rules fill, and these sets, all empty when they are new. */
export function declarations(sets: readonly SetSpec[]): NftCommand[] {
  return [
    { do: 'add-table' },
    ...COUNTERS.map((name) => ({ do: 'add-counter', name }) as const),
    ...[...SEEN_SETS.map(specOf), ...sets].map((set) => ({ do: 'add-set', set }) as const),
  ];
}

export function localSpecs(): Array<SetSpec & { readonly name: LocalSetName }> {
  return LOCAL_SETS.map((name) => ({ ...specOf(name), name }));
}

/** All chains with their rules, in place of the rules that they have. */
export function chainCommands(ruleSets: RuleSets, names: Names): NftCommand[] {
  const chains = chainsOf(ruleSets);
  return [...each('add-chain', chains), ...each('flush-chain', chains), ...rules(ruleSets, names)];
}

function setSpecs(ruleSets: RuleSets, names: Names): SetSpec[] {
  return namedSets(ruleSets).map(({ name }) => specOf(names(name)));
}

function elements(ruleSets: RuleSets, names: Names): NftCommand[] {
  return namedSets(ruleSets)
    .filter(({ prefixes }) => prefixes.size > 0)
    .map(({ name, prefixes }) => ({ do: 'add-elements', set: specOf(names(name)), prefixes }) as const);
}

function rules(ruleSets: RuleSets, names: Names): NftCommand[] {
  return rulesOf(ruleSets, names).map((rule) => ({ do: 'add-rule', rule }) as const);
}

function each(what: 'add-chain' | 'flush-chain' | 'delete-chain', chains: readonly ChainSpec[]): NftCommand[] {
  return chains.map((chain) => ({ do: what, chain }) as const);
}

/** An earlier load may have had outbound sets, or those of `only`: they go, as no chain of ours looks at them any more. */
function withoutUnused(ruleSets: RuleSets): NftCommand[] {
  const { chains, sets } = unusedIn(ruleSets);
  return [
    ...each('add-chain', chains),
    ...each('flush-chain', chains),
    ...each('delete-chain', chains),
    ...sets.flatMap((name) => {
      const set = specOf(name);
      return [{ do: 'add-set', set } as const, { do: 'delete-set', set } as const];
    }),
  ];
}
