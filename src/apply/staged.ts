import { slicePrefixes } from '../ip/index.js';
import { chainCommands, declarations, type KernelCommand, newState } from '../render/commands.js';
import {
  type KernelName,
  type Names,
  namedSets,
  otherName,
  SET_NAMES,
  specOf,
  stateComment,
} from '../render/layout.js';
import { clearing, localAdds } from './clearing.js';
import type { Target } from './differences.js';
import type { LiveTable } from './live.js';
import type { Nft } from './nft.js';
import { isNodes } from './plan.js';

/** Elements of one transaction that goes through everywhere: measured in a user namespace with `wmem_max` at 4 MiB. */
const CHUNK = { nodes: 10_000, nets: 5_000 } as const;

/** Every name that a set of listed addresses can have in the kernel. */
const LISTED: readonly KernelName[] = SET_NAMES.flatMap((name) => [name, otherName(name)]);

/**
 * Fills new sets beside the old ones in chunks, turns the rules to them, and deletes the old ones. Packets never see a half set.
 * For kernels that refuse a large transaction (a container that may not force its send buffer), and for sets of another type.
 * @throws BlocklistError as Nft.load; before the turn the rules are as they were.
 */
export async function loadStaged(nft: Nft, target: Target, live: LiveTable | undefined): Promise<void> {
  const { artefact } = target;
  const inUse: Names = live?.names ?? ((name) => name);
  const names: Names = (name) => (live?.kinds.has(inUse(name)) === true ? otherName(inUse(name)) : inUse(name));
  const sets = namedSets(artefact.sets);
  const fresh = sets.map(({ name }) => names(name));
  const there = live === undefined ? [] : LISTED.filter((name) => live.kinds.has(name));
  // What a killed staging left has some of the new names.
  await nft.commit(removed(there.filter((name) => fresh.includes(name))));
  await nft.commit(declarations(fresh.map(specOf)));
  for (const { name, prefixes } of sets) {
    const size = isNodes(name) ? CHUNK.nodes : CHUNK.nets;
    for (let at = 0; at < prefixes.size; at += size) {
      const part = slicePrefixes(prefixes, at, size);
      await nft.commit([{ do: 'add-elements', set: specOf(names(name)), prefixes: part }]);
    }
  }
  await nft.commit([
    ...(live === undefined ? [] : clearing(target, live)),
    ...localAdds(target, live),
    ...chainCommands(artefact.sets, names),
    ...newState(stateComment(artefact.digest)),
  ]);
  await nft.commit(removed(there.filter((name) => !fresh.includes(name))));
}

/**
 * Removes what a killed staging left: second sets that no rule looks at. They would only take memory.
 * @returns whether there was any
 */
export async function removeLeftovers(nft: Nft, live: LiveTable): Promise<boolean> {
  const used = new Set(SET_NAMES.map(live.names));
  const unused = LISTED.filter((name) => live.kinds.has(name) && !used.has(name));
  await nft.commit(removed(unused));
  return unused.length > 0;
}

function removed(names: readonly KernelName[]): KernelCommand[] {
  return names.map((name) => ({ do: 'remove', what: 'set', name }) as const);
}
