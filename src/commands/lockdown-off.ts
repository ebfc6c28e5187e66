import { Nft } from '../apply/nft.js';
import { requireRight } from '../apply/right.js';
import { ExitStatus } from '../errors.js';
import { liftLockdown } from '../respond/enforce.js';
import { hasLockdownTable, standingLockdown } from '../respond/standing.js';
import { requireYes } from './ask.js';
import { type Command, say } from './context.js';

interface LockdownOffOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Opens the host again. */
export const run: Command<LockdownOffOptions> = async (options, context) => {
  await requireRight();
  const nft = new Nft();
  const standing = await standingLockdown(nft);
  const isThere = await hasLockdownTable(nft);
  const done = (isRemoved: boolean) => {
    if (options.json === true) {
      const data = {
        schema: 'blocklist/lockdown-off',
        version: 1,
        dryRun: options.dryRun === true,
        removed: isRemoved,
      };
      context.stdout.write(`${JSON.stringify(data)}\n`);
    }
    return ExitStatus.done;
  };
  if (options.dryRun === true) {
    say(context, options, isThere ? 'would remove the lockdown: the host is open again' : 'no lockdown stands');
    say(context, options, 'dry run: nothing was changed');
    return done(false);
  }
  if (standing !== undefined) {
    await requireYes('This ends the lockdown: the host is open again. Go on? [y/N] ', options.yes, context);
  }
  const isRemoved = await liftLockdown(nft);
  const over = isRemoved ? 'the lockdown was over by itself; removed what was left of it' : 'no lockdown stands';
  say(context, options, standing === undefined ? over : 'the lockdown is over: the host is open again');
  return done(isRemoved);
};
