import { isoText } from '../../io/figures.js';
import type { Span } from '../../logins/book.js';
import type { Oddity, OddityCode, RecordKind } from '../../logins/event.js';
import type { Visit } from '../../logins/visit.js';
import { type FindingCode, fingerprintOf, type Severity } from '../finding.js';
import { type Found, ofRecords } from './found.js';
import type { Desk, Suggestion } from './suggest.js';

interface Meaning {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** what follows the name of the file: not escaped. `where`: near which moment, or between which */
  readonly words: (facts: Oddity['facts'], where: string) => string;
}

const MEANINGS: Readonly<Record<OddityCode, Meaning>> = {
  zeroed: {
    code: 'WTMP-ZEROED',
    severity: 'high',
    words: ({ count }, where) =>
      `${plural(count, 'record')} ${where} of nothing but zeros: erased, as log cleaners do it`,
  },
  partial: {
    code: 'WTMP-PARTIAL',
    severity: 'high',
    words: ({ bytes }, where) =>
      `${plural(bytes, 'byte')} at its end, ${where}, are no record: last(1) shows shifted lines or nothing then`,
  },
  damaged: {
    code: 'WTMP-BAD-RECORD',
    severity: 'medium',
    words: ({ from, to }, where) =>
      from === undefined ? `a row ${where} is of no known kind` : `bytes ${from} to ${to}, ${where}, are no record`,
  },
  'time-back': {
    code: 'WTMP-TIME-BACK',
    severity: 'low',
    words: ({ before }, where) => `a record ${where} stands behind one of ${moment(before)}`,
  },
  future: { code: 'WTMP-FUTURE', severity: 'medium', words: (_, where) => `a record ${where}, which is still to come` },
  'two-addresses': {
    code: 'WTMP-HOST-MISMATCH',
    severity: 'medium',
    words: ({ address, text, user }, where) =>
      `the record of ${user || 'somebody'} ${where} has two addresses, ${address} and ${text}: last and last -i show different ones`,
  },
  gap: {
    code: 'WTMP-DELETED-ROW',
    severity: 'high',
    words: ({ from, to }, where) =>
      `the rows ${from} to ${to}, ${where}, are not there: numbers are given in turn, so they were deleted`,
  },
  'ends-first': {
    code: 'WTMP-BAD-RECORD',
    severity: 'medium',
    words: ({ user }, where) => `the row of ${user || 'somebody'} ${where} ended before it began`,
  },
  'orphan-logout': {
    code: 'WTMP-ORPHAN-LOGOUT',
    severity: 'medium',
    words: ({ tty }, where) => `a session on ${tty} that ended ${where} never began: its login was cut out`,
  },
  forged: {
    code: 'LOG-FORGED',
    severity: 'high',
    words: ({ service, executable, uid, line }, where) =>
      `a line ${where} claims to be of ${service}, and ${executable ?? 'something'} wrote it as uid ${uid ?? 'unknown'}: ${line}`,
  },
  injected: {
    code: 'LOG-INJECTION',
    severity: 'info',
    words: ({ line }, where) => `a name that was chosen to look like a login, ${where}: ${line}`,
  },
};

/** What is wrong with records, as findings. */
export function oddityFindings(oddities: readonly Oddity[], desk: Desk): Found[] {
  return oddities.map((oddity) => {
    const { code, severity, words } = MEANINGS[oddity.code];
    const { place, time, facts } = oddity;
    // Who tries it tries it often: it is one thing.
    const parts = code === 'LOG-INJECTION' ? [facts.service ?? null] : [place.kind, place.at, time ?? null];
    const fingerprint = fingerprintOf(code, parts);
    const said = words(facts, whereOf(oddity));
    return ofRecords(
      {
        code,
        severity,
        fingerprint,
        what: `${desk.path(place.file)}: ${said}`,
        words: said,
        evidence: { ...facts, file: place.file, at: place.at },
        ...suggestionOf(oddity, fingerprint, desk),
      },
      time,
    );
  });
}

