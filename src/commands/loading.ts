import { type Applied, loadAndVerify, situationOf } from '../apply/apply.js';
import type { Artefact } from '../apply/artefact.js';
import { recordLoad, stash } from '../apply/kept.js';
import type { Nft } from '../apply/nft.js';
import { closePending, openPending, readPending } from '../apply/pending.js';
import { type Plan, planOf, type Situation } from '../apply/plan.js';
import { cutConnections, droppedPeers, type Ended, endSessions } from '../apply/sessions.js';
import { removeLeftovers } from '../apply/staged.js';
import { wayBack } from '../apply/way-back.js';
import type { Socket } from '../host/sockets.js';
import type { IpSet } from '../ip/index.js';
import type { Loadable } from './artefact.js';
import type { Context, GlobalOptions } from './context.js';
import { type Local, localOf } from './local.js';
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
  /** whose packets the rules drop */
  readonly dropped: IpSet;
  /** the live connections among them */
  readonly connections: readonly Socket[];
}

/** Gathers facts, guards against a lockout, and plans. Changes nothing. @throws BlocklistError `lockout` */
export async function prepare(
  nft: Nft,
  { artefact, title }: Loadable,
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<Work> {
  const [local, situation] = await Promise.all([localOf(project, context), situationOf(nft, project.state, artefact)]);
  await requireNoLockout(artefact.sets, artefact.folder, local, project, options, context);
  const dropped = droppedPeers(artefact, local.banned, local.open);
  const connections = await cutConnections(dropped);
  return { artefact, title, local, situation, plan: planOf(artefact, situation), dropped, connections };
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
  const situation = await withoutLeftovers(nft, work.situation);
  const now = context.now();
  const isWatched = how.confirmMs !== undefined && plan.kind !== 'nothing';
  if (isWatched) {
    const script = await wayBack(nft, situation);
    const from = situation.live?.digest ?? null;
    await openPending(state, { script, ms: how.confirmMs ?? 0, now, from, to: artefact.digest });
  }
  // Beside the load, since it takes a while; what comes of it is told in `keep`.
  const stashed = stash(state, artefact);
  const stashEnd = stashed.catch(() => undefined);
  try {
    const target = { artefact, local: local.content };
    const keep = async () => {
      await stashed;
      await recordLoad(state, artefact.digest, now);
    };
    const applied = await loadAndVerify(nft, target, situation, plan, how.check, keep);
    return { ...applied, ended: await endSessions(work.dropped, work.connections) };
  } catch (error) {
    const pending = isWatched ? await readPending(state) : undefined;
    if (pending !== undefined) await closePending(state, pending);
    throw error;
  } finally {
    await stashEnd;
  }
}

async function withoutLeftovers(nft: Nft, situation: Situation): Promise<Situation> {
  if (situation.live === undefined || !(await removeLeftovers(nft, situation.live))) return situation;
  return { ...situation, live: await nft.structure() };
}
