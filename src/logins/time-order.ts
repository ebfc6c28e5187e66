import type { Oddity, Place } from './event.js';

/** A row of a record that is only added to. */
export interface Row {
  readonly place: Place;
  /** milliseconds since 1970 */
  readonly time: number;
  /** it says that the machine started, or that its clock was set */
  readonly turn: 'boot' | 'clock' | undefined;
  readonly user: string | undefined;
}

/** Programs that write at once get their turn in any order. */
const SLACK_MS = 60_000;
const DAY_MS = 86_400_000;

/** Watches that rows stand in the order of their times, and that none is of the future. */
export class TimeOrder {
  /** of the row before, in milliseconds since 1970 */
  last: number | undefined;
  private lastTurn: Row['turn'];
  private back: Oddity | undefined;

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: number) {}

  /**
   * What is odd about the row before, to be told before anything of the next one, which is given, or undefined at the end. A machine without a
   * clock of its own goes back at each start, so a row before the start is not held against anybody.
   */
  settle(next: Row | undefined): Oddity | undefined {
    const { back } = this;
    this.back = undefined;
    return next?.turn === 'boot' ? undefined : back;
  }

  /** What is odd about this row by itself. */
  see(row: Row): Oddity | undefined {
    const { place, time, turn, user } = row;
    if (time > this.now + DAY_MS) {
      // Not the measure of what follows, or one such row would make all others look old.
      return { kind: 'oddity', code: 'future', place, time, facts: { time, now: this.now, user } };
    }
    const isExcused = turn !== undefined || this.lastTurn === 'clock';
    if (this.last !== undefined && time < this.last - SLACK_MS && !isExcused) {
      this.back = { kind: 'oddity', code: 'time-back', place, time, facts: { before: this.last, time, user } };
    }
    this.last = time;
    this.lastTurn = turn;
    return undefined;
  }
}
