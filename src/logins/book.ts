import type { Failure, Login, LoginEvent, Logout, Oddity, Opened, RecordKind, Turn } from './event.js';
import { FAILURES_MS, RecentFailures } from './failures.js';
import { add, end, isOpenedBy, isSame, OPEN_MS, SAME_MS, type Visit, visitOf } from './visit.js';

export interface Span {
  events: number;
  first: number;
  last: number;
}

const BUCKET_MS = 8_000;
/** Nobody can make the review slow by a million lines of one second. */
const MOST_NEAR = 200;
const DAY_MS = 86_400_000;
/** One client of a mail box logs in hundreds of times a day. */
const MAIL_LIKE: ReadonlySet<string> = new Set(['dovecot', 'vsftpd']);

/** What all sources of this host say, without anything counted twice. Sources are taken one after the other, btmp last. */
export class LoginBook {
  readonly oddities: Oddity[] = [];
  /** of each kind of record: how many events it had, and from when to when, in milliseconds since 1970 */
  readonly spans = new Map<RecordKind, Span>();
  readonly turns: Turn[] = [];
  private readonly visits: Visit[] = [];
  private readonly byTime = new Map<number, Visit[]>();
  private readonly byDay = new Map<string, Visit>();
  private readonly openByPid = new Map<number, Visit>();
  private readonly openByLine = new Map<string, Visit>();
  /** by address and port, the youngest of each */
  private readonly byConnection = new Map<string, Visit>();
  /** by address, in the order in which they were taken; made for btmp, which is read last */
  private byAddress: Map<string, Visit[]> | undefined;
  private readonly inBtmp = new Map<Visit, number>();
  private readonly failures = new RecentFailures();
  private readonly opened: Opened[] = [];
  /** the histories of terminals of which a start of the host was read: every session behind it is in them from its begin */
  private readonly wholeSince = new Set<RecordKind>();

  take(event: LoginEvent): void {
    if (event.time !== undefined && event.kind !== 'oddity') this.measure(event.place.kind, event.time);
    switch (event.kind) {
      case 'login':
        return this.login(event);
      case 'logout':
        return this.logout(event);
      case 'opened':
        this.opened.push(event);
        return;
      case 'failure':
        return this.failure(event);
      case 'oddity':
        this.oddities.push(event);
        return;
      default:
        this.turn(event);
    }
  }

  private measure(kind: RecordKind, time: number): void {
    const span = this.spans.get(kind);
    if (span === undefined) {
      this.spans.set(kind, { events: 1, first: time, last: time });
      return;
    }
    span.events++;
    span.first = Math.min(span.first, time);
    span.last = Math.max(span.last, time);
  }

  private turn(event: Turn): void {
    this.turns.push(event);
    if (event.kind !== 'boot') return;
    this.wholeSince.add(event.place.kind);
    // Numbers of processes and terminals begin anew.
    this.openByPid.clear();
    this.openByLine.clear();
  }

  /** The logins in the order of time. Nothing can be taken after it. */
  close(): readonly Visit[] {
    for (const event of this.opened) this.open(event);
    // btmp and the log tell of the same failures.
    for (const [visit, count] of this.inBtmp) visit.failures = Math.max(visit.failures, count);
    this.turns.sort((a, b) => a.time - b.time);
    this.visits.sort((a, b) => a.time - b.time);
    for (const visit of this.visits) if (visit.end === undefined) this.endByTurn(visit);
    return this.visits;
  }

  private login(event: Login): void {
    const failures =
      event.address === undefined ? 0 : this.failures.before(event.address, event.time, event.place.kind);
    const known = this.same(event);
    if (known !== undefined) {
      add(known, event);
      known.failures = Math.max(known.failures, failures);
      this.remember(known, event);
      return;
    }
    const daily = MAIL_LIKE.has(event.service) ? dayKey(event) : undefined;
    const earlier = daily === undefined ? undefined : this.byDay.get(daily);
    if (earlier !== undefined) {
      if (earlier.places[0]?.kind === event.place.kind) earlier.times++;
      earlier.last = Math.max(earlier.last, event.time);
      earlier.failures = Math.max(earlier.failures, failures);
      return;
    }
    const visit = { ...visitOf(event), failures };
    this.visits.push(visit);
    if (daily !== undefined) this.byDay.set(daily, visit);
    const bucket = Math.floor(event.time / BUCKET_MS);
    const there = this.byTime.get(bucket);
    if (there === undefined) this.byTime.set(bucket, [visit]);
    else there.push(visit);
    this.remember(visit, event);
  }

