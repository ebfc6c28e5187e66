import { type Accepted, accept } from '../check/logins/accepted.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { minuteText } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { authorOf } from './author.js';
import { type Command, say } from './context.js';
import { endOption, requireText } from './decide.js';
import { stateFolder } from './project.js';

export interface AcceptOptions {
  readonly fingerprint: string;
  readonly for?: string;
  readonly until?: string;
  readonly reason?: string;
}

const FINGERPRINT = /^[0-9a-f]{12}$/;
/** Nothing is accepted for good: who accepted it may be gone by then. */
const DAY_MS = 86_400_000;
const DEFAULT_MS = 90 * DAY_MS;

/** Takes a finding as it is until a day: a review then counts it as accepted, and learns from such logins. */
export const run: Command<AcceptOptions> = async (options, context) => {
  const { fingerprint, reason } = options;
  if (!FINGERPRINT.test(fingerprint)) {
    throw new BlocklistError('bad-usage', 'expected the fingerprint of a finding: twelve digits and letters a to f', {
      hint: 'blocklist check logins shows it behind each finding',
    });
  }
  requireText(reason, '--reason', 500);
  if (reason === undefined) {
    throw new BlocklistError('bad-usage', 'why is it accepted? Whoever reads it next has to know', {
      hint: `blocklist accept ${fingerprint} --for 90d --reason 'on holiday in Spain until March'`,
    });
  }
  const now = context.now();
  const entry: Accepted = {
    fingerprint,
    at: now,
    until: endOption(options, now) ?? now + DEFAULT_MS,
    by: authorOf(context),
    reason,
  };
  const state = await stateFolder(options, context);
  await withLock(state, () => accept(state, entry));
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/accept', version: 1, ...entry })}\n`);
  }
  say(context, options, `accepted until ${minuteText(entry.until)}: ${fingerprint}`);
  return ExitStatus.done;
};
