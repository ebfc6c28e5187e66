import { basename } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../io/json.js';
import { runLines } from '../io/run-lines.js';
import type { LoginEvent, LoginEvents, Place } from './event.js';
import { unrepeated } from './repeated.js';
import { eventOf, type Service, type Told } from './services/service.js';
import { BY_PROGRAM } from './services.js';

/** systemd.journal-fields(7). A field may come several times, and a message may be bytes, or null when it is too long (journalctl(1), -o json). */
const field = z
  .union([z.string(), z.array(z.union([z.string(), z.array(z.int())])), z.null()])
  .optional()
  .catch(undefined);
const entrySchema = z.object({
  __CURSOR: field,
  __REALTIME_TIMESTAMP: field,
  _PID: field,
  _UID: field,
  _EXE: field,
  _COMM: field,
  SYSLOG_IDENTIFIER: field,
  MESSAGE: z
    .union([z.string(), z.array(z.union([z.int(), z.string()])), z.null()])
    .optional()
    .catch(undefined),
});
type Entry = z.output<typeof entrySchema>;

const LONGEST = 1 << 16;
/** journalctl prints a MiB of message as four of numbers. */
const LONGEST_LINE = 1 << 23;
const MICROSECONDS = 1000;

/** Which journal is asked, as arguments of journalctl(1). */
export interface JournalPlace {
  readonly argv: readonly string[];
  /** for messages and places */
  readonly name: string;
}

/**
 * Logins in a journal, by journalctl(1). Only what journald itself says of the writer counts: a line that claims to be of a service and whose writer is
 * not its program is an oddity.
 * @param since milliseconds since 1970
 * @throws BlocklistError `program-missing`, `program-failed`
 */
export async function* readJournal(place: JournalPlace, since: number | undefined): LoginEvents {
  const identifiers = [...BY_PROGRAM.keys()].flatMap((program) => ['-t', program]);
  const from = since === undefined ? [] : ['--since', `@${Math.floor(since / 1000)}`];
  const args = [...place.argv, '-o', 'json', '--no-pager', '-q', ...from, ...identifiers];
  yield* journalEvents(runLines(['journalctl', ...args], LONGEST_LINE), place.name);
}

/** Logins in the lines of `journalctl -o json`; what is no JSON tells nothing. */
export async function* journalEvents(lines: AsyncIterable<string>, file: string): LoginEvents {
  for await (const line of lines) {
    const parsed = entrySchema.safeParse(parseJson(line));
    if (!parsed.success) continue;
    yield* eventsOf(parsed.data, file);
  }
}

function eventsOf(entry: Entry, file: string): readonly LoginEvent[] {
  const message = textOf(entry.MESSAGE);
  const service = BY_PROGRAM.get(first(entry.SYSLOG_IDENTIFIER) ?? '');
  const time = Number(first(entry.__REALTIME_TIMESTAMP)) / MICROSECONDS;
  if (message === undefined || service === undefined || !Number.isFinite(time)) return [];
  const { message: inner, times } = unrepeated(message);
  const told = service.read(inner);
  if (told === undefined) return [];
  const place: Place = { kind: 'journal', file, at: first(entry.__CURSOR) ?? '' };
  const pid = Number(first(entry._PID) ?? Number.NaN);
  const seen = { place, time, pid: Number.isInteger(pid) ? pid : undefined };
  const writer = { uid: first(entry._UID), executable: first(entry._EXE) };
  if (!isGenuine(service, told, writer)) {
    const facts = { service: service.name, pid: seen.pid, ...writer, comm: first(entry._COMM), line: message };
    return [{ kind: 'oddity', code: 'forged', place, time, facts }];
  }
  const event = eventOf(told, seen, service, message, 'root');
  return event.kind === 'failure' ? Array.from({ length: times }, () => event) : [event];
}

/** Whether the program of the service wrote it, as root where only root writes such lines. After an update its file is a deleted one. */
function isGenuine(
  service: Service,
  told: Told,
  { uid, executable }: { readonly uid: string | undefined; readonly executable: string | undefined },
): boolean {
  const program = basename((executable ?? '').replace(/ \(deleted\)$/, ''));
  // Lines that a process of the user may write: whoever is logged in gains nothing by faking his own end.
  if (!service.isOfRoot(told)) return true;
  // The uid comes with the message itself; of a process that ended at once its file is not known any more.
  return uid === '0' && (executable === undefined || service.executables.includes(program));
}

function first(value: Entry['_PID']): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : undefined;
}

/** As a person reads it; bytes that are no UTF-8 become U+FFFD. */
function textOf(message: Entry['MESSAGE']): string | undefined {
  if (typeof message === 'string') return message.slice(0, LONGEST);
  if (!Array.isArray(message)) return undefined;
  const [head] = message;
  if (typeof head === 'string') return head.slice(0, LONGEST);
  const bytes = message.filter((byte) => typeof byte === 'number').slice(0, LONGEST);
  return Buffer.from(bytes).toString('utf8');
}
