import { Unions } from '../build/unions.js';
import { BlocklistError, type ExitStatus } from '../errors.js';
import { IpSet } from '../ip/index.js';
import { broughtBy, broughtJson, broughtText } from '../report/brought.js';
import type { Context, GlobalOptions } from './context.js';
import { listOf, neverBlock } from './lists.js';
import { lookOffline } from './look-offline.js';

/** What would not be blocked without this source. Asks nobody, and reads every source as a build does. */
export function whySource(id: string, options: GlobalOptions, context: Context): Promise<ExitStatus> {
  return lookOffline(options, context, async ({ block, allow, missing }, { config }) => {
    const source = block.find((each) => each.id === id);
    if (source === undefined)
      throw unknown(
        id,
        [...block, ...missing].map((each) => each.id),
      );
    const { files } = config.allow;
    const never = IpSet.unionOf([
      await neverBlock(),
      ...(await Promise.all(files.map(listOf))),
      ...allow.map(({ set }) => set),
    ]);
    const brought = broughtBy(source, new Unions(block).repeated(), never);
    context.stdout.write(options.json === true ? `${JSON.stringify(broughtJson(brought))}\n` : broughtText(brought));
  });
}

function unknown(id: string, known: readonly string[]): BlocklistError {
  const isMissing = known.includes(id);
  const what = isMissing ? `there is nothing of the source '${id}' on this host` : `there is no source '${id}'`;
  return new BlocklistError('bad-usage', `--source: ${what}`, {
    hint: isMissing ? 'run: blocklist update' : `the sources are ${known.join(', ')}`,
  });
}
