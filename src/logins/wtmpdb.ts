import { type Field, rowsOf, textOf, timeOf } from './database-rows.js';
import type { Login, LoginEvent, Oddity, OddityCode, Place, Turn } from './event.js';
import { whereOf } from './service.js';
import { TimeOrder } from './time-order.js';
import { textPeer } from './utmp-peer.js';

const TABLE = { name: 'wtmp', columns: ['ID', 'Type', 'User', 'Login', 'Logout', 'TTY', 'RemoteHost', 'Service'] };
/** Type in libwtmpdb's wtmpdb.h: other numbers than ut_type of utmp(5). */
const Type = { boot: 1, runLevel: 2, user: 3 } as const;
/** Times are microseconds since 1970. */
const PER_MS = 1000;
/** sshd and PAM write the same login one after the other (pam_wtmpdb(8), skip_if). */
const TWICE_MS = 2000;

interface Row {
  readonly type: Field;
  readonly user: string;
  readonly place: Place;
  readonly time: number;
  readonly end: number | undefined;
  readonly tty: string;
  readonly host: string;
  readonly service: string;
}

/**
 * The events of a database of wtmpdb(8), in the order of its rows; a shutdown, which stands in the row of its start, comes before the first row
 * that is younger.
 * @param now milliseconds since 1970
 * @throws BlocklistError `file-unreadable`, `bad-database`, `database-busy`, `database-version`
 */
export async function* readWtmpdb(path: string, now: number): AsyncGenerator<LoginEvent, void, undefined> {
  const reader = new Reader(path, now);
  for (const fields of await rowsOf(path, TABLE)) yield* reader.take(fields);
  yield* reader.finish();
}

class Reader {
  private readonly order: TimeOrder;
  private lastId: number | undefined;
  private shutdown: Turn | undefined;
  /** logins of the last two seconds */
  private recent: Row[] = [];

  constructor(
    private readonly file: string,
    now: number,
  ) {
    this.order = new TimeOrder(now);
  }

  *take([id, type = null, user, login, logout, tty, host, service]: readonly Field[]): Generator<LoginEvent> {
    const place: Place = { kind: 'wtmpdb', file: this.file, at: Number(id) };
    const gap = this.gap(Number(id), place);
    const time = timeOf(login, PER_MS);
    const isKnown = type === Type.boot || type === Type.runLevel || type === Type.user;
    if (time === undefined || !isKnown) {
      if (gap !== undefined) yield gap;
      const facts = { type: type ?? undefined, user: textOf(user), login: login ?? undefined };
      yield { kind: 'oddity', code: 'damaged', place, facts };
      return;
    }
    const end = timeOf(logout, PER_MS);
    const texts = { user: textOf(user), tty: textOf(tty), host: textOf(host), service: textOf(service) };
    yield* this.row({ type, place, time, end, ...texts }, gap);
  }

  *finish(): Generator<LoginEvent> {
    const odd = this.order.settle(undefined);
    if (odd !== undefined) yield odd;
    if (this.shutdown !== undefined) yield this.shutdown;
  }

  /** SQLite hands out the largest id and one more, and rotation takes the oldest rows only: what is missing between two was taken out. */
  private gap(id: number, place: Place): Oddity | undefined {
    const { lastId } = this;
    this.lastId = id;
    if (lastId === undefined || id === lastId + 1) return undefined;
    const time = this.order.last;
    const facts = { from: lastId + 1, to: id - 1, count: id - lastId - 1, before: time };
    return { kind: 'oddity', code: 'gap', place, ...(time !== undefined && { time }), facts };
  }

  private *row(row: Row, gap: Oddity | undefined): Generator<LoginEvent> {
    const { type, place, time, user, end } = row;
    const isBoot = type === Type.boot;
    const inOrder = { place, time, user, turn: isBoot ? ('boot' as const) : undefined };
    const late = this.order.settle(inOrder);
    if (late !== undefined) yield late;
    if (gap !== undefined) yield gap;
    if (this.shutdown !== undefined && (isBoot || time >= this.shutdown.time)) {
      yield this.shutdown;
      this.shutdown = undefined;
    }
    if (isBoot) yield { kind: 'boot', place, time };
    if (isBoot && end !== undefined && end >= time) this.shutdown = { kind: 'shutdown', place, time: end };
    if (type === Type.user && !this.isSecond(row)) yield loginOf(row);
    if (end !== undefined && end < time) yield odd('ends-first', row, { login: time, logout: end, user });
    const own = this.order.see(inOrder);
    if (own !== undefined) yield own;
  }

  /** Whether this is a login that a row before it tells of. PAM knows no terminal of sshd and writes `ssh`; a session that is over was another one. */
  private isSecond(row: Row): boolean {
    this.recent = this.recent.filter(({ time }) => Math.abs(row.time - time) < TWICE_MS);
    const isSame = ({ user, host, tty, end }: Row) =>
      user === row.user && host === row.host && isSameTty(tty, row.tty) && !(end !== undefined && end <= row.time);
    if (this.recent.some(isSame)) return true;
    this.recent.push(row);
    return false;
  }
}

/** Two of `ssh` are two copies at once: sshd itself writes no row without a terminal. */
function isSameTty(a: string, b: string): boolean {
  return a === b ? a !== 'ssh' : a === 'ssh' || b === 'ssh';
}

function odd(code: OddityCode, { place, time }: Row, facts: Oddity['facts']): Oddity {
  return { kind: 'oddity', code, place, time, facts };
}

function loginOf({ place, time, user, end, tty, host, service }: Row): Login {
  const peer = textPeer(host);
  const where = whereOf(tty, peer);
  const ends = end !== undefined && end >= time ? { end } : {};
  return {
    kind: 'login',
    place,
    time,
    user,
    ...peer,
    ...where,
    service: service || where.service,
    ...ends,
    writer: 'root',
  };
}
