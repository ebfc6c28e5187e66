import { ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import type { Context, GlobalOptions } from './context.js';
import { type Gathered, gather, OFFLINE } from './gather.js';
import { openProject, type Project } from './project.js';
import { sayProblems } from './say-problems.js';

/** Every source as a build has it, for who only looks: asks nobody. What `work` tells is incomplete when a source has a problem. */
export async function lookOffline(
  options: GlobalOptions,
  context: Context,
  work: (gathered: Gathered, project: Project) => void | Promise<void>,
): Promise<ExitStatus> {
  const project = await openProject(options, context);
  return withLock(project.state, async () => {
    const gathered = await gather(project, OFFLINE, options, context);
    sayProblems(gathered, undefined, options, context);
    await work(gathered, project);
    const { block, allow, missing } = gathered;
    const isIncomplete = [...block, ...allow, ...missing].some(({ problem }) => problem !== undefined);
    return isIncomplete ? ExitStatus.incomplete : ExitStatus.done;
  });
}
