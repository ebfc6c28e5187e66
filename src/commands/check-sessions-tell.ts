import type { Finding } from '../check/finding.js';
import type { JudgedSession, SessionReview } from '../check/sessions.js';
import type { ProcessRow } from '../host/process-table.js';
import { escapeText } from '../io/escape.js';
import { grouped, isoText, minuteText } from '../io/figures.js';
import { table } from '../io/table.js';
import { type Context, type GlobalOptions, say } from './context.js';

export interface ToldSessions {
  readonly review: SessionReview;
  readonly coverage: 'complete' | 'incomplete';
  readonly utmp: 'kept' | 'unused' | 'none';
  /** milliseconds since 1970 */
  readonly now: number;
}

const COLUMNS = [
  { title: 'user' },
  { title: 'from' },
  { title: 'country' },
  { title: 'since' },
  { title: 'idle' },
  { title: 'tty' },
  { title: 'pid', align: 'right' },
  { title: 'by' },
  { title: 'w shows' },
  { title: 'logind' },
  { title: '' },
] as const;

/** Who is here, then what is wrong, each with its command, then what was looked at. */
export function printSessionsText(told: ToldSessions, options: GlobalOptions, context: Context): void {
  const { review, coverage } = told;
  const { sessions, findings, accepted } = review;
  const parts = [sessions.length === 0 ? '' : table(COLUMNS, sessions.map(rowOf)), ...findings.map(paragraph)];
  context.stdout.write(parts.filter((part) => part !== '').join('\n'));
  const hidden = sessions.filter(({ shownBy }) => shownBy === undefined).length;
  const words = [
    `sessions: ${grouped(sessions.length)}, not shown by w: ${grouped(hidden)}`,
    accepted > 0 ? `accepted and not shown: ${grouped(accepted)}` : '',
    coverage === 'complete' ? '' : 'not everything was seen, so nobody can say that all is well',
  ];
  say(context, options, words.filter((word) => word !== '').join('; '));
}

/** Sentences have text of records in them. */
const LONGEST = 600;

function paragraph({ severity, code, fingerprint, what, suggest, note }: Finding): string {
  const advice = note === undefined ? '' : `    (${escapeText(note, LONGEST)})`;
  return `${severity.toUpperCase()}  ${escapeText(what, LONGEST)}\n  ${fingerprint}  ${code}\n  do: ${suggest}${advice}\n`;
}

function rowOf(session: JudgedSession): string[] {
  const { user, uid, address, peer, facts, since, idle, tty, monitor, service, shownBy, logind, isOwn, place } =
    session;
  const from = address === undefined && peer === undefined ? 'here' : (address ?? peer ?? '');
  return [
    user ?? `uid ${uid ?? 'unknown'}`,
    from,
    facts?.country ?? '',
    since === undefined ? 'unknown' : minuteText(since),
    idle === undefined ? '' : idleText(idle),
    tty ?? '',
    monitor === undefined ? '' : String(monitor.pid),
    service,
    shownBy === undefined ? 'no' : 'yes',
    logind?.id ?? '',
    [isOwn ? 'you' : '', place === 'elsewhere' ? 'in a container' : ''].filter((word) => word !== '').join(', '),
  ];
}

const MINUTE_MS = 60_000;

/** `12s`, `5m`, `3h`, `2d` */
function idleText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1_000)}s`;
  if (ms < 60 * MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)}m`;
  if (ms < 48 * 60 * MINUTE_MS) return `${Math.floor(ms / (60 * MINUTE_MS))}h`;
  return `${Math.floor(ms / (24 * 60 * MINUTE_MS))}d`;
}

export function printSessionsJson({ review, coverage, utmp, now }: ToldSessions, { stdout }: Context): void {
  const data = {
    at: isoText(now),
    complete: coverage === 'complete',
    utmp,
    sessions: review.sessions.map(sessionJson),
    accepted: review.accepted,
    findings: review.findings,
  };
  stdout.write(`${JSON.stringify({ schema: 'blocklist/check-sessions', version: 1, ...data })}\n`);
}

function sessionJson(session: JudgedSession): object {
  const { user, uid, address, port, peer, facts, tty, service, since, idle, monitor, leader, logind } = session;
  return {
    user: user ?? null,
    uid: uid ?? null,
    address: address ?? null,
    port: port ?? null,
    peer: peer ?? null,
    country: facts?.country ?? null,
    network: facts?.network ?? null,
    lists: facts?.listed.map(({ source }) => source) ?? [],
    tty: tty ?? null,
    service,
    since: since === undefined ? null : isoText(since),
    idleMs: idle === undefined ? null : Math.round(idle),
    monitor: monitor === undefined ? null : processJson(monitor),
    leader: leader === undefined ? null : processJson(leader),
    logind: logind === undefined ? null : { id: logind.id, scope: logind.scope ?? null, state: logind.state },
    audit: session.audit ?? null,
    records: session.records,
    shownBy: session.shownBy ?? null,
    place: session.place,
    isOwn: session.isOwn,
    processes: session.processes.map(processJson),
    findings: session.findings.map(({ fingerprint }) => fingerprint),
  };
}

/** Number and ticks together are this process and no other. */
function processJson({ pid, ticks, start, name, program, uid, tty }: ProcessRow): object {
  return { pid, ticks, start: isoText(start), name, program: program ?? null, uid: uid ?? null, tty: tty ?? null };
}
