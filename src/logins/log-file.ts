import { stat } from 'node:fs/promises';
import { BlocklistError } from '../errors.js';
import { unpackedFile } from '../io/gzip.js';
import { unreadable } from '../io/read.js';
import type { LoginEvent, LoginEvents } from './event.js';
import { FAILURES_MS } from './failures.js';
import { type LogLine, logLine } from './log-head.js';
import { LogWindow, type Span } from './log-window.js';
import { LogYears } from './log-years.js';
import { unrepeated } from './repeated.js';
import { eventOf, type Service, type Told } from './services/service.js';
import { BY_PROGRAM, SERVICES } from './services.js';
import type { Zone } from './zone.js';

const NEEDLES: readonly Buffer[] = [...new Set(SERVICES.flatMap(({ needles }) => needles))].map((text) =>
  Buffer.from(text, 'latin1'),
);
/** More tell nothing more. */
const MOST_FAILURES = 20;
const MOST_LOOKS = 200;
const HEAD = 1 << 16;

/**
 * Logins in a text log, packed or not, in constant memory at any size. Failures are read where they matter: up to twenty of the same address within ten
 * minutes before each login.
 * @param zone of the host that wrote it: RFC 3164 has local times without a year
 * @throws BlocklistError `file-unreadable`, `bad-gzip`, `bad-records` when its first lines are no log
 */
export async function* readLog(path: string, zone: Zone): LoginEvents {
  const log = new LogReader(path, new LogYears(await changeOf(path), zone));
  await log.readYears(unpackedFile(path));
  const window = new LogWindow();
  for await (const chunk of unpackedFile(path)) {
    window.push(chunk);
    for (const span of window.lines(NEEDLES)) yield* log.events(window, span);
  }
}

/** Milliseconds since 1970. */
async function changeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

class LogReader {
  constructor(
    private readonly path: string,
    private readonly years: LogYears,
  ) {}

  /** A first pass, only over logs without years. */
  async readYears(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let offset = 0;
    for await (const chunk of chunks) {
      if (offset === 0) {
        const head = headOf(chunk, this.path);
        if (head === undefined || typeof head.time === 'number') return;
      }
      this.years.take(chunk, offset);
      offset += chunk.length;
    }
  }

  *events(window: LogWindow, span: Span): Generator<LoginEvent> {
    const line = logLine(window.text(span));
    const service = line === undefined ? undefined : BY_PROGRAM.get(line.program);
    if (line === undefined || service === undefined) return;
    const told = service.read(line.message);
    if (told === undefined) return;
    const time = this.timeOf(line, window.offset(span));
    if (told.kind === 'login' && told.address !== undefined) {
      yield* this.failuresBefore(window, span, { service, address: told.address, time });
    }
    yield this.event(told, line, service, time, window.offset(span));
  }

  private timeOf({ time }: LogLine, offset: number): number {
    return typeof time === 'number' ? time : this.years.moment(time, offset);
  }

  private event(told: Told, { pid, message }: LogLine, service: Service, time: number, at: number): LoginEvent {
    return eventOf(told, { place: { kind: 'log', file: this.path, at }, time, pid }, service, message, 'anyone');
  }

  private *failuresBefore(
    window: LogWindow,
    login: Span,
    { service, address, time }: { readonly service: Service; readonly address: string; readonly time: number },
  ): Generator<LoginEvent> {
    const first = this.placeOf(window, login, time - FAILURES_MS);
    const found: LoginEvent[] = [];
    let looks = 0;
    for (const span of window.back(Buffer.from(address, 'latin1'), first, login)) {
      if (++looks > MOST_LOOKS || found.length >= MOST_FAILURES) break;
      const line = logLine(window.text(span));
      if (line === undefined || BY_PROGRAM.get(line.program) !== service) continue;
      const { message, times } = unrepeated(line.message);
      const told = service.read(message);
      if (told === undefined || told.kind === 'injected' || told.address !== address) continue;
      // What came before an earlier login was told with that.
      if (told.kind === 'login') break;
      if (told.kind !== 'failure') continue;
      const offset = window.offset(span);
      const when = this.timeOf(line, offset);
      if (when < time - FAILURES_MS) break;
      const failure = this.event(told, line, service, when, offset);
      for (let i = 0; i < times && found.length < MOST_FAILURES; i++) found.push(failure);
    }
    yield* found.reverse();
  }

  /** Where in the window the lines of this moment begin, by halves: lines are in order as a rule. */
  private placeOf(window: LogWindow, login: Span, moment: number): number {
    let [low, high] = [0, login.from];
    while (high - low > HEAD) {
      const middle = (low + high) >> 1;
      const span = window.lineAt(middle);
      const line = logLine(window.text(span));
      if (line !== undefined && this.timeOf(line, window.offset(span)) < moment) low = middle;
      else high = middle;
    }
    return window.startOfLine(low);
  }
}

/** The first line of a log; undefined when it is empty. */
function headOf(chunk: Uint8Array, path: string): LogLine | undefined {
  const lines = Buffer.from(chunk.subarray(0, HEAD)).toString('utf8').split('\n').slice(0, -1);
  for (const line of lines) {
    const found = logLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (found !== undefined) return found;
  }
  if (lines.length === 0) return undefined;
  throw new BlocklistError('bad-records', 'none of its first lines is one of a log with times and names of programs', {
    where: path,
    hint: 'name a log that syslog wrote; what sshd writes with -E has no times, and names that look like other lines',
  });
}