function suggestionOf({ code, place, facts }: Oddity, fingerprint: string, desk: Desk): Suggestion {
  if (code === 'injected') {
    return {
      suggest: desk.line(`accept ${fingerprint} --for 90d --reason 'nothing came of it'`),
      note: 'an attempt to fool who searches logs for words; it is no login',
    };
  }
  if (code !== 'forged') return keepCopy(place.file, place.kind);
  const writer = typeof facts.pid === 'number' ? `_PID=${facts.pid}` : '-t sshd';
  return {
    suggest: `sudo journalctl ${writer} -o verbose`,
    note: `shows who wrote it: uid ${facts.uid ?? 'unknown'} of this host`,
  };
}

/** The records around it tell when what has no time of its own was written. */
function whereOf({ time, facts: { before, after } }: Oddity): string {
  if (typeof before === 'number' && typeof after === 'number') return `between ${moment(before)} and ${moment(after)}`;
  return time === undefined ? 'at no known time' : `at ${moment(time)}`;
}

const HISTORIES: readonly RecordKind[] = ['wtmp', 'wtmpdb'];

/**
 * Logins with a terminal that the history of logins does not have, though it has older and younger ones: sshd writes both in one go, and leaves out sessions
 * without a terminal.
 * @param history path of the file that does not have them
 */
export function missingLogins(
  visits: readonly Visit[],
  spans: ReadonlyMap<RecordKind, Span>,
  history: string,
): Found[] {
  const first = Math.min(...HISTORIES.map((kind) => spans.get(kind)?.first ?? Number.POSITIVE_INFINITY));
  return visits.flatMap((visit): Found[] => {
    const isThere = visit.places.some(({ kind }) => HISTORIES.includes(kind));
    if (!visit.hasTerminal || isThere || visit.time <= first || visit.tty?.startsWith('pts/') !== true) return [];
    const told = visit.places.map(({ kind }) => kind).join(', ');
    return [
      {
        code: 'WTMP-MISSING-LOGIN',
        severity: visit.writer === 'root' ? 'high' : 'medium',
        fingerprint: fingerprintOf('WTMP-MISSING-LOGIN', [visit.user, visit.address ?? null, visit.time]),
        words: `it was cut out of the history of logins: ${told} has it on ${visit.tty}`,
        what: `${visit.user} from ${visit.address ?? visit.peer ?? 'here'} on ${visit.tty} at ${moment(visit.time)} is in ${told} but not in the history of logins: it was cut out there`,
        evidence: { user: visit.user, address: visit.address ?? null, tty: visit.tty, records: visit.places },
        ...keepCopy(history, 'wtmp'),
        first: visit.time,
        last: visit.time,
        times: 1,
        visit,
        address: undefined,
      },
    ];
  });
}

const PLAIN_PATH = /^\/[\w./-]+$/;

/** Whoever changed it may come back for the rest: keep what there is. */
export function keepCopy(file: string, kind: RecordKind): Pick<Found, 'suggest' | 'note'> {
  if (kind === 'journal')
    return { suggest: 'sudo journalctl --verify', note: 'finds changed journals; keep a copy of /var/log/journal' };
  const path = PLAIN_PATH.test(file) ? file : '/var/log/wtmp';
  return {
    suggest: `sudo cp -a ${path} /root/`,
    note: 'keep what there is, and compare with logs that were sent elsewhere',
  };
}

function plural(count: string | number | undefined, word: string): string {
  return `${count ?? 'some'} ${word}${count === 1 ? '' : 's'}`;
}

/** UTC, to the second: `2026-11-29 02:11:05 UTC`. */
export function moment(time: string | number | undefined): string {
  if (typeof time !== 'number') return 'an unknown time';
  const text = isoText(time);
  return text === 'never' ? 'no time at all' : `${text.slice(0, 19).replace('T', ' ')} UTC`;
}
