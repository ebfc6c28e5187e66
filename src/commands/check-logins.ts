import { resolve } from 'node:path';
import { statusOf } from '../check/finding.js';
import { readAccepted } from '../check/logins/accepted.js';
import { readMemory, writeMemory } from '../check/logins/memory.js';
import type { Expected } from '../check/logins/rule.js';
import { reviewed } from '../check/logins/whole.js';
import { countriesOf } from '../config/continents.js';
import { BlocklistError } from '../errors.js';
import { invokingSshSession } from '../host/ssh.js';
import { withLock } from '../io/lock.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import { accountsBelow } from '../logins/accounts.js';
import { recordFacts } from '../logins/file-facts.js';
import { gatherLogins, sourcesBelow, sourcesOf } from '../logins/gather.js';
import { Zone, zoneBelow } from '../logins/zone.js';
import { tellNew } from './check-logins-notify.js';
import { printLoginsJson, printLoginsText } from './check-logins-tell.js';
import { type Command, type Context, commandLine, type GlobalOptions, say, shortPath } from './context.js';
import { endOption } from './decide.js';
import { loginFacts } from './login-facts.js';
import { openProject, type Project, stateFolder } from './project.js';

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
  const project = await projectIfAny(options, context);
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
  const state = await stateFolder(options, context);
  const root = resolve(context.cwd, options.hostRoot ?? '/');
  const since = options.since === undefined ? undefined : sinceOption(options.since, now);
  const sources =
    options.file === undefined
      ? await sourcesBelow(root, since)
      : await sourcesOf(
          options.file.map((file) => resolve(context.cwd, file)),
          since,
        );
  const accounts = await accountsBelow(root);
  const zone = new Zone(root === '/' ? undefined : await zoneBelow(root));
  const gathered = await gatherLogins(sources, { zone, accounts: accounts.all, now });
  const facts = await loginFacts(addressesOf(gathered.visits), project, options, context);
  const accepted = await readAccepted(state, now);
  const caller = await callerAddress(context);
  const work = async () => {
    const memory = await readMemory(state);
    const result = await reviewed({
      gathered,
      factsOf: facts.of,
      unread: [...gathered.unread, ...facts.unread],
      expected: expectedBy(project),
      memory,
      admins: accounts.admins,
      accepted: new Set(accepted.map(({ fingerprint }) => fingerprint)),
      files: options.file === undefined ? await recordFacts(root, accounts.all, now) : undefined,
      since,
      now,
      desk: {
        line: (command) => commandLine(context, options, command),
        path: (path) => shortPath(context, path),
        callerAddress: caller,
      },
    });
    if (options.notify === true) await tellNew(result, project, context);
    // What nobody could be told of stays new.
    if (!isElsewhere) await writeMemory(state, result.memory);
    return result;
  };
  const review = isElsewhere ? await work() : await withLock(state, work);
  const shown = options.new === true ? review.findings.filter(({ isNew }) => isNew) : review.findings;
  if (options.json === true) printLoginsJson(shown, review, context);
  else if (options.new !== true || shown.length > 0) printLoginsText(shown, review, options, context);
  if (isElsewhere && shown.length > 0) say(context, options, 'the commands are for the host that these records are of');
  return statusOf(shown, review.unread.length === 0 ? 'complete' : 'incomplete');
};

/** An emergency needs no configuration; a broken one that somebody names is an error. */
async function projectIfAny(options: GlobalOptions, context: Context): Promise<Project | undefined> {
  try {
    return await openProject(options, context, 'read');
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'config-missing' && options.config === undefined)
      return undefined;
    throw error;
  }
}

/** `7d` or a date: milliseconds since 1970. */
function sinceOption(text: string, now: number): number {
  if (/^\d+[smhdw]$/.test(text)) return now - ((endOption({ for: text }, now) ?? now) - now);
  const date = Date.parse(text);
  if (!Number.isNaN(date) && date <= now) return date;
  throw new BlocklistError('bad-usage', `--since '${text}': expected a time like 7d, or a date that is over`, {
    hint: 'see --help',
  });
}

function addressesOf(visits: ReadonlyArray<{ readonly address: string | undefined }>): string[] {
  return [...new Set(visits.flatMap(({ address }) => address ?? []))];
}

function expectedBy(project: Project | undefined): Expected {
  const codes = (words: readonly string[]) => new Set(countriesOf(words).map(({ code }) => code));
  const { expected, users } = project?.config.logins ?? { expected: { countries: [], nets: [] }, users: {} };
  return {
    countries: codes(expected.countries),
    nets: IpSet.from(expected.nets),
    users: new Map(Object.entries(users).map(([user, words]) => [user, codes(words)])),
  };
}

async function callerAddress({ env }: Context): Promise<string | undefined> {
  try {
    const session = await invokingSshSession(env);
    return session === undefined ? undefined : formatPrefix(session.peer.address);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
