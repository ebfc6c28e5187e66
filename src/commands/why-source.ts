import { Unions } from '../build/unions.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { IpSet } from '../ip/index.js';
import { broughtBy, broughtJson, broughtText } from '../report/brought.js';
import type { Context, GlobalOptions } from './context.js';
import { gather } from './gather.js';
import { listOf, neverBlock } from './lists.js';
import { openProject } from './project.js';
import { sayProblems } from './say-problems.js';

/** What would not be blocked without this source. Asks nobody, and reads every source as a build does. */
export async function whySource(id: string, options: GlobalOptions, context: Context): Promise<ExitStatus> {
  const project = await openProject(options, context);
  return withLock(project.state, async () => {
    const how = { network: 'avoid', urgency: 'polite', only: [], accepted: [] } as const;
    const gathered = await gather(project, how, options, context);
    sayProblems(gathered, undefined, options, context);
    const { block, allow, missing } = gathered;
    const source = block.find((each) => each.id === id);
    if (source === undefined)
      throw unknown(
        id,
        [...block, ...missing].map((each) => each.id),
      );
    const { files } = project.config.allow;
    const never = IpSet.unionOf([await neverBlock(), await listOf(files), ...allow.map(({ set }) => set)]);
    const brought = broughtBy(source, new Unions(block).repeated(), never);
    context.stdout.write(options.json === true ? `${JSON.stringify(broughtJson(brought))}\n` : broughtText(brought));
    const isIncomplete = [...block, ...allow, ...missing].some(({ problem }) => problem !== undefined);
    return isIncomplete ? ExitStatus.incomplete : ExitStatus.done;
  });
}

function unknown(id: string, known: readonly string[]): BlocklistError {
  const isMissing = known.includes(id);
  const what = isMissing ? `there is nothing of the source '${id}' on this host` : `there is no source '${id}'`;
  return new BlocklistError('bad-usage', `--source: ${what}`, {
    hint: isMissing ? 'run: blocklist update' : `the sources are ${known.join(', ')}`,
  });
}
