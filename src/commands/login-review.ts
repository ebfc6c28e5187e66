import { resolve } from 'node:path';
import { readAccepted } from '../check/logins/accepted.js';
import { liveAmong } from '../check/logins/live.js';
import type { Expected } from '../check/logins/rule.js';
import type { Work } from '../check/logins/whole.js';
import { type GatheredSessions, gatherSessions } from '../check/session-facts.js';
import { countriesOf } from '../config/continents.js';
import { BlocklistError } from '../errors.js';
import type { Socket } from '../host/sockets.js';
import { invokingSshSession } from '../host/ssh.js';
import { factsOf } from '../io/read.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import { accountsBelow, type UserAccount } from '../logins/accounts.js';
import { recordFacts } from '../logins/file-facts.js';
import { gatherLogins, sourcesBelow, sourcesOf, type Unread } from '../logins/gather.js';
import { Zone, zoneBelow } from '../logins/zone.js';
import { type Context, commandLine, type GlobalOptions, shortPath } from './context.js';
import { loginFacts } from './login-facts.js';
import { openProject, type Project, stateFolder } from './project.js';

/** What is looked at. */
export interface Scope {
  /** records in place of those of this host */
  readonly file?: readonly string[] | undefined;
  /** another system */
  readonly hostRoot?: string | undefined;
  /** milliseconds since 1970 */
  readonly since?: number | undefined;
}

/** Everything that a review of logins needs, but what earlier ones remember. */
export interface Prepared {
  readonly work: Omit<Work, 'memory'>;
  readonly project: Project | undefined;
  readonly state: string;
  readonly accounts: readonly UserAccount[];
  /** who is here; undefined: of another system, or they could not be looked at */
  readonly sessions: GatheredSessions | undefined;
  readonly caller: Socket | undefined;
}

/** Reads the records, and who is here. Writes nothing. */
export async function prepare(scope: Scope, options: GlobalOptions, context: Context): Promise<Prepared> {
  const { file, hostRoot, since } = scope;
  const project = await projectIfAny(options, context);
  const now = context.now();
  const state = await stateFolder(options, context);
  const root = resolve(context.cwd, hostRoot ?? '/');
  requireFolder(root);
  const sources =
    file === undefined
      ? await sourcesBelow(root, since)
      : await sourcesOf(
          file.map((each) => resolve(context.cwd, each)),
          since,
        );
  const accounts = await accountsBelow(root);
  const unread: Unread[] = [];
  // Before the records: whoever is here has one.
  const sessions = file === undefined && root === '/' ? await sessionsIfAny(accounts.all, unread, context) : undefined;
  const zone = new Zone(root === '/' ? undefined : await zoneBelow(root));
  const gathered = await gatherLogins(sources, { zone, accounts: accounts.all, now });
  const addresses = [...gathered.visits, ...(sessions?.sessions ?? [])].flatMap(({ address }) => address ?? []);
  const facts = await loginFacts([...new Set(addresses)], project, options, context);
  const accepted = await readAccepted(state, now);
  const caller = await callerOf(context);
  return {
    work: {
      gathered,
      factsOf: facts.of,
      unread: [...gathered.unread, ...facts.unread, ...unread],
      expected: expectedBy(project),
      admins: accounts.admins,
      isLive: liveAmong(sessions?.sessions ?? []),
      accepted: new Set(accepted.map(({ fingerprint }) => fingerprint)),
      files: file === undefined ? await recordFacts(root, accounts.all, now) : undefined,
      since,
      now,
      desk: {
        line: (command) => commandLine(context, options, command),
        path: (path) => shortPath(context, path),
        callerAddress: caller === undefined ? undefined : formatPrefix(caller.peer.address),
      },
    },
    project,
    state,
    accounts: accounts.all,
    sessions,
    caller,
  };
}

/** A disk that was not mounted must not look like a system without logins. @throws BlocklistError `bad-usage` */
function requireFolder(root: string): void {
  if (factsOf(root)?.isDirectory() === true) return;
  throw new BlocklistError('bad-usage', `--host-root ${root}: there is no such folder`, {
    where: root,
    hint: 'mount the disk, or name the folder that has its etc and var/log',
  });
}

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

async function sessionsIfAny(
  accounts: readonly UserAccount[],
  unread: Unread[],
  { uid, now }: Context,
): Promise<GatheredSessions | undefined> {
  try {
    return await gatherSessions({ uid, accounts, now });
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    unread.push({ name: 'live sessions', why: error.message, hint: error.hint });
    return undefined;
  }
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

async function callerOf({ env }: Context): Promise<Socket | undefined> {
  try {
    return await invokingSshSession(env);
  } catch (error) {
    if (error instanceof BlocklistError) return undefined;
    throw error;
  }
}
