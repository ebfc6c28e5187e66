import { statusOf } from '../check/finding.js';
import { readMemory } from '../check/logins/memory.js';
import { reviewed } from '../check/logins/whole.js';
import { judgeSessions } from '../check/sessions.js';
import { BlocklistError } from '../errors.js';
import type { LiveSession } from '../host/sessions.js';
import { formatPrefix } from '../ip/index.js';
import { printSessionsJson, printSessionsText } from './check-sessions-tell.js';
import { type Command, commandLine, type GlobalOptions } from './context.js';
import { type Prepared, prepare } from './login-review.js';

/** Who is here now, from where, and what of it should not be; what those left running who have gone. Only reads. */
export const run: Command<GlobalOptions> = async (options, context) => {
  const prepared = await prepare({}, options, context);
  const { work, state, accounts, sessions } = prepared;
  if (sessions === undefined) {
    const [problem] = work.unread.filter(({ name }) => name === 'live sessions');
    throw new BlocklistError('program-failed', `nobody can say who is here: ${problem?.why ?? 'no answer'}`, {
      hint: problem?.hint ?? 'try again',
    });
  }
  const { against, gathered, unread } = await reviewed({ ...work, memory: await readMemory(state) });
  const { own, ownAudit, ...facts } = sessions;
  const names = new Map(accounts.map(({ uid, name }) => [uid, name]));
  const review = judgeSessions({
    ...facts,
    against,
    visits: gathered.visits,
    spans: gathered.book.spans,
    unreadLogins: unread,
    factsOf: work.factsOf,
    nameOf: (uid) => names.get(uid),
    accepted: work.accepted,
    desk: { line: work.desk.line, isOwn: (session) => isOwn(session, prepared) },
    spared: own,
    asRoot: `sudo ${commandLine(context, options, 'check sessions')}`,
  });
  const coverage = facts.unread.length + unread.length === 0 ? 'complete' : 'incomplete';
  const told = { review, coverage, utmp: facts.utmp, now: work.now } as const;
  if (options.json === true) printSessionsJson(told, context);
  else printSessionsText(told, options, context);
  return statusOf(review.findings, coverage);
};

/** By the connection, by the parents of this process, by the number that su and sudo keep. */
function isOwn({ address, port, monitor, audit }: LiveSession, { caller, sessions }: Prepared): boolean {
  if (caller !== undefined && caller.peer.port === port && formatPrefix(caller.peer.address) === address) return true;
  if (monitor !== undefined && sessions?.own.has(monitor.pid) === true) return true;
  return audit !== undefined && audit === sessions?.ownAudit;
}
