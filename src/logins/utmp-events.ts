import type { Failure, Login, LoginEvent, Logout, Oddity, OddityCode, Place } from './event.js';
import { whereOf } from './service.js';
import { type Row, TimeOrder } from './time-order.js';
import { utmpPeer } from './utmp-peer.js';
import { type UtmpRecord, UtmpType } from './utmp-record.js';
import type { Piece } from './utmp-walk.js';

/** `utmp` is a table of who is there now: its rows are written over, stand in no order, and may be empty. */
export type UtmpKind = 'wtmp' | 'btmp' | 'utmp';

const TURNS: Readonly<Record<number, Row['turn']>> = {
  [UtmpType.boot]: 'boot',
  [UtmpType.newTime]: 'clock',
  [UtmpType.oldTime]: 'clock',
};

/** What is no record, until the record behind it is known. */
interface Hole {
  readonly code: OddityCode;
  readonly place: Place;
  readonly before: number | undefined;
  /** a run of empty records */
  count: number;
  readonly facts: Oddity['facts'];
}

/** Turns the pieces of one file into events. */
export class UtmpEvents {
  private readonly order: TimeOrder;
  private hole: Hole | undefined;

  /** @param now milliseconds since 1970 */
  constructor(
    private readonly file: string,
    private readonly kind: UtmpKind,
    now: number,
    private readonly tell: (event: LoginEvent) => void,
  ) {
    this.order = new TimeOrder(now);
  }

  take(piece: Piece): void {
    if (piece.kind === 'record') this.record(piece.record, this.place(piece.at));
    else if (piece.kind === 'zeros') this.zeros(piece.at);
    else if (piece.kind === 'damage') this.openHole('damaged', piece.at, { from: piece.at, to: piece.to });
    else this.openHole('partial', piece.at, { bytes: piece.to - piece.at });
  }

  finish(): void {
    this.settle(undefined);
    this.closeHole(undefined);
  }

  private place(at: number): Place {
    return { kind: this.kind, file: this.file, at };
  }

  private zeros(at: number): void {
    if (this.kind === 'utmp') return;
    if (this.hole?.code === 'zeroed') this.hole.count++;
    else this.openHole('zeroed', at, {});
  }

  private openHole(code: OddityCode, at: number, facts: Oddity['facts']): void {
    this.closeHole(undefined);
    this.hole = { code, place: this.place(at), before: this.order.last, count: 1, facts };
  }

  private closeHole(after: number | undefined): void {
    if (this.hole === undefined) return;
    const { code, place, before, count, facts } = this.hole;
    this.hole = undefined;
    const time = before ?? after;
    const near = code === 'zeroed' ? { count, before, after } : { ...facts, before, after };
    this.tell({ kind: 'oddity', code, place, ...(time !== undefined && { time }), facts: near });
  }

  private settle(next: Row | undefined): void {
    const odd = this.order.settle(next);
    if (odd !== undefined) this.tell(odd);
  }

  private record(record: UtmpRecord, place: Place): void {
    const { type, time } = record;
    const row: Row = { place, time, turn: TURNS[type], user: type === UtmpType.user ? record.user : undefined };
    this.settle(row);
    this.closeHole(time);
    if (type === UtmpType.user || (type === UtmpType.getty && this.kind === 'btmp')) this.visit(record, row);
    else if (type === UtmpType.dead) this.logout(record, row);
    else if (row.turn !== undefined) this.tell({ kind: row.turn, place, time });
    else if (isShutdown(record)) this.tell({ kind: 'shutdown', place, time });
    const odd = this.kind === 'utmp' ? undefined : this.order.see(row);
    if (odd !== undefined) this.tell(odd);
  }

  private visit(record: UtmpRecord, row: Row): void {
    const { place, time, user = record.user } = row;
    const peer = utmpPeer(record);
    const where = whereOf(record.line, peer);
    const { service } = where;
    // What may be missing is set one by one: spread together, a million of them take three seconds more.
    const visit: Writable<Login> | Writable<Failure> =
      this.kind === 'btmp'
        ? { kind: 'failure', place, time, user, service }
        : { kind: 'login', place, time, user, service, writer: 'root' };
    if (peer.address !== undefined) visit.address = peer.address;
    else if (peer.peer !== undefined) visit.peer = peer.peer;
    if (where.tty !== undefined) visit.tty = where.tty;
    if (record.pid > 0) visit.pid = record.pid;
    this.tell(visit);
    if (peer.contradicted === undefined) return;
    const facts = { address: peer.address, text: peer.contradicted, user };
    this.tell({ kind: 'oddity', code: 'two-addresses', place, time, facts });
  }

  private logout(record: UtmpRecord, { place, time }: Row): void {
    const { user, pid, line } = record;
    const { address } = utmpPeer(record);
    const logout: Writable<Logout> = { kind: 'logout', place, time };
    if (user !== '') logout.user = user;
    if (address !== undefined) logout.address = address;
    if (line !== '') logout.tty = line;
    if (pid > 0) logout.pid = pid;
    this.tell(logout);
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** As last(1) sees it: a row of its own, or the levels 0 and 6 of an init that has levels; the pid has the level as a letter in its low byte. */
function isShutdown(record: UtmpRecord): boolean {
  if (record.type !== UtmpType.runLevel) return false;
  const level = String.fromCharCode(record.pid & 0xff);
  return level === '0' || level === '6' || record.user === 'shutdown';
}
