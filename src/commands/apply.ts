import { readHold, release } from '../apply/hold.js';
import { readKept } from '../apply/kept.js';
import { Nft } from '../apply/nft.js';
import { requireRight } from '../apply/right.js';
import { settle } from '../apply/settle.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { minuteText } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { artefactOf, type Loadable, loadable } from './artefact.js';
import { type Command, type Context, commandLine, type GlobalOptions, say, shortPath } from './context.js';
import { carryOut, prepare } from './loading.js';
import { openProject, type Project } from './project.js';
import { tellDone, tellPlan } from './tell-apply.js';
import { duringOption } from './times.js';

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** branch, tag or commit whose rules are loaded */
  readonly ref?: string;
  /** a time like `60s` */
  readonly confirm?: string;
  /** by a timer: what a person unloaded or rolled back stays so */
  readonly repair?: boolean;
  /** without reading back */
  readonly fast?: boolean;
  readonly target?: 'nft' | 'firewalld';
  readonly acceptSlowReload?: boolean;
}

/** Brings the kernel to what was reviewed, reads it back, and ends the connections that the rules would only starve. */
export const run: Command<ApplyOptions> = async (options, context) => {
  if (options.target === 'firewalld') return intoFirewalld(options, context);
  const project = await openProject(options, context, options.ref === undefined ? 'read' : 'none');
  const confirmMs = options.confirm === undefined ? undefined : duringOption(options.confirm, '--confirm');
  const nft = new Nft();
  await requireRight();
  const reviewed = () => artefactOf(options, project, context);
  if (options.dryRun === true) {
    const work = await prepare(nft, reviewed, project, options, context);
    // nft judges by the table as it is now, of which a dormant one takes no chain.
    const { plan, situation, artefact } = work;
    if (plan.kind !== 'nothing' && situation.live?.isActive !== false) await nft.check(artefact.script);
    await tellPlan(work, project, options, context);
    return ExitStatus.done;
  }
  return withLock(project.state, async () => {
    await settle(nft, project.state, context.now());
    const kept = options.repair === true ? await held(project, options, context) : undefined;
    if (kept === 'unloaded') return ExitStatus.done;
    const read = kept === undefined ? reviewed : async () => kept;
    const work = await prepare(nft, read, project, options, context);
    const how = { confirmMs, check: options.fast === true ? 'none' : 'read-back' } as const;
    const done = await carryOut(nft, work, how, project, context);
    if (options.repair !== true) await release(project.state);
    return tellDone(work, done, how, project, options, context);
  });
};

const intoFirewalld: Command<ApplyOptions> = async ({ confirm, fast, ...options }, context) => {
  if (confirm !== undefined || fast === true) {
    const option = fast === true ? '--fast' : '--confirm';
    throw new BlocklistError('bad-usage', `${option} is not for firewalld, which is reloaded and read back`, {
      where: `apply --target firewalld ${option}`,
      hint: 'leave it out; the way back is: blocklist unload',
    });
  }
  return (await import('./apply-firewalld.js')).run(options, context);
};

/** What the night leaves as a person decided it: nothing of ours, or the artefact that was gone back to. */
async function held(
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<Loadable | 'unloaded' | undefined> {
  const hold = await readHold(project.state);
  if (hold === undefined) return undefined;
  const since = `by ${hold.by} on ${minuteText(hold.at)}`;
  const lift = `${commandLine(context, options, 'apply')} loads the rules again`;
  if (hold.what === 'unloaded') {
    say(context, options, `not loaded: unloaded ${since}; ${lift}`);
    return 'unloaded';
  }
  say(context, options, `held: rolled back ${since}; ${lift}`);
  const artefact = await readKept(project.state, hold.digest);
  if (artefact !== undefined) return loadable(artefact, shortPath(context, artefact.folder), project.config, context);
  throw new BlocklistError(
    'nothing-kept',
    `the rules that were rolled back to are not kept any more (${hold.digest})`,
    {
      where: project.state,
      hint: lift,
    },
  );
}
