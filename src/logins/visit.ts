import type { Login, Opened, Place, RecordKind } from './event.js';

/** A login, as all records together tell of it. */
export interface Visit {
  readonly user: string;
  readonly address: string | undefined;
  /** what stands in place of an address, not escaped */
  readonly peer: string | undefined;
  readonly service: string;
  /** milliseconds since 1970 */
  readonly time: number;
  /** of the last of several that were the same on one day */
  last: number;
  times: number;
  port: number | undefined;
  tty: string | undefined;
  pid: number | undefined;
  method: string | undefined;
  key: string | undefined;
  /** milliseconds since 1970; undefined: still there, or nobody wrote it down */
  end: number | undefined;
  endedBy: 'logout' | 'shutdown' | 'crash' | undefined;
  /** anyone: only logs tell of it that every local user can write into */
  writer: 'root' | 'anyone';
  /** whether the records say that it was given a terminal */
  hasTerminal: boolean;
  /** whether pam says that a session was opened; undefined: no such line in any record */
  isOpened: boolean | undefined;
  /** of the same address within ten minutes before it */
  failures: number;
  /** one of each kind of record */
  readonly places: Place[];
}

/** Records of one login are not further apart: clocks of one host, RFC 3164 without fractions. */
export const SAME_MS = 5_000;
/** How long sshd may take from the acceptance to the session (LoginGraceTime does not count here). */
export const OPEN_MS = 60_000;
/** utmp(5), UT_NAMESIZE: longer names are cut there. */
const NAME_SIZE = 32;

/** Whatever is known of its end so far gives way. */
export function end(visit: Visit, time: number, by: NonNullable<Visit['endedBy']>): void {
  visit.end = time;
  visit.endedBy = by;
}

/** What one record tells. */
export function visitOf(event: Login): Visit {
  const { user, address, peer, service, time, port, tty, pid, method, key, writer, place } = event;
  const visit = { user, address, peer, service, time, port, tty, pid, method, key, writer };
  return {
    ...visit,
    last: time,
    times: 1,
    end: event.end,
    endedBy: event.end === undefined ? undefined : 'logout',
    hasTerminal: tty !== undefined,
    isOpened: undefined,
    failures: 0,
    places: [place],
  };
}

/** Whether a record is of this login, which other records have told of. */
export function isSame(visit: Visit, event: Login): boolean {
  if (Math.abs(visit.time - event.time) > SAME_MS || !isSameUser(visit.user, event.user)) return false;
  if (visit.address !== undefined && event.address !== undefined && visit.address !== event.address) return false;
  if (visit.pid !== undefined && event.pid !== undefined && visit.pid !== event.pid && !mayDiffer(visit, event))
    return false;
  if (visit.port !== undefined && event.port !== undefined && visit.port !== event.port) return false;
  if (visit.tty !== undefined && event.tty !== undefined && visit.tty !== event.tty) return false;
  // Two rows of one kind are two logins, unless all that tells them apart is the same.
  const isOfOneKind = visit.places.some(({ kind }) => kind === event.place.kind);
  if (!isOfOneKind) return isSameService(visit.service, event.service);
  return event.pid !== undefined && visit.pid === event.pid && visit.port === event.port && visit.tty === event.tty;
}

/** For root sshd has no process without rights: the one that writes into utmp is a child of the one that writes into the log. */
function mayDiffer({ user, places }: Visit, { place }: Login): boolean {
  const isOfUtmp = (kind: RecordKind) => kind === 'wtmp' || kind === 'utmp';
  const isOfLog = (kind: RecordKind) => kind === 'log' || kind === 'journal';
  const isOfSame = isOfUtmp(place.kind) ? isOfUtmp : isOfLog;
  return user === 'root' && !places.some(({ kind }) => isOfSame(kind));
}

/** utmp does not say of a terminal who gave it. */
function isSameService(one: string, other: string): boolean {
  return one === other || one === 'login' || other === 'login';
}

function isSameUser(one: string, other: string): boolean {
  return one === other || (one.length >= NAME_SIZE && other.slice(0, NAME_SIZE) === one.slice(0, NAME_SIZE));
}

/** Whether this is the session of the login. */
export function isOpenedBy(visit: Visit, { user, pid, address, port, time }: Opened): boolean {
  if (time < visit.time - SAME_MS || time > visit.time + OPEN_MS || visit.user !== user) return false;
  if (port !== undefined) return visit.port === port && visit.address === address;
  return pid !== undefined && visit.pid === pid;
}

/** Adds what another record of the same login knows. */
export function add(visit: Visit, event: Login): void {
  visit.port ??= event.port;
  visit.tty ??= event.tty;
  visit.pid ??= event.pid;
  visit.method ??= event.method;
  visit.key ??= event.key;
  if (event.end !== undefined) end(visit, event.end, 'logout');
  if (event.writer === 'root') visit.writer = 'root';
  if (event.tty !== undefined) visit.hasTerminal = true;
  if (!visit.places.some(({ kind }) => kind === event.place.kind)) visit.places.push(event.place);
}
