import { EMERGENCY, inWords, loadAndVerify, makePlan, type Plan, requireLoadable } from '../apply/apply.js';
import { Nft } from '../apply/nft.js';
import { ExitStatus } from '../errors.js';
import { grouped } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { namedSets } from '../render/commands.js';
import { artefactOf } from './artefact.js';
import { type Command, type Context, commandLine, type GlobalOptions, say } from './context.js';
import { openProject } from './project.js';

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** branch, tag or commit whose rules are loaded */
  readonly ref?: string;
}

/** Loads the artefact into the kernel in one transaction and reads it back. */
export const run: Command<ApplyOptions> = async (options, context) => {
  const { config, state } = await openProject(options, context, options.ref === undefined ? 'read' : 'from git');
  const { artefact, title } = await artefactOf(options, config, context);
  const nft = new Nft();
  await nft.requireVersion();
  // Without the right to ask, it ends here, before anything is locked.
  await nft.loadedState();
  const size = namedSets(artefact.sets)
    .filter(({ prefixes }) => prefixes.size > 0)
    .map(({ name, prefixes }) => `${name} ${grouped(prefixes.size)}`)
    .join(', ');
  const what = `${title} (${size})`;
  if (options.dryRun === true) {
    const plan = await makePlan(nft, artefact);
    await requireLoadable(nft, artefact, plan, config.local.admins);
    tell(plan, artefact.digest, options, context, [planInWords(plan, what), 'dry run: nothing was changed']);
    return ExitStatus.done;
  }
  return withLock(state, async () => {
    const plan = await makePlan(nft, artefact);
    await requireLoadable(nft, artefact, plan, config.local.admins);
    if (plan.kind === 'load') await loadAndVerify(nft, artefact, plan);
    const done =
      plan.kind === 'load' ? `loaded ${what}; read back: the kernel holds exactly this` : planInWords(plan, what);
    tell(plan, artefact.digest, options, context, [
      done,
      `in an emergency: ${EMERGENCY}`,
      `next: ${commandLine(context, options, 'status')}`,
    ]);
    return ExitStatus.done;
  });
};

function planInWords(plan: Plan, what: string): string {
  if (plan.kind === 'nothing') return `nothing to do: the kernel holds exactly ${what}`;
  if (plan.live === undefined) return `would load ${what}; nothing of ours is loaded now`;
  return `would flush and refill with ${what}: ${inWords(plan.differences) || 'the same addresses, another digest'}`;
}

function tell(plan: Plan, digest: string, options: GlobalOptions, context: Context, words: readonly string[]): void {
  if (options.json === true) {
    const sets = plan.differences.sets.map(({ name, missing, extra }) => ({
      name,
      add: String(missing),
      remove: String(extra),
    }));
    const data = { schema: 'blocklist/apply', version: 1, plan: plan.kind, digest, loaded: plan.loaded ?? null, sets };
    context.stdout.write(`${JSON.stringify({ ...data, emergency: EMERGENCY })}\n`);
    return;
  }
  for (const line of words) say(context, options, line);
}
