import { statSync } from 'node:fs';
import { canonicalAddress } from '../ip/index.js';
import type { LogindSession } from './logind.js';
import type { ProcessRow, ProcessTable } from './process-table.js';
import { offspring } from './process-table.js';
import { whereReadable } from './processes.js';
import type { SshLogin } from './ssh-logins.js';

/** A row of utmp(5) of somebody who is here. All texts are of unknown origin. */
export interface UtmpRow {
  readonly user: string;
  readonly tty: string;
  readonly pid: number;
  readonly address: string | undefined;
  /** what stands in place of an address */
  readonly peer: string | undefined;
  /** milliseconds since 1970 */
  readonly time: number;
}

/** What tells of a session: the table of who is here, logind, or the processes themselves. */
export type SessionRecord = 'utmp' | 'logind' | 'proc';

/** Somebody who is on this host now. A connection with two terminals is two of them. */
export interface LiveSession {
  /** name; undefined: only a number is known */
  readonly user: string | undefined;
  readonly uid: number | undefined;
  /** in canonical form; undefined: from here, or not known */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** what a record has in place of an address, not escaped */
  readonly peer: string | undefined;
  readonly tty: string | undefined;
  /** `sshd`, `dropbear`, `login`, as logind says: not escaped */
  readonly service: string;
  /** milliseconds since 1970; undefined: no record tells */
  readonly since: number | undefined;
  /** milliseconds since something was typed, as w(1) has it; undefined: no terminal of this host */
  readonly idle: number | undefined;
  /** the process with whose end it ends */
  readonly monitor: ProcessRow | undefined;
  /** the process that has the terminal */
  readonly leader: ProcessRow | undefined;
  readonly logind: LogindSession | undefined;
  readonly audit: number | undefined;
  readonly records: readonly SessionRecord[];
  /** by what w(1) shows it: without a utmp it asks logind */
  readonly shownBy: 'utmp' | 'logind' | undefined;
  /** elsewhere: its records are those of another system, as of a container */
  readonly place: 'here' | 'elsewhere';
  /** all that belong to it, by the number that audit gave it, its scope, and whose children they are; ascending */
  readonly processes: readonly ProcessRow[];
}

export interface SessionParts {
  readonly table: ProcessTable;
  readonly logins: readonly SshLogin[];
  readonly logind: readonly LogindSession[];
  /** undefined: this host has no utmp, as Debian 13 */
  readonly utmp: readonly UtmpRow[] | undefined;
  /** name of a user */
  readonly nameOf: (uid: number) => string | undefined;
  /** folder of the devices */
  readonly dev: string;
  /** milliseconds since 1970 */
  readonly now: number;
}

/** Who is here, each once, the longest first. */
export function liveSessions(parts: SessionParts): LiveSession[] {
  const known = { logind: new Set<LogindSession>(), utmp: new Set<UtmpRow>() };
  const bySsh = parts.logins.flatMap((login) => ofSsh(login, parts, known));
  const byLogind = parts.logind
    .filter((session) => !known.logind.has(session) && session.state !== 'closing')
    .map((session) => ofLogind(session, parts, known));
  const byUtmp = (parts.utmp ?? []).flatMap((row) => (known.utmp.has(row) ? [] : (ofUtmp(row, parts) ?? [])));
  return [...bySsh, ...byLogind, ...byUtmp].sort((a, b) => (a.since ?? 0) - (b.since ?? 0));
}

interface Known {
  readonly logind: Set<LogindSession>;
  readonly utmp: Set<UtmpRow>;
}

function ofSsh(login: SshLogin, parts: SessionParts, known: Known): LiveSession[] {
  const { monitor, terminals, audit, uid, place } = login;
  const isHere = place === 'here';
  const session = isHere
    ? parts.logind.find((each) => each.first === monitor.pid || (audit !== undefined && each.audit === audit))
    : undefined;
  if (session !== undefined) known.logind.add(session);
  const pids = new Set(login.processes.map(({ pid }) => pid));
  const processes = joined(login.processes, belonging(parts.table, audit, session?.scope));
  return (terminals.length === 0 ? [undefined] : terminals).map((terminal) => {
    const row =
      isHere && terminal !== undefined
        ? parts.utmp?.find(({ tty, pid }) => tty === terminal.tty && pids.has(pid))
        : undefined;
    if (row !== undefined) known.utmp.add(row);
    const far = peerOf(login.address ?? row?.address ?? session?.peer ?? row?.peer);
    return {
      user: (uid === undefined ? undefined : parts.nameOf(uid)) ?? row?.user ?? session?.user,
      uid,
      address: far.address,
      port: login.port,
      peer: far.peer,
      tty: terminal?.tty,
      service: monitor.program === 'dropbear' ? 'dropbear' : 'sshd',
      since: row?.time ?? session?.since ?? login.since,
      idle: isHere ? idleOf(terminal?.tty, parts) : undefined,
      monitor,
      leader: terminal?.leader,
      logind: session,
      audit,
      ...recorded(row, session, parts, 'proc'),
      place,
      processes,
    };
  });
}

