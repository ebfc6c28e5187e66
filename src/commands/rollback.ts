import { hold } from '../apply/hold.js';
import { keptLoads, readKept } from '../apply/kept.js';
import { Nft } from '../apply/nft.js';
import { closePending, isWaiting, readPending } from '../apply/pending.js';
import { requireRight } from '../apply/right.js';
import { holdBefore, settle } from '../apply/settle.js';
import { wayBackFile } from '../apply/watchdog.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { minuteText } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { readWhole } from '../io/read.js';
import { type Loadable, loadable } from './artefact.js';
import { authorOf } from './author.js';
import { type Command, type Context, say } from './context.js';
import { carryOut, prepare } from './loading.js';
import { openProject, type Project } from './project.js';
import { tellDone, tellPlan } from './tell-apply.js';

export interface RollbackOptions {
  /** begin of a digest, with or without `sha256:`; undefined: what was loaded before */
  readonly digest?: string | undefined;
  readonly dryRun?: boolean;
}

/** Goes back to rules that were loaded earlier; they stay until a person runs apply. */
export const run: Command<RollbackOptions> = async (options, context) => {
  const project = await openProject(options, context, 'none');
  const nft = new Nft();
  await requireRight();
  if (options.dryRun === true) {
    await tellPlan(
      await prepare(nft, () => earlier(nft, project, options.digest, context), project, options, context),
      project,
      options,
      context,
    );
    return ExitStatus.done;
  }
  return withLock(project.state, async () => {
    if (options.digest === undefined && (await wentBackAtOnce(nft, project, context))) {
      say(
        context,
        options,
        'went back to what was loaded before the unconfirmed load; it stays until a person runs apply',
      );
      return ExitStatus.done;
    }
    if ((await settle(nft, project.state, context.now())) === 'it went back' && options.digest === undefined) {
      say(context, options, 'nothing to do: it went back already, as nobody confirmed the last load');
      return ExitStatus.done;
    }
    const chosen = await earlier(nft, project, options.digest, context);
    const work = await prepare(nft, async () => chosen, project, options, context);
    const how = { confirmMs: undefined, check: 'read-back' } as const;
    const done = await carryOut(nft, work, how, project, context);
    const decision = { at: context.now(), by: authorOf(context), digest: chosen.artefact.digest };
    await hold(project.state, { what: 'rolled-back', ...decision });
    const status = await tellDone(work, done, how, project, options, context);
    say(context, options, 'these rules stay until a person runs apply');
    return status;
  });
};

/** While a load waits for its confirmation, its way back is the one to take. It stays armed until it has been gone. */
async function wentBackAtOnce(nft: Nft, { state }: Project, context: Context): Promise<boolean> {
  const pending = await readPending(state);
  const isOpen = pending !== undefined && (await isWaiting(pending, context.now()));
  const script = isOpen ? await readWhole(wayBackFile(state), Number.POSITIVE_INFINITY) : undefined;
  if (pending === undefined || script === undefined) return false;
  await nft.load(script);
  await holdBefore(state, pending.from, context.now(), authorOf(context));
  await closePending(state, pending);
  return true;
}

/** The kept artefact that was loaded before what is loaded now, or the one whose digest was named. @throws BlocklistError `nothing-kept` */
async function earlier(
  nft: Nft,
  { state, config }: Project,
  wanted: string | undefined,
  context: Context,
): Promise<Loadable> {
  const loads = await keptLoads(state);
  const loaded = (await nft.structure())?.digest;
  const now = loads.findIndex(({ digest }) => digest === loaded);
  const found =
    wanted === undefined
      ? loads.slice(0, now < 0 ? loads.length : now).slice(-1)
      : loads.filter(({ digest }) => digest.replace('sha256:', '').startsWith(wanted.replace('sha256:', '')));
  if (wanted !== undefined && found.length > 1)
    throw nothing('more than one of the kept rules begins like this', state, loads);
  const artefact = found[0] === undefined ? undefined : await readKept(state, found[0].digest);
  if (artefact !== undefined) return loadable(artefact, `the rules ${artefact.digest.slice(7, 19)}`, config, context);
  throw nothing(wanted === undefined ? 'no earlier rules are kept' : 'no such rules are kept', state, loads);
}

function nothing(what: string, state: string, loads: readonly { digest: string; at: number }[]): BlocklistError {
  const known = loads.map(({ digest, at }) => `${digest.slice(7, 19)} of ${minuteText(at)}`);
  return new BlocklistError('nothing-kept', `${what}; nothing was changed`, {
    where: state,
    hint: known.length === 0 ? 'nothing was loaded on this host yet' : `kept are ${known.join(', ')}`,
  });
}
