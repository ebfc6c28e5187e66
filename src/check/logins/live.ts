import type { LiveSession } from '../../host/sessions.js';
import { SAME_MS, type Visit } from '../../logins/visit.js';

/** Whether a login is that of this session: by its process, by its connection, or by its terminal. Numbers and names are used again: not before it began. */
export function isVisitOf(visit: Visit, session: LiveSession): boolean {
  const { monitor, leader, address, port, tty, user, place } = session;
  const began = (since: number | undefined) => since !== undefined && visit.time >= since - SAME_MS;
  if (address !== undefined && port !== undefined && visit.address === address && visit.port === port) {
    return began(monitor?.start ?? session.since);
  }
  // In a container the same numbers and names are others.
  if (place === 'elsewhere') return false;
  // Of root's session the log has one process, and utmp the other.
  const known = [monitor, leader].find((process) => process !== undefined && process.pid === visit.pid);
  if (known !== undefined) return began(known.start);
  return tty !== undefined && visit.tty === tty && visit.user === user && began(leader?.start ?? session.since);
}

/** Whether somebody is still here who came in by a login. */
export function liveAmong(sessions: readonly LiveSession[]): (visit: Visit) => boolean {
  return (visit) => sessions.some((session) => isVisitOf(visit, session));
}
