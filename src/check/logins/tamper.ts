import type { Span } from '../../logins/book.js';
import type { Oddity, OddityCode, RecordKind } from '../../logins/event.js';
import type { Visit } from '../../logins/visit.js';
import { type FindingCode, fingerprintOf, type Severity } from '../finding.js';
import type { Found } from './found.js';

interface Meaning {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** what follows the name of the file: not escaped */
  readonly words: (facts: Oddity['facts'], near: string) => string;
}

const MEANINGS: Readonly<Record<OddityCode, Meaning>> = {
  zeroed: {
    code: 'WTMP-ZEROED',
    severity: 'high',
    words: ({ count }, near) => `${plural(count, 'record')} of nothing but zeros${near}: erased, as log cleaners do it`,
  },
  partial: {
    code: 'WTMP-PARTIAL',
    severity: 'high',
    words: ({ bytes }, near) =>
      `${plural(bytes, 'byte')} at the end that are no record${near}: last(1) shows shifted lines or nothing then`,
  },
  damaged: {
    code: 'WTMP-BAD-RECORD',
    severity: 'medium',
    words: ({ from, to, why }, near) =>
      typeof why === 'string' ? `a record that is none (${why})${near}` : `bytes ${from} to ${to} are no record${near}`,
  },
  'time-back': {
    code: 'WTMP-TIME-BACK',
    severity: 'low',
    words: ({ before }, near) => `a record${near} stands behind one of ${moment(before)}`,
  },
  future: { code: 'WTMP-FUTURE', severity: 'medium', words: (_, near) => `a record${near}, which is still to come` },
  'two-addresses': {
    code: 'WTMP-HOST-MISMATCH',
    severity: 'medium',
    words: ({ address, text, user }, near) =>
      `the record of ${user ?? 'somebody'}${near} has two addresses, ${address} and ${text}: last and last -i show different ones`,
  },
  gap: {
    code: 'WTMP-DELETED-ROW',
    severity: 'high',
    words: ({ before, after }, near) =>
      `no rows between ${before} and ${after}${near}: ids are never left out, so rows were deleted`,
  },
  'ends-first': {
    code: 'WTMP-BAD-RECORD',
    severity: 'medium',
    words: ({ user }, near) => `the row of ${user ?? 'somebody'}${near} ended before it began`,
  },
  'orphan-logout': {
    code: 'WTMP-ORPHAN-LOGOUT',
    severity: 'medium',
    words: ({ tty }, near) => `a session on ${tty} ended${near} that never began: its login was cut out`,
  },
  forged: {
    code: 'LOG-FORGED',
    severity: 'high',
    words: ({ service, executable, uid, line }, near) =>
      `a line${near} claims to be of ${service}; ${executable ?? 'something'} wrote it as uid ${uid ?? 'unknown'}: ${line}`,
  },
  injected: {
    code: 'LOG-INJECTION',
    severity: 'info',
    words: ({ line }, near) => `a name${near} that was chosen to look like a login: ${line}`,
  },
};

/** What is wrong with records, as findings. */
export function oddityFindings(oddities: readonly Oddity[]): Found[] {
  return oddities.map((oddity) => {
    const { code, severity, words } = MEANINGS[oddity.code];
    const { place, time, facts } = oddity;
    const near = time === undefined ? between(facts) : ` of ${moment(time)}`;
    // Lines of one stranger differ in their ports: they are one thing.
    const same = code === 'LOG-INJECTION' ? null : place.at;
    return {
      code,
      severity,
      fingerprint: fingerprintOf(code, [place.kind, same, time ?? null]),
      what: `${place.file}: ${words(facts, near)}`,
      evidence: { ...facts, file: place.file, at: place.at },
      ...keepCopy(place.file, place.kind),
      first: time,
      last: time,
      times: 1,
      visit: undefined,
      address: undefined,
    };
  });
}

function between({ before, after }: Oddity['facts']): string {
  if (typeof before !== 'number' || typeof after !== 'number' || before < 1e11) return '';
  return ` between ${moment(before)} and ${moment(after)}`;
}

const HISTORIES: readonly RecordKind[] = ['wtmp', 'wtmpdb'];

/**
 * Logins with a terminal that the history of logins does not have, though it has older and younger ones: sshd writes both in one go, and leaves out sessions
 * without a terminal.
 */
export function missingLogins(visits: readonly Visit[], spans: ReadonlyMap<RecordKind, Span>): Found[] {
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
        what: `${visit.user} from ${visit.address ?? visit.peer ?? 'here'} on ${visit.tty} at ${moment(visit.time)} is in ${told} but not in the history of logins: it was cut out there`,
        evidence: { user: visit.user, address: visit.address ?? null, tty: visit.tty, records: visit.places },
        ...keepCopy('/var/log/wtmp', 'wtmp'),
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
  // Records may hold times beyond what a calendar has.
  if (Math.abs(time) > 8.64e15) return 'no time at all';
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
