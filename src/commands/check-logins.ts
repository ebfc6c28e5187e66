import { statusOf } from '../check/finding.js';
import { NO_MEMORY, readMemory, writeMemory } from '../check/logins/memory.js';
import { reviewed } from '../check/logins/whole.js';
import { BlocklistError } from '../errors.js';
import { withLock } from '../io/lock.js';
import { tellNew } from './check-logins-notify.js';
import { printLoginsJson, printLoginsText } from './check-logins-tell.js';
import { type Command, say } from './context.js';
import { endOption } from './decide.js';
import { prepare } from './login-review.js';

export interface CheckLoginsOptions {
  /** records in place of those of this host */
  readonly file?: readonly string[];
  /** a mounted system, or a rescue copy of one */
  readonly hostRoot?: string;
  readonly since?: string;
  /** only what was not told before */
  readonly new?: boolean;
  /** tell of what is new by mail or webhook */
  readonly notify?: boolean;
}

/** Who came in, from where, and whether somebody changed the records of it. Reads; writes down only what it learned, and that only of this host. */
export const run: Command<CheckLoginsOptions> = async (options, context) => {
  const now = context.now();
  const isElsewhere = options.file !== undefined || options.hostRoot !== undefined;
  if (isElsewhere && options.new === true) {
    throw new BlocklistError(
      'bad-usage',
      '--new compares with what was told of this host: not with --file or --host-root',
    );
  }
  if (options.notify === true && options.new !== true) {
    throw new BlocklistError('bad-usage', '--notify tells of what is new: use it with --new');
  }
  const since = options.since === undefined ? undefined : sinceOption(options.since, now);
  const { file, hostRoot } = options;
  const { work, project, state } = await prepare({ file, hostRoot, since }, options, context);
  const judge = async () => {
    // What is usual here says nothing of another system.
    const memory = isElsewhere ? NO_MEMORY : await readMemory(state);
    const result = await reviewed({ ...work, memory });
    if (options.notify === true) await tellNew(result, project, context);
    // What nobody could be told of stays new.
    if (!isElsewhere) await writeMemory(state, result.memory);
    return result;
  };
  const review = isElsewhere ? await judge() : await withLock(state, judge);
  const shown = options.new === true ? review.findings.filter(({ isNew }) => isNew) : review.findings;
  if (options.json === true) printLoginsJson(shown, review, context);
  else if (options.new !== true || shown.length > 0) printLoginsText(shown, review, options, context);
  if (isElsewhere && shown.length > 0) say(context, options, 'the commands are for the host that these records are of');
  return statusOf(shown, review.unread.length === 0 ? 'complete' : 'incomplete');
};

/** `7d` or a date: milliseconds since 1970. */
function sinceOption(text: string, now: number): number {
  if (/^\d+[smhdw]$/.test(text)) return now - ((endOption({ for: text }, now) ?? now) - now);
  const date = Date.parse(text);
  if (!Number.isNaN(date) && date <= now) return date;
  throw new BlocklistError('bad-usage', `--since '${text}': expected a time like 7d, or a date that is over`, {
    hint: 'see --help',
  });
}
