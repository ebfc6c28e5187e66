import { Nft } from '../apply/nft.js';
import { ExitStatus } from '../errors.js';
import { FAMILY, TABLE } from '../render/commands.js';
import { requireYes } from './ask.js';
import { type Command, say } from './context.js';

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
  await requireYes(`This will ${plan}. Go on? [y/N] `, options.yes, context);
  await nft.deleteTable();
  say(context, options, `removed table ${FAMILY} ${TABLE}`);
  return ExitStatus.done;
};
