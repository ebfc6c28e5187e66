import { removeBootCopy } from '../apply/boot-copy.js';
import { isInFirewalld, unloadFirewalld } from '../apply/firewalld.js';
import { hold } from '../apply/hold.js';
import { Nft } from '../apply/nft.js';
import { closePending, readPending } from '../apply/pending.js';
import { wayBackFile } from '../apply/watchdog.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { withLock } from '../io/lock.js';
import { removeTree } from '../io/write.js';
import { FAMILY, TABLE } from '../render/layout.js';
import { requireYes } from './ask.js';
import { authorOf } from './author.js';
import { type Command, type Context, commandLine, type GlobalOptions, say } from './context.js';
import { standing } from './lockdown-words.js';
import { stateFolder } from './project.js';

export interface UnloadOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const OF_FIREWALLD = 'our zone and ipsets of firewalld';

/**
 * Removes our table, what firewalld has of ours, and nothing else. It stays so until a person runs apply: the night does not undo it. The command of an emergency: neither a
 * broken configuration nor a full disk keeps the table there; what could not be written down is told, exit status 3.
 */
export const run: Command<UnloadOptions> = async (options, context) => {
  const nft = new Nft();
  const unsure: BlocklistError[] = [];
  const hasTable = (await nft.structure()) !== undefined;
  // Its folder may be closed to who may change the firewall all the same, as in a user namespace.
  const hasZone = (await told(unsure, isInFirewalld)) === true;
  const partsIf = (isOfTable: boolean, isOfZone: boolean) =>
    [...(isOfTable ? [`table ${FAMILY} ${TABLE}`] : []), ...(isOfZone ? [OF_FIREWALLD] : [])].join(' and ');
  const parts = partsIf(hasTable, hasZone);
  const isPresent = parts !== '';
  const plan = `delete ${parts}: listed hosts can reach this machine again, until blocklist apply`;
  if (options.dryRun === true) {
    say(context, options, isPresent ? `would ${plan}` : `there is no table ${FAMILY} ${TABLE}`);
    say(context, options, 'dry run: nothing was changed');
    return tellUnsure(unsure, options, context);
  }
  if (isPresent) await requireYes(`This will ${plan}. Go on? [y/N] `, options.yes, context);
  const problems: BlocklistError[] = [];
  const state = await told(problems, () => stateFolder(options, context));
  let isFreed = false;
  const work = async () => {
    // Otherwise the way back of an unconfirmed load would bring the rules again.
    if (state !== undefined) await told(problems, () => disarmAll(state));
    if ((await nft.structure()) !== undefined) await nft.deleteTable();
    if (hasZone) isFreed = (await told(unsure, unloadFirewalld)) === 'removed';
    if (state !== undefined) {
      await told(problems, () => holdUnloaded(state, context));
      await told(problems, () => removeBootCopy(state));
    }
  };
  await lockedIfPossible(state, work);
  const removed = partsIf(hasTable, isFreed);
  if (!isPresent) say(context, options, `nothing to do: there is no table ${FAMILY} ${TABLE}`);
  else if (removed !== '') say(context, options, `removed ${removed}`);
  const lockdown = await standing();
  if (lockdown !== undefined) {
    say(context, options, `a lockdown stands beside it and stays; to end it: ${context.self} lockdown off`);
  }
  const status = tellUnsure([...problems, ...unsure], options, context);
  if (problems.length === 0) return status;
  const night = commandLine(context, options, 'apply --repair');
  say(context, { ...options, quiet: false }, `stop the timers: ${night} would load the rules again`);
  return status;
};

/** What may still be there, or come back. */
function tellUnsure(
  problems: readonly BlocklistError[],
  options: UnloadOptions & GlobalOptions,
  context: Context,
): ExitStatus {
  for (const { message } of problems) say(context, { ...options, quiet: false }, `but: ${message}`);
  return problems.length === 0 ? ExitStatus.done : ExitStatus.incomplete;
}

/** What the work yields; undefined when it fails, which is kept to be told. */
async function told<T>(problems: BlocklistError[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    problems.push(error);
    return undefined;
  }
}

async function disarmAll(state: string): Promise<void> {
  try {
    const pending = await readPending(state);
    if (pending !== undefined) await closePending(state, pending);
  } finally {
    // Whoever watches, and is not known, finds nothing to load.
    await removeTree(wayBackFile(state));
  }
}

function holdUnloaded(state: string, context: Context): Promise<void> {
  return hold(state, { what: 'unloaded', at: context.now(), by: authorOf(context) });
}

/** @throws BlocklistError `locked` while another run writes: it may be loading the rules. */
async function lockedIfPossible(state: string | undefined, work: () => Promise<void>): Promise<void> {
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return work();
  };
  if (state === undefined) return begin();
  try {
    await withLock(state, begin);
  } catch (error) {
    if (hasBegun || !(error instanceof BlocklistError) || error.code === 'locked') throw error;
    await begin();
  }
}
