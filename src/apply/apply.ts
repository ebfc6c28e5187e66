import { BlocklistError } from '../errors.js';
import { FAMILY, TABLE } from '../render/layout.js';
import { type Content, type SetDifference, setDifferences, structureDifferences, type Target } from './differences.js';
import { readKeptContent } from './kept.js';
import type { LiveTable } from './live.js';
import { type Loaded, load } from './load.js';
import type { Nft } from './nft.js';
import type { Plan, Situation } from './plan.js';
import { loadStaged } from './staged.js';
import { syncLocal } from './sync-local.js';
import { wayBack } from './way-back.js';

/** What takes our rules out of the kernel in an emergency, without this program. */
export const EMERGENCY = `nft delete table ${FAMILY} ${TABLE}`;

/** What stands in the kernel, and where it came from: only the host-local sets are read. */
export async function situationOf(live: LiveTable | undefined, state: string, artefact: Content): Promise<Situation> {
  const { digest } = live ?? {};
  if (digest === undefined) return { live, base: undefined };
  return { live, base: digest === artefact.digest ? artefact : await readKeptContent(state, digest) };
}

/** How the kernel differs from the target; undefined when it is as it should be. Reads every element. */
export async function drift(nft: Nft, target: Target): Promise<Drift | undefined> {
  const live = await nft.contents();
  if (live === undefined) return { sets: [], structure: ['the table is gone'] };
  const sets = setDifferences(target, live);
  const structure = [...structureDifferences(target.artefact, live).words];
  if (live.digest !== target.artefact.digest) structure.push(`the digest is ${live.digest ?? 'not one of ours'}`);
  return sets.length + structure.length === 0 ? undefined : { sets, structure };
}

export interface Drift {
  readonly sets: readonly SetDifference[];
  /** chains, rules and kinds of sets, in words */
  readonly structure: readonly string[];
}

/** Differences in one line. */
export function driftWords({ sets, structure }: Drift): string {
  const changes = sets.map(({ name, missing, extra }) => `${name}: ${missing} addresses missing, ${extra} too many`);
  return [...changes, ...structure].join('; ');
}

export interface Applied {
  readonly loaded: Loaded;
  /** what was found to differ although the digest was right, and is mended */
  readonly mended: Drift | undefined;
}

/** Without either the load does not count: it is undone. */
export interface Meanwhile {
  /** goes on beside the load */
  readonly beside: () => Promise<void>;
  /** writes down what is loaded, once it is */
  readonly keep: () => Promise<void>;
}

/**
 * Loads, and reads everything back unless told otherwise. What differs is loaded once more, in full; what differs then is rolled back.
 * @throws BlocklistError as Nft.load, what the work beside fails with, and `verify-differs`; the kernel is then as before, and nothing goes on.
 */
export async function loadAndVerify(
  nft: Nft,
  target: Target,
  situation: Situation,
  plan: Plan,
  check: 'read-back' | 'none',
  { beside, keep }: Meanwhile,
): Promise<Applied> {
  const back = situation.live === undefined || situation.base !== undefined ? undefined : await wayBack(nft, situation);
  const ending = Promise.allSettled([beside()]);
  let loaded: Loaded;
  try {
    loaded = await load(nft, target, situation.live, plan);
    for (const end of await ending) if (end.status === 'rejected') throw end.reason;
    const first = check === 'none' ? undefined : await drift(nft, target);
    if (first === undefined) {
      await keep();
      return { loaded, mended: undefined };
    }
    const again: Plan = { kind: 'full', why: driftWords(first), changes: undefined };
    loaded = await load(nft, target, await nft.situation(), again);
    const second = await drift(nft, target);
    if (second === undefined) {
      await keep();
      return { loaded, mended: first };
    }
    throw new BlocklistError('verify-differs', `loaded, but the kernel differs: ${driftWords(second)}`, {
      where: `${FAMILY} ${TABLE}`,
      hint: `another program changes the table: stop it and apply again; to remove the rules: ${EMERGENCY}`,
    });
  } catch (error) {
    await ending;
    throw await rolledBack(nft, target, situation, back, error);
  }
}

/** Undoes what a failed load did, if it did anything, and tells of it. */
async function rolledBack(
  nft: Nft,
  target: Target,
  situation: Situation,
  back: Uint8Array | undefined,
  error: unknown,
) {
  if (!(error instanceof BlocklistError)) return error;
  const now = await nft.structure();
  const isThere = (now === undefined) === (situation.live === undefined);
  const isUntouched = error.code !== 'verify-differs' && isThere && now?.digest === situation.live?.digest;
  if (isUntouched) return error;
  // Each transaction that nft refused says so of itself; one before it went through.
  const what = error.message.replace('; nothing was changed', '');
  const detail = { ...(error.where === undefined ? {} : { where: error.where }), cause: error };
  try {
    await goBack(nft, target, situation, back);
    // Whoever flushed the table took what belongs to this host, too.
    const restored = situation.live === undefined ? undefined : await nft.situation();
    if (restored !== undefined) await syncLocal(nft, target.local, restored);
  } catch (cause) {
    return new BlocklistError(error.code, `${what}; and the way back failed: ${reason(cause)}`, {
      ...detail,
      hint: `blocklist apply, or remove the rules: ${EMERGENCY}`,
    });
  }
  return new BlocklistError(error.code, `${what}; rolled back: the rules are as before`, {
    ...detail,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

/** In one transaction, or staged where the kernel refuses it as too large. */
async function goBack(nft: Nft, target: Target, situation: Situation, back: Uint8Array | undefined): Promise<void> {
  const { base } = situation;
  try {
    await nft.load(back ?? (await wayBack(nft, situation)));
  } catch (error) {
    const isTooLong = error instanceof BlocklistError && error.code === 'nft-message-too-long';
    if (!isTooLong || base === undefined) throw error;
    await loadStaged(nft, { ...target, artefact: base }, await nft.structure());
  }
}

function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace('; nothing was changed', '');
}
