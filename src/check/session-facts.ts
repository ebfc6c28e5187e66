import { BlocklistError } from '../errors.js';
import { logindSessions } from '../host/logind.js';
import { type ProcessFacts, processFacts } from '../host/process-facts.js';
import { type ProcessRow, processTable } from '../host/process-table.js';
import { lineage } from '../host/processes.js';
import { type Remains, remainsOf } from '../host/remains.js';
import { type LiveSession, liveSessions, type UtmpRow } from '../host/sessions.js';
import type { Socket } from '../host/sockets.js';
import { sshPeers } from '../host/ssh.js';
import { sshLogins } from '../host/ssh-logins.js';
import { factsOf } from '../io/read.js';
import type { UserAccount } from '../logins/accounts.js';
import type { Unread } from '../logins/gather.js';
import { readUtmp } from '../logins/utmp-file.js';

/** Folders of this host, or made-up ones. */
export interface HostFolders {
  readonly proc: string;
  readonly run: string;
  readonly dev: string;
}

const FOLDERS: HostFolders = { proc: '/proc', run: '/run', dev: '/dev' };
/** whom sshd makes the processes that talk to strangers (its privilege separation) */
const UNPRIVILEGED = 'sshd';

/** Who looks, and with what. */
export interface Looker {
  readonly uid: number;
  readonly accounts: readonly UserAccount[];
  /** milliseconds since 1970 */
  readonly now: () => number;
  readonly folders?: HostFolders;
  /** the connections to servers of SSH */
  readonly connections?: () => Promise<readonly Socket[]>;
}

export interface GatheredSessions {
  readonly sessions: readonly LiveSession[];
  readonly remains: readonly Remains[];
  /** none: this host has none; unused: nothing that gives terminals writes into it */
  readonly utmp: 'kept' | 'unused' | 'none';
  /** what could not be looked at: never empty for any one but root */
  readonly unread: readonly Unread[];
  /** what a process of a session runs; undefined: it has ended */
  readonly detailsOf: (process: ProcessRow) => ProcessFacts | undefined;
  /** numbers of our own process and of those it came from */
  readonly own: ReadonlySet<number>;
  /** number that audit gave the session of our own */
  readonly ownAudit: number | undefined;
}

/**
 * Who is on this host now. Records are read after the processes, as sshd writes before it starts a shell; who has gone meanwhile was not here.
 * @throws BlocklistError `program-missing`, `program-failed`
 */
export async function gatherSessions(looker: Looker): Promise<GatheredSessions> {
  const { uid, accounts, now, folders = FOLDERS, connections = sshPeers } = looker;
  const { proc, run, dev } = folders;
  const unread: Unread[] = [];
  const table = processTable(proc);
  const peers = await connections();
  const names = new Map(accounts.map((each) => [each.uid, each.name]));
  const unprivileged = accounts.find(({ name }) => name === UNPRIVILEGED)?.uid;
  const logins = sshLogins(table, peers, { proc, run, unprivileged });
  const closed = { logind: false };
  const logind = logindSessions(run, () => {
    closed.logind = true;
  });
  const utmp = await utmpOf(`${run}/utmp`, now(), unread);
  const all = liveSessions({ table, logins, logind, utmp: utmp.rows, nameOf: (id) => names.get(id), dev, now: now() });
  const again = processTable(proc);
  const isStill = ({ pid, ticks }: ProcessRow) => again.rows.get(pid)?.ticks === ticks;
  const sessions = all.filter(({ monitor }) => monitor === undefined || isStill(monitor));
  if (uid !== 0)
    unread.push({ name: 'processes', why: 'those of other users do not show what they are', hint: undefined });
  else if (table.denied.length > 0) unread.push(denied(table.denied));
  if (closed.logind) unread.push({ name: `${run}/systemd/sessions`, why: 'no permission to read it', hint: undefined });
  return {
    sessions,
    remains: remainsOf(table, logind, all).filter(({ processes }) => processes.some(isStill)),
    utmp: utmp.state,
    unread,
    detailsOf: (process) => processFacts(process, proc),
    own: new Set(lineage(process.pid, proc).map(({ pid }) => pid)),
    ownAudit: table.rows.get(process.pid)?.audit,
  };
}

function denied(pids: readonly number[]): Unread {
  return {
    name: 'processes',
    why: `process ${pids.slice(0, 5).join(', ')} does not show what it runs`,
    hint: 'grep CapEff /proc/self/status',
  };
}

async function utmpOf(
  path: string,
  now: number,
  unread: Unread[],
): Promise<{ readonly rows: readonly UtmpRow[] | undefined; readonly state: GatheredSessions['utmp'] }> {
  const rows: UtmpRow[] = [];
  let hasTerminals = false;
  if (factsOf(path) === undefined) return { rows: undefined, state: 'none' };
  try {
    for await (const event of readUtmp(path, 'utmp', now)) {
      if (event.kind !== 'login' && event.kind !== 'logout') continue;
      const { tty, pid } = event;
      if (tty?.startsWith('pts/') === true) hasTerminals = true;
      if (event.kind === 'logout' || tty === undefined || pid === undefined) continue;
      rows.push({ user: event.user, tty, pid, address: event.address, peer: event.peer, time: event.time });
    }
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    unread.push({ name: path, why: error.message, hint: error.hint });
  }
  return { rows, state: hasTerminals ? 'kept' : 'unused' };
}
