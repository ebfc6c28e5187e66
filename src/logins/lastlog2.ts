import { rowsOf, textOf, timeOf } from './database-rows.js';
import type { LoginEvent, Place } from './event.js';
import { whereOf } from './service.js';
import { textPeer } from './utmp-peer.js';

const TABLE = { name: 'Lastlog2', columns: ['Name', 'Time', 'TTY', 'RemoteHost', 'Service'] };
/** Time is in seconds, other than in wtmpdb. */
const PER_MS = 1 / 1000;

/**
 * The last login of everybody who ever came, as pam_lastlog2(8) keeps it, by name.
 * @throws BlocklistError `file-unreadable`, `bad-database`, `database-busy`, `database-version`
 */
export async function* readLastlog2(path: string): AsyncGenerator<LoginEvent, void, undefined> {
  for (const [name, at, tty, host, service] of await rowsOf(path, TABLE)) {
    const user = textOf(name);
    const place: Place = { kind: 'lastlog2', file: path, at: user };
    const time = timeOf(at, PER_MS);
    if (time !== undefined) {
      const peer = textPeer(textOf(host));
      const where = whereOf(textOf(tty), peer);
      const named = textOf(service) || where.service;
      yield { kind: 'login', place, time, user, ...peer, ...where, service: named, writer: 'root' };
    } else if (at !== null && at !== 0) {
      // Null or 0: an account that was made and never used.
      yield { kind: 'oddity', code: 'damaged', place, facts: { user, time: at } };
    }
  }
}