  private remember(visit: Visit, { place: { kind }, tty, pid, address, port }: Login): void {
    if (address !== undefined && port !== undefined) this.byConnection.set(`${address} ${port}`, visit);
    if (pid !== undefined) this.openByPid.set(pid, visit);
    if (tty === undefined) return;
    const line = `${kind} ${tty}`;
    const before = this.openByLine.get(line);
    // Somebody else has the terminal now.
    if (before !== undefined && before !== visit && before.end === undefined) end(before, visit.time, 'logout');
    this.openByLine.set(line, visit);
  }

  /** The login of which another record tells, too. */
  private same(event: Login): Visit | undefined {
    const bucket = Math.floor(event.time / BUCKET_MS);
    const near = [bucket - 1, bucket, bucket + 1].flatMap((each) => (this.byTime.get(each) ?? []).slice(-MOST_NEAR));
    const far = ({ pid, time }: Visit) =>
      pid !== undefined && pid === event.pid ? 0 : 1 + Math.abs(time - event.time);
    // Several may fit where somebody comes every second: the process tells, or the time.
    return near.filter((visit) => isSame(visit, event)).sort((a, b) => far(a) - far(b))[0];
  }

  private logout(event: Logout): void {
    const { pid, tty, address, port, time } = event;
    const { kind } = event.place;
    const byLine = tty === undefined ? undefined : this.openByLine.get(`${kind} ${tty}`);
    const byPid = pid === undefined ? undefined : this.openByPid.get(pid);
    const visit = byLine ?? byPid ?? this.byConnection.get(`${address} ${port}`);
    if (visit === undefined && tty?.startsWith('pts/') === true && this.wholeSince.has(kind)) {
      this.oddities.push({ kind: 'oddity', code: 'orphan-logout', place: event.place, time, facts: { tty, pid } });
    }
    if (visit === undefined || visit.time > time + SAME_MS) return;
    if (visit.end === undefined || visit.endedBy !== 'logout') end(visit, time, 'logout');
    if (tty !== undefined) this.openByLine.delete(`${kind} ${tty}`);
  }

  private open(event: Opened): void {
    const bucket = Math.floor(event.time / BUCKET_MS);
    const span = Math.ceil(OPEN_MS / BUCKET_MS);
    for (let near = bucket; near >= bucket - span; near--) {
      const visit = this.byTime.get(near)?.find((each) => isOpenedBy(each, event));
      if (visit === undefined) continue;
      visit.isOpened = true;
      if (event.tty === undefined) return;
      visit.tty ??= event.tty;
      visit.hasTerminal = true;
      return;
    }
  }

  private failure({ address, time, place: { kind } }: Failure): void {
    if (address === undefined) return;
    if (kind !== 'btmp') return this.failures.add(address, time, kind);
    this.byAddress ??= byAddress(this.visits);
    for (const visit of this.byAddress.get(address) ?? []) {
      if (visit.time < time || visit.time > time + FAILURES_MS) continue;
      this.inBtmp.set(visit, (this.inBtmp.get(visit) ?? 0) + 1);
    }
  }

  /** What nobody ended was ended by the next shutdown, or by a start without one. */
  private endByTurn(visit: Visit): void {
    const turn = this.turns.find(({ kind, time }) => kind !== 'clock' && time > visit.last);
    if (turn !== undefined) end(visit, turn.time, turn.kind === 'shutdown' ? 'shutdown' : 'crash');
  }
}

function byAddress(visits: readonly Visit[]): Map<string, Visit[]> {
  const all = new Map<string, Visit[]>();
  for (const visit of visits) {
    const same = all.get(visit.address ?? '');
    if (same === undefined) all.set(visit.address ?? '', [visit]);
    else same.push(visit);
  }
  return all;
}

function dayKey({ user, address, peer, service, method, time }: Login): string {
  return [service, user, address ?? peer ?? '', method ?? '', Math.floor(time / DAY_MS)].join('\0');
}
