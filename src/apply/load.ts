import { BlocklistError } from '../errors.js';
import type { Prefixes } from '../ip/index.js';
import {
  additions,
  createCommands,
  type KernelCommand,
  loadCommands,
  newState,
  refillNets,
} from '../render/commands.js';
import { LOCAL_SETS, type Names, namesIn, SEEN_SETS, type SetSpec, specOf, stateComment } from '../render/layout.js';
import { clearing, foreignSets, localAdds } from './clearing.js';
import { structureDifferences, type Target } from './differences.js';
import type { LiveTable } from './live.js';
import type { Nft } from './nft.js';
import { hasMovesIntoNets, isNodes, type Plan } from './plan.js';
import { loadStaged } from './staged.js';
import { syncLocal } from './sync-local.js';

/** How the kernel was brought there: as planned, or by the path for kernels that refuse large transactions. */
export type Loaded = Plan['kind'] | 'staged';

/** Stands in the `state` set between two transactions of one change: what is loaded is then no artefact's. */
const CHANGING = stateComment('changing');

/**
 * Makes the kernel hold the target. At no moment an address that stays listed is open. A delta that the kernel refuses becomes a full
 * refill, and a transaction that is too large for it is staged.
 * @throws BlocklistError as Nft.load
 */
export async function load(nft: Nft, target: Target, live: LiveTable | undefined, plan: Plan): Promise<Loaded> {
  if (live !== undefined) {
    // A dormant table wakes when it is declared without the flag; the kernel refuses to hook chains in the same transaction.
    if (!live.isActive) await nft.commit([{ do: 'add-table' }]);
    await syncLocal(nft, target.local, live);
  }
  if (plan.kind === 'nothing') return 'nothing';
  if (plan.kind === 'delta' && live !== undefined) {
    if (await loadDelta(nft, target, live.names, plan)) return 'delta';
  }
  try {
    if (live === undefined || !hasListedOfOtherKind(target, live)) {
      await loadFull(nft, target, live, plan);
      return 'full';
    }
  } catch (error) {
    if (!isCode(error, 'nft-message-too-long')) throw error;
  }
  await loadStaged(nft, target, live);
  return 'staged';
}

/** Such sets cannot be filled; new ones of the right type can be filled beside them. */
function hasListedOfOtherKind({ artefact }: Target, live: LiveTable): boolean {
  const { otherKind } = structureDifferences(artefact, live);
  return otherKind.some((name) => ![...LOCAL_SETS, ...SEEN_SETS].some((each) => each === name));
}

function isCode(error: unknown, ...codes: readonly BlocklistError['code'][]): error is BlocklistError {
  return error instanceof BlocklistError && codes.includes(error.code);
}

/**
 * First all that adds, then all that removes: an address that moves from node to net is covered throughout. Where none does, it is one transaction:
 * added nodes are seen at once, and an interval set is the old one to packets until the refilled one is published.
 */
async function loadDelta(
  nft: Nft,
  { artefact }: Target,
  names: Names,
  { changes, transactions }: Extract<Plan, { kind: 'delta' }>,
): Promise<boolean> {
  const nodes = changes.filter(({ name }) => isNodes(name));
  const nets = new Set(changes.map(({ name }) => name).filter((name) => !isNodes(name)));
  const adds: KernelCommand[] = [
    ...nodes.flatMap(({ name, added }) => elements('add-elements', specOf(names(name)), added)),
    ...refillNets(artefact.sets, names, (name) => nets.has(name)),
  ];
  const removes = nodes.flatMap(({ name, removed }) => elements('delete-elements', specOf(names(name)), removed));
  const done = newState(stateComment(artefact.digest));
  const inOne = () => nft.commit([...adds, ...removes, ...done]);
  const inTwo = async () => {
    await nft.commit([...adds, ...newState(CHANGING)]);
    await nft.commit([...removes, ...done]);
  };
  // What is too large for one transaction may pass as two.
  for (const load of transactions === 1 ? [inOne, inTwo] : [inTwo]) {
    try {
      await load();
      return true;
    } catch (error) {
      if (isCode(error, 'nft-refused')) return false;
      if (!isCode(error, 'nft-message-too-long')) throw error;
    }
  }
  return false;
}

function elements(what: 'add-elements' | 'delete-elements', set: SetSpec, prefixes: Prefixes): KernelCommand[] {
  return prefixes.size === 0 ? [] : [{ do: what, set, prefixes }];
}

/** What fails half-way is removed: it was not there before. */
async function loadFirst(nft: Nft, target: Target): Promise<void> {
  const { sets, elements: groups, chains } = createCommands(target.artefact.sets, target.artefact.digest);
  await nft.commit([...sets, ...localAdds(target, undefined)]);
  try {
    const ends = await Promise.allSettled(groups.map((group) => nft.commit(group)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    await nft.commit(chains);
  } catch (error) {
    await nft.deleteTable();
    throw error;
  }
}

async function loadFull(nft: Nft, target: Target, live: LiveTable | undefined, plan: Plan): Promise<void> {
  const { artefact } = target;
  if (live === undefined) {
    await loadFirst(nft, target);
    return;
  }
  const changes = plan.kind === 'full' ? plan.changes : undefined;
  // With the nodes: an address that moves from net to node at the same time would be in neither between the two transactions.
  // So is a set that is new: that of `only` would keep everybody out while it seems empty to packets.
  const isNew = namesIn(artefact.sets).some((name) => !live.kinds.has(live.names(name)));
  if (changes === undefined || isNew || hasMovesIntoNets(artefact.sets, changes)) {
    await nft.commit([...additions(artefact.sets, live.names), ...newState(CHANGING)]);
  }
  await nft.commit([
    ...clearing(target, live),
    ...loadCommands(artefact.sets, artefact.digest, live.names),
    ...localAdds(target, live),
    ...foreignSets(target, live),
  ]);
}
