import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { Nft } from '../apply/nft.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { FAMILY, TABLE } from '../render/commands.js';
import { type Command, type Context, say } from './context.js';

export interface UnloadOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Removes our table, and nothing else. */
export const run: Command<UnloadOptions> = async (options, context) => {
  const nft = new Nft();
  const { isPresent } = await nft.loadedState();
  if (!isPresent) {
    say(context, options, `nothing to do: there is no table ${FAMILY} ${TABLE}`);
    return ExitStatus.done;
  }
  const plan = `delete table ${FAMILY} ${TABLE}: listed hosts can reach this machine again`;
  if (options.dryRun === true) {
    say(context, options, `would ${plan}\ndry run: nothing was changed`);
    return ExitStatus.done;
  }
  if (options.yes !== true && !(await confirmed(`This will ${plan}. Go on? [y/N] `, context))) {
    throw new BlocklistError('not-confirmed', 'not confirmed; nothing was changed', {
      hint: 'answer y, or add --yes where nobody can be asked',
    });
  }
  await nft.deleteTable();
  say(context, options, `removed table ${FAMILY} ${TABLE}`);
  return ExitStatus.done;
};

/** Asks on a terminal; anywhere else the answer is no. */
async function confirmed(question: string, { stdin, stderr }: Context): Promise<boolean> {
  if (!('isTTY' in stdin) || stdin.isTTY !== true) return false;
  const prompt = createInterface({ input: Readable.from(stdin), output: stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(question)).trim());
  } finally {
    prompt.close();
  }
}
