import type { WallTime } from './zone.js';

/** A line of a log, taken apart. */
export interface LogLine {
  /** milliseconds since 1970, or a wall time whose year the file has to tell */
  readonly time: number | WallTime;
  /** the name under which it was logged */
  readonly program: string;
  readonly pid: number | undefined;
  readonly message: string;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Before it a priority in angles, where a log was taken from the wire. */
const MONTH_DAY_TIME = /^(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) /;
/** A host never ends in a colon; it may be missing in what a program sends to /dev/log itself. */
const TAGGED = /^(?:[^\s[\]]{0,254}[^\s[\]:] )?([^\s[\]:]{1,64})(?:\[(\d{1,10})\])?: (.*)$/s;
const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) /;
/** RFC 5424 section 6 */
const RFC5424 = /^<\d{1,3}>1 (\d{4}-\d\d-\d\dT\S{9,40}) \S{1,255} (\S{1,48}) (\S{1,128}) \S{1,32} /;
/** vsftpd.conf(5), log_ftp_protocol and vsftpd_log_file: `Fri Jan 19 12:20:33 2007 [pid 3]` */
const VSFTPD = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4}) \[pid (\d{1,10})\] (.*)$/s;
const BYTE_ORDER_MARK = '\u{feff}';

/**
 * Takes a line apart: RFC 3164, its ISO variant (rsyslog's default), RFC 5424, or the log of vsftpd. Undefined for anything else, as a line that a raw
 * line end in a name made of another.
 */
export function logLine(line: string): LogLine | undefined {
  const wall = MONTH_DAY_TIME.exec(line);
  if (wall !== null) return tagged(wallTime(wall.slice(1)), line.slice(wall[0].length));
  const iso = ISO.exec(line);
  if (iso !== null) return tagged(isoTime(iso[1] ?? ''), line.slice(iso[0].length));
  return structured(line) ?? ofVsftpd(line);
}

function tagged(time: LogLine['time'] | undefined, rest: string): LogLine | undefined {
  const [, program, pid, message] = TAGGED.exec(rest) ?? [];
  if (time === undefined || program === undefined || message === undefined) return undefined;
  return { time, program, pid: pid === undefined ? undefined : Number(pid), message };
}

/** @param parts month, day, hour, minute, second */
function wallTime(parts: ReadonlyArray<string | undefined>): WallTime | undefined {
  const month = MONTHS.indexOf(parts[0] ?? '') + 1;
  const [day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  // A leap second is written as 60.
  const isTime = month > 0 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60;
  return isTime ? { month, day, hour, minute, second } : undefined;
}

function isoTime(text: string): number | undefined {
  const time = Date.parse(text.replace(',', '.'));
  return Number.isNaN(time) ? undefined : time;
}

function structured(line: string): LogLine | undefined {
  const head = RFC5424.exec(line);
  if (head === null) return undefined;
  const time = isoTime(head[1] ?? '');
  const message = behindData(line, head[0].length);
  if (time === undefined || message === undefined) return undefined;
  const pid = /^\d{1,10}$/.test(head[3] ?? '') ? Number(head[3]) : undefined;
  return { time, program: head[2] ?? '', pid, message };
}

/** What follows the structured data at `at`: `-`, or elements in brackets whose values may hold an escaped bracket (section 6.3.3). */
function behindData(line: string, at: number): string | undefined {
  let p = at;
  if (line[p] === '-') p++;
  else {
    while (line[p] === '[') {
      const end = endOfElement(line, p);
      if (end === undefined) return undefined;
      p = end;
    }
  }
  if (line[p] !== ' ') return undefined;
  const message = line.slice(p + 1);
  return message.startsWith(BYTE_ORDER_MARK) ? message.slice(1) : message;
}

function endOfElement(line: string, at: number): number | undefined {
  let isQuoted = false;
  for (let p = at + 1; p < line.length; p++) {
    const char = line[p];
    if (isQuoted && char === '\\') p++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === ']' && !isQuoted) return p + 1;
  }
  return undefined;
}

function ofVsftpd(line: string): LogLine | undefined {
  const [whole, ...parts] = VSFTPD.exec(line) ?? [];
  if (whole === undefined) return undefined;
  const wall = wallTime(parts);
  if (wall === undefined) return undefined;
  const year = Number(parts[5]);
  // Local time; vsftpd has use_localtime=NO as its default, which is UTC.
  const time = Date.UTC(year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  return { time, program: 'vsftpd', pid: Number(parts[6]), message: parts[7] ?? '' };
}

const BYTES_OF_MONTHS: ReadonlyMap<number, number> = new Map(
  MONTHS.map((name, i) => [(name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2), i + 1]),
);
const SPACE = 0x20;

/** Month × 32 + day of an RFC 3164 line at `at`, 0 for any other line: for a look at millions of lines. */
export function monthAndDay(bytes: Uint8Array, at: number): number {
  const month = BYTES_OF_MONTHS.get((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!);
  if (month === undefined || bytes[at + 3] !== SPACE || bytes[at + 6] !== SPACE) return 0;
  const tens = bytes[at + 4] === SPACE ? 0 : bytes[at + 4]! - 0x30;
  const day = tens * 10 + bytes[at + 5]! - 0x30;
  return day >= 1 && day <= 31 ? month * 32 + day : 0;
}
