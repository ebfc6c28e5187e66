import { Unions } from '../build/unions.js';
import { ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { overlapJson, overlapOf, overlapText } from '../report/overlap.js';
import type { Command } from './context.js';
import { gather } from './gather.js';
import { openProject } from './project.js';
import { sayProblems } from './say-problems.js';

/** Which sources of the configuration hold the same addresses, and which bring nothing. Asks nobody. */
export const run: Command<unknown> = async (options, context) => {
  const project = await openProject(options, context);
  return withLock(project.state, async () => {
    const how = { network: 'avoid', urgency: 'polite', only: [], accepted: [] } as const;
    const gathered = await gather(project, how, options, context);
    sayProblems(gathered, undefined, options, context);
    const { block, allow, missing } = gathered;
    const rows = overlapOf(block, new Unions(block).repeated());
    context.stdout.write(options.json === true ? `${JSON.stringify(overlapJson(rows))}\n` : overlapText(rows));
    const isIncomplete = [...block, ...allow, ...missing].some(({ problem }) => problem !== undefined);
    return isIncomplete ? ExitStatus.incomplete : ExitStatus.done;
  });
};