function ofLogind(session: LogindSession, parts: SessionParts, known: Known): LiveSession {
  const { tty, first, audit, scope } = session;
  const row = parts.utmp?.find((each) => each.pid === first || (tty !== undefined && each.tty === tty));
  if (row !== undefined) known.utmp.add(row);
  const monitor = first === undefined ? undefined : parts.table.rows.get(first);
  const processes = joined(
    offspring(monitor === undefined ? [] : [monitor], parts.table),
    belonging(parts.table, audit, scope),
  );
  return {
    user: session.user || row?.user,
    uid: session.uid,
    ...peerOf(session.peer ?? row?.address ?? row?.peer),
    port: undefined,
    tty: tty ?? row?.tty,
    service: session.service ?? 'login',
    since: session.since ?? row?.time,
    idle: idleOf(tty ?? row?.tty, parts),
    monitor,
    leader: undefined,
    logind: session,
    audit,
    ...recorded(row, session, parts, monitor),
    place: 'here',
    processes,
  };
}

/** Undefined when it has ended: rows of what was killed stay. */
function ofUtmp(row: UtmpRow, parts: SessionParts): LiveSession | undefined {
  const monitor = parts.table.rows.get(row.pid);
  // A process that is younger has the number of another one.
  if (monitor === undefined || monitor.start > row.time + SAME_MS) return undefined;
  return {
    user: row.user,
    uid: monitor.uid,
    address: row.address,
    port: undefined,
    peer: row.peer,
    tty: row.tty,
    service: 'login',
    since: row.time,
    idle: idleOf(row.tty, parts),
    monitor,
    leader: undefined,
    logind: undefined,
    audit: monitor.audit,
    ...recorded(row, undefined, parts, monitor),
    place: 'here',
    processes: offspring([monitor], parts.table),
  };
}

/** Clocks of a host may have been set since. */
const SAME_MS = 5_000;

function recorded(
  row: UtmpRow | undefined,
  session: LogindSession | undefined,
  { utmp }: SessionParts,
  process: ProcessRow | 'proc' | undefined,
): Pick<LiveSession, 'records' | 'shownBy'> {
  const records: SessionRecord[] = [];
  if (row !== undefined) records.push('utmp');
  if (session !== undefined) records.push('logind');
  if (process !== undefined) records.push('proc');
  const shownBy = row !== undefined ? 'utmp' : utmp === undefined && session !== undefined ? 'logind' : undefined;
  return { records, shownBy };
}

/** Processes with this number of audit, or in this scope. */
export function belonging({ rows }: ProcessTable, audit: number | undefined, scope: string | undefined): ProcessRow[] {
  return [...rows.values()].filter(
    (each) =>
      (audit !== undefined && each.audit === audit) ||
      (scope !== undefined && each.unit?.user === undefined && each.unit?.name === scope),
  );
}

function joined(a: readonly ProcessRow[], b: readonly ProcessRow[]): ProcessRow[] {
  return [...new Set([...a, ...b])].sort((x, y) => x.pid - y.pid);
}

function peerOf(text: string | undefined): Pick<LiveSession, 'address' | 'peer'> {
  const address = canonicalAddress(text ?? '');
  return { address, peer: address === undefined ? text : undefined };
}

/** By when the terminal was read from last, which the kernel writes down to eight seconds (w(1), tty_update_time). */
function idleOf(tty: string | undefined, { dev, now }: SessionParts): number | undefined {
  if (tty === undefined || !/^(pts\/\d+|tty\w+)$/.test(tty)) return undefined;
  const facts = whereReadable(() => statSync(`${dev}/${tty}`));
  return facts === undefined ? undefined : Math.max(0, now - facts.atimeMs);
}
