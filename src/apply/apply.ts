import { BlocklistError } from '../errors.js';
import type { Prefix } from '../ip/index.js';
import { FAMILY, netCommands, TABLE } from '../render/commands.js';
import { printText } from '../render/nft-text.js';
import type { Artefact } from './artefact-store.js';
import { type Differences, differences, hasMovesIntoNets } from './differences.js';
import { type LiveTable, parseTable } from './live.js';
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
  const live = state.isPresent ? parseTable(await nft.listTable()) : undefined;
  const found = differences(artefact, live ?? NO_TABLE);
  const same = state.digest === artefact.digest && found.sets.length === 0 && found.chains.length === 0;
  return { kind: same ? 'nothing' : 'load', loaded: state.digest, live, differences: found };
}

const NO_TABLE: LiveTable = {
  isActive: true,
  sets: new Map(),
  kinds: new Map(),
  chains: new Map(),
  dropped: { packets: 0, bytes: 0 },
};

/**
 * Everything that speaks against loading and is known without loading. Changes nothing.
 * @throws BlocklistError `lockout`, `table-altered`, and what nft says of the script
 */
export async function requireLoadable(
  nft: Nft,
  artefact: Artefact,
  plan: Plan,
  admins: readonly Prefix[],
): Promise<void> {
  requireAdminsPass(artefact, admins);
  const { altered } = plan.differences;
  if (altered.length > 0) {
    throw new BlocklistError(
      'table-altered',
      `our table was altered by hand: ${altered.join('; ')}; nothing was changed`,
      {
        where: `${FAMILY} ${TABLE}`,
        hint: 'what is altered cannot be changed in place: blocklist unload, then blocklist apply',
      },
    );
  }
  // What the kernel holds already needs no check; and nft judges by the table as it is now, of which a dormant one takes no chain.
  if (plan.kind === 'load' && plan.live?.isActive !== false) await nft.check(artefact.script);
}

/**
 * Loads the artefact in one transaction and reads everything back. When addresses move from a node into a net, the nets are refilled in a
 * transaction before it, so that these addresses are covered throughout.
 * @throws BlocklistError as Nft.load (the kernel is then as before); `verify-differs` when the kernel holds something else afterwards.
 */
export async function loadAndVerify(nft: Nft, artefact: Artefact, plan: Plan): Promise<void> {
  // A dormant table wakes when it is declared without the flag; the kernel refuses to hook chains in the same transaction.
  if (plan.live?.isActive === false) await nft.load(Buffer.from(`add table ${FAMILY} ${TABLE}\n`));
  if (plan.live !== undefined && hasMovesIntoNets(artefact, plan.live)) {
    await nft.load(printText([], netCommands(artefact.sets)));
  }
  await nft.load(Buffer.concat([artefact.script, Buffer.from(removal(plan.differences.foreign))]));
  const after = await makePlan(nft, artefact);
  if (after.kind === 'nothing') return;
  throw new BlocklistError('verify-differs', `loaded, but the kernel differs: ${inWords(after.differences)}`, {
    where: `${FAMILY} ${TABLE}`,
    hint: `another program may have changed the table meanwhile: apply again; to remove the rules: ${EMERGENCY}`,
  });
}

/** Takes what is not ours out of our table; it stands behind our own script, which has emptied the chains that could refer to it. */
function removal({ chains, sets }: Differences['foreign']): string {
  const lines = [
    ...chains.map((name) => `flush chain ${FAMILY} ${TABLE} ${name}`),
    ...chains.map((name) => `delete chain ${FAMILY} ${TABLE} ${name}`),
    ...sets.map((name) => `delete set ${FAMILY} ${TABLE} ${name}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Differences in one line. */
export function inWords({ sets, chains }: Differences): string {
  const changes = sets.map(({ name, missing, extra }) => `${name}: ${missing} addresses missing, ${extra} too many`);
  return [...changes, ...chains].join('; ');
}
