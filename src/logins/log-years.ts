import { monthAndDay } from './log-head.js';
import type { WallTime, Zone } from './zone.js';

const DAY_MS = 86_400_000;
/** Longer than any year, so that a step over New Year counts as one of a day. */
const YEAR = 366;
/** Writers that run side by side, and clocks that are set. */
const SMALL_STEP = 2;
/** Up to here every line is looked at; behind it one of each STEP, in which no log holds a year. */
const DENSE = 1 << 23;
const STEP = 1 << 14;
const NEWLINE = 0x0a;

/** Where a file goes on into the next year. */
interface Turn {
  /** offset of the first line that was seen behind it */
  readonly at: number;
  /** day of the year before it */
  readonly before: number;
  /** how far in front of `at` it may have been: lines in between were not looked at */
  readonly within: number;
}

/**
 * The years of an RFC 3164 log, which has none. Its last line is the youngest: of the year in which the file was changed last; from there each step
 * back over New Year is a year. Small steps against the order are none.
 */
export class LogYears {
  private readonly turns: Turn[] = [];
  private last = 0;
  /** month × 32 + day of the last line */
  private lastDate = 0;
  private next = 0;
  /** inside a line whose begin was in an earlier chunk */
  private isWithin = false;
  private ofLast: number | undefined;
  /** no line is a day younger than the file */
  private readonly limit: number;

  /** @param changed milliseconds since 1970, when the file was changed last */
  constructor(
    changed: number,
    private readonly zone: Zone,
  ) {
    this.limit = changed + DAY_MS;
  }

  /** Looks at the bytes behind those of the last call; `offset` is where in the file they stand. */
  take(bytes: Uint8Array, offset: number): void {
    let p = this.isWithin ? bytes.indexOf(NEWLINE) + 1 : 0;
    if (this.isWithin && p === 0) return;
    while (p < bytes.length) {
      // A line cut in its first letters is the only one of its day as a rule: another one tells the same.
      if (p + 7 <= bytes.length) this.look(monthAndDay(bytes, p), offset + p);
      const from = offset + p < DENSE ? p : Math.max(p, this.next - offset);
      if (from >= bytes.length) {
        this.isWithin = true;
        return;
      }
      const end = bytes.indexOf(NEWLINE, from);
      this.isWithin = end < 0;
      if (end < 0) return;
      p = end + 1;
    }
    this.isWithin = false;
  }

  private look(date: number, at: number): void {
    this.next = at + STEP;
    if (date === 0) return;
    const day = dayOfYear(date >> 5, date & 31);
    if (this.lastDate !== 0) {
      const forward = (day - this.last + YEAR) % YEAR;
      // A step back of a day or two, over New Year, too.
      if (forward >= YEAR - SMALL_STEP) return;
      if (day < this.last) this.turns.push({ at, before: this.last, within: at < DENSE ? 0 : STEP * 2 });
    }
    this.last = day;
    this.lastDate = date;
  }

  /** Milliseconds since 1970 of a line at this offset. */
  moment(wall: WallTime, offset: number): number {
    const day = dayOfYear(wall.month, wall.day);
    const behind = this.turns.filter(({ at, before, within }) => {
      if (offset >= at) return false;
      // Near a turn that was only seen from one of many lines, the day itself tells the side.
      return offset < at - within || day >= before - SMALL_STEP;
    });
    const own = this.youngest() - behind.length;
    const moment = this.zone.moment(own, wall);
    return moment > this.limit ? this.zone.moment(own - 1, wall) : moment;
  }

  /** Year of the last line, once all were looked at. */
  private youngest(): number {
    if (this.ofLast !== undefined) return this.ofLast;
    const last = { month: this.lastDate >> 5, day: this.lastDate & 31, hour: 0, minute: 0, second: 0 };
    const year = new Date(this.limit).getUTCFullYear();
    this.ofLast = this.lastDate !== 0 && this.zone.moment(year, last) > this.limit ? year - 1 : year;
    return this.ofLast;
  }
}

/** From 1, as in a leap year. */
function dayOfYear(month: number, day: number): number {
  return (Date.UTC(2000, month - 1, day) - Date.UTC(2000, 0, 1)) / DAY_MS + 1;
}
