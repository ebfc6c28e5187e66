import { Nft } from '../apply/nft.js';
import { closePending, isWaiting, readPending } from '../apply/pending.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { type Command, commandLine, say } from './context.js';
import { stateFolder } from './project.js';

/** Keeps the load that waits for its confirmation. */
export const run: Command<unknown> = async (options, context) => {
  const nft = new Nft();
  // Without the right to ask, it ends here, before anything is locked.
  await nft.structure();
  const state = await stateFolder(options, context);
  return withLock(state, async () => {
    const pending = await readPending(state);
    if (pending === undefined) {
      say(context, options, 'nothing to do: no load waits for its confirmation');
      return ExitStatus.done;
    }
    const isOpen = await isWaiting(pending, context.now());
    await closePending(state, pending);
    // Disarmed first, then looked: what is loaded now stays.
    const live = await nft.structure();
    if (live?.digest === pending.to) {
      say(context, options, 'confirmed: the rules stay');
      return ExitStatus.done;
    }
    throw new BlocklistError(
      'unconfirmed',
      `${isOpen ? 'something else is loaded by now' : 'too late: it went back already'}`,
      {
        where: state,
        hint: `to load the rules again: ${commandLine(context, options, 'apply --confirm 60s')}`,
      },
    );
  });
};
