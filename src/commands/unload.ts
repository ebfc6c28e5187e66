import { removeBootCopy } from '../apply/boot-copy.js';
import { hold } from '../apply/hold.js';
import { Nft } from '../apply/nft.js';
import { closePending, readPending } from '../apply/pending.js';
import { ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { FAMILY, TABLE } from '../render/layout.js';
import { requireYes } from './ask.js';
import { authorOf } from './author.js';
import { type Command, say } from './context.js';
import { stateFolder } from './project.js';

export interface UnloadOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Removes our table, and nothing else. It stays so until a person runs apply: the night does not undo it. */
export const run: Command<UnloadOptions> = async (options, context) => {
  const nft = new Nft();
  const isPresent = (await nft.structure()) !== undefined;
  const plan = `delete table ${FAMILY} ${TABLE}: listed hosts can reach this machine again, until blocklist apply`;
  if (options.dryRun === true) {
    say(context, options, isPresent ? `would ${plan}` : `there is no table ${FAMILY} ${TABLE}`);
    say(context, options, 'dry run: nothing was changed');
    return ExitStatus.done;
  }
  if (isPresent) await requireYes(`This will ${plan}. Go on? [y/N] `, options.yes, context);
  const state = await stateFolder(options, context);
  return withLock(state, async () => {
    // Otherwise the way back of an unconfirmed load would bring the rules again.
    const pending = await readPending(state);
    if (pending !== undefined) await closePending(state, pending);
    if (isPresent) await nft.deleteTable();
    await removeBootCopy(state);
    await hold(state, { what: 'unloaded', at: context.now(), by: authorOf(context) });
    const done = isPresent ? `removed table ${FAMILY} ${TABLE}` : `nothing to do: there is no table ${FAMILY} ${TABLE}`;
    say(context, options, done);
    return ExitStatus.done;
  });
};
