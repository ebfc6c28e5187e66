import { type Applied, loadAndVerify, situationOf } from '../apply/apply.js';
import type { Artefact } from '../apply/artefact.js';
import { isBootOf, stageBoot } from '../apply/boot.js';
import { readHold } from '../apply/hold.js';
import { isStashed, keptLoads, recordLoad, stash } from '../apply/kept.js';
import type { Nft } from '../apply/nft.js';
import { closePending, openPending, readPending } from '../apply/pending.js';
import { type Plan, planOf, type Situation } from '../apply/plan.js';
import { droppedBy, type Ended, endSessions, type IsDropped, NOTHING_ENDED } from '../apply/sessions.js';
import { removeLeftovers } from '../apply/staged.js';
import { exactWayBack } from '../apply/way-back.js';
import type { Loadable } from './artefact.js';
import type { Context, GlobalOptions } from './context.js';
import { type Local, localFacts, localWith } from './local.js';
import { requireNoLockout } from './lockout.js';
import type { Project } from './project.js';

/** Everything that is known before anything is changed. */
export interface Work {
  readonly artefact: Artefact;
  /** what the artefact is called in words */
  readonly title: string;
  readonly local: Local;
  readonly situation: Situation;
  readonly plan: Plan;
  /** whether a copy of the artefact, byte for byte, is kept of an earlier load */
  readonly isStashedAlready: boolean;
  /** whose packets the rules drop */
  readonly isDropped: IsDropped;
  /** interfaces that the rules pass by */
  readonly skipped: readonly string[];
  /** something was loaded, nobody unloaded it, and it is not there */
  readonly isGone: boolean;
}

/** Gathers facts, guards against a lockout, and plans. Changes nothing. @throws BlocklistError `lockout`, and what `read` throws */
export async function prepare(
  nft: Nft,
  read: () => Promise<Loadable>,
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<Work> {
  // Programs are started while this process is small: with the rules in memory each start takes 5 ms longer.
  const [facts, live, { artefact, title, prove }] = await Promise.all([
    localFacts(project, context),
    nft.situation(),
    read(),
  ]);
  const local = await localWith(facts, project, context, artefact.manifest);
  const situation = await situationOf(live, project.state, artefact);
  const plan = planOf(artefact, situation);
  const isStashedAlready = plan.kind === 'nothing' && (await isStashed(project.state, artefact));
  if (!isStashedAlready) await prove();
  if (plan.kind !== 'nothing') {
    await requireNoLockout(artefact.sets, artefact.folder, local, project, options, context);
  }
  const isGone =
    live === undefined && (await keptLoads(project.state)).length > 0 && (await readHold(project.state)) === undefined;
  const isDropped = droppedBy(artefact, local.banned, local.open);
  const skipped = artefact.sets.policy?.skipInterfaces ?? [];
  return { artefact, title, local, situation, plan, isStashedAlready, isDropped, skipped, isGone };
}

export interface HowToLoad {
  /** milliseconds after which it goes back unless confirmed; undefined: it stays */
  readonly confirmMs: number | undefined;
  readonly check: 'read-back' | 'none';
}

export interface Done extends Applied {
  readonly ended: Ended;
}

/** Loads what was prepared, under the lock of the state folder. @throws as loadAndVerify; the kernel is then as before. */
export async function carryOut(
  nft: Nft,
  work: Work,
  how: HowToLoad,
  project: Project,
  context: Context,
): Promise<Done> {
  const { artefact, local, plan } = work;
  const { state } = project;
  // Damaged notes end it here, before anything is changed.
  await keptLoads(state);
  const situation = await withoutLeftovers(nft, work.situation);
  const isWatched = how.confirmMs !== undefined && plan.kind !== 'nothing';
  if (isWatched) {
    const script = await exactWayBack(nft, situation);
    // It is loaded as one transaction, by plain nft. Where the kernel refuses it as too large, nobody should count on it.
    await nft.check(script);
    const from = situation.live?.digest ?? null;
    await openPending(state, { script, ms: how.confirmMs ?? 0, now: context.now(), from, to: artefact.digest });
  }
  try {
    const target = { artefact, local: local.content };
    // Every byte of the boot copy is looked at whenever every element is.
    const isNew = plan.kind !== 'nothing' || how.check === 'read-back' || !(await isBootOf(state, artefact.digest));
    let turnBoot: (() => Promise<void>) | undefined;
    const beside = async () => {
      if (!work.isStashedAlready) await stash(state, artefact);
      // What may go back by itself is not what the next boot should load.
      if (isNew && !isWatched) turnBoot = await stageBoot(state, artefact, local.content);
    };
    const keep = async () => {
      await recordLoad(state, artefact.digest, context.now());
      await turnBoot?.();
    };
    const applied = await loadAndVerify(nft, target, situation, plan, how.check, { beside, keep });
    const ended = applied.loaded === 'nothing' ? NOTHING_ENDED : await endSessions(work.isDropped, work.skipped);
    return { ...applied, ended };
  } catch (error) {
    const pending = isWatched ? await readPending(state) : undefined;
    if (pending !== undefined) await closePending(state, pending);
    throw error;
  }
}

async function withoutLeftovers(nft: Nft, situation: Situation): Promise<Situation> {
  if (situation.live === undefined || !(await removeLeftovers(nft, situation.live))) return situation;
  return { ...situation, live: await nft.situation() };
}
