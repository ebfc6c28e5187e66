import { stageBoot } from '../apply/boot.js';
import { readKept } from '../apply/kept.js';
import { Nft } from '../apply/nft.js';
import { closePending, isWaiting, readPending } from '../apply/pending.js';
import { requireRight } from '../apply/right.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { type Command, commandLine, say } from './context.js';
import { localOf } from './local.js';
import { openProject } from './project.js';

/** Keeps the load that waits for its confirmation, beyond the next boot, too. */
export const run: Command<unknown> = async (options, context) => {
  await requireRight();
  const nft = new Nft();
  const project = await openProject(options, context, 'none');
  const { state } = project;
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
      const [artefact, { content }] = await Promise.all([readKept(state, pending.to), localOf(project, context)]);
      if (artefact !== undefined) await (await stageBoot(state, artefact, content))();
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
