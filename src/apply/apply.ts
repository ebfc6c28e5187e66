import { BlocklistError } from '../errors.js';
import type { Prefix } from '../ip/index.js';
import { FAMILY, TABLE } from '../render/commands.js';
import type { Artefact } from './artefact-store.js';
import { type Differences, differences, type LiveTable, parseTable } from './live.js';
import { requireAdminsPass } from './lockout.js';
import type { Nft } from './nft.js';

/** What takes our rules out of the kernel in an emergency, without this program. */
export const EMERGENCY = `nft delete table ${FAMILY} ${TABLE}`;

/** What an apply would do to the kernel. */
export interface Plan {
  /** nothing: the kernel holds exactly this; load: one transaction that flushes and refills everything of ours */
  readonly kind: 'nothing' | 'load';
  /** digest in the kernel, undefined when nothing of ours is loaded */
  readonly loaded: string | undefined;
  /** our table as it is, undefined when there is none */
  readonly live: LiveTable | undefined;
  /** what the kernel holds otherwise than the artefact */
  readonly differences: Differences;
}

/** Compares the kernel with the artefact. Reads every element, changes nothing. */
export async function makePlan(nft: Nft, artefact: Artefact): Promise<Plan> {
  const state = await nft.loadedState();
  const live = state.setNames.length > 0 ? parseTable(await nft.listTable()) : undefined;
  const found = differences(artefact, live ?? NO_TABLE);
  const same = state.digest === artefact.digest && found.sets.length === 0 && found.chains.length === 0;
  return { kind: same ? 'nothing' : 'load', loaded: state.digest, live, differences: found };
}

const NO_TABLE: LiveTable = { sets: new Map(), chains: new Map(), dropped: { packets: 0, bytes: 0 } };

/** Everything that may speak against loading, in the order of its cost. @throws BlocklistError */
export async function requireLoadable(nft: Nft, artefact: Artefact, admins: readonly Prefix[]): Promise<void> {
  requireAdminsPass(artefact, admins);
  await nft.requireVersion();
  await nft.check(artefact.script);
}

/**
 * Loads the artefact in one transaction and reads everything back.
 * @throws BlocklistError as Nft.load (the kernel is then as before); `verify-differs` when the kernel holds something else afterwards.
 */
export async function loadAndVerify(nft: Nft, artefact: Artefact): Promise<void> {
  await nft.load(artefact.script);
  const after = await makePlan(nft, artefact);
  if (after.kind === 'nothing') return;
  throw new BlocklistError('verify-differs', `loaded, but the kernel differs: ${inWords(after.differences)}`, {
    where: `${FAMILY} ${TABLE}`,
    hint: `another program may have changed the table meanwhile: apply again; to remove the rules: ${EMERGENCY}`,
  });
}

/** Differences in one line. */
export function inWords({ sets, chains }: Differences): string {
  const changes = sets.map(({ name, missing, extra }) => `${name}: ${missing} addresses missing, ${extra} too many`);
  return [...changes, ...chains].join('; ');
}
