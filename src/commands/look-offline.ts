import { requireTrusted } from '../config/owner.js';
import { ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import type { Context, GlobalOptions } from './context.js';
import { type Gathered, gather, OFFLINE } from './gather.js';
import { openProject, owners, type Project } from './project.js';
import { sayProblems } from './say-problems.js';

/** Every source as a build has it, for who only looks: asks nobody. What `work` tells is incomplete when a source has a problem. */
export async function lookOffline(
  options: GlobalOptions,
  context: Context,
  work: (gathered: Gathered, project: Project) => void | Promise<void>,
): Promise<ExitStatus> {
  const project = await openProject(options, context);
  // What it made of the lists is kept, and root does not write where another user could lay links.
  if (context.uid === 0) requireTrusted([project.cache, project.state], owners(context));
  return withLock(project.state, async () => {
    const gathered = await gather(project, OFFLINE, options, context);
    sayProblems(gathered, undefined, options, context);
    await work(gathered, project);
    const { block, allow, missing } = gathered;
    const isIncomplete = [...block, ...allow, ...missing].some(({ problem }) => problem !== undefined);
    return isIncomplete ? ExitStatus.incomplete : ExitStatus.done;
  });
}
