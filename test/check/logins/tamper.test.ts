import { expect, test } from 'vitest';
import { missingLogins, oddityFindings } from '../../../src/check/logins/tamper.js';
import type { Oddity, OddityCode, RecordKind } from '../../../src/logins/event.js';
import { visit } from './cases.js';

const desk = {
  line: (command: string) => `blocklist ${command}`,
  path: (path: string) => path,
  callerAddress: undefined,
};
const T = Date.UTC(2026, 0, 1, 2, 11, 5);
const place = { kind: 'wtmp' as const, file: '/var/log/wtmp', at: 384 };

const ODD: Readonly<Record<OddityCode, readonly [facts: Oddity['facts'], expected: string]>> = {
  zeroed: [
    { count: 2, before: T, after: T + 60_000 },
    'high WTMP-ZEROED /var/log/wtmp: 2 records between 2026-01-01 02:11:05 UTC and 2026-01-01 02:12:05 UTC of nothing but zeros: erased, as log cleaners do it',
  ],
  partial: [
    { bytes: 1, before: T },
    'high WTMP-PARTIAL /var/log/wtmp: 1 byte at its end, at 2026-01-01 02:11:05 UTC, are no record: last(1) shows shifted lines or nothing then',
  ],
  damaged: [
    { from: 384, to: 769, before: T, after: T },
    'medium WTMP-BAD-RECORD /var/log/wtmp: bytes 384 to 769, between 2026-01-01 02:11:05 UTC and 2026-01-01 02:11:05 UTC, are no record',
  ],
  'time-back': [
    { before: T + 86_400_000 },
    'low WTMP-TIME-BACK /var/log/wtmp: a record at 2026-01-01 02:11:05 UTC stands behind one of 2026-01-02 02:11:05 UTC',
  ],
  future: [{}, 'medium WTMP-FUTURE /var/log/wtmp: a record at 2026-01-01 02:11:05 UTC, which is still to come'],
  'two-addresses': [
    { address: '203.0.113.1', text: '198.51.100.1', user: 'alice' },
    'medium WTMP-HOST-MISMATCH /var/log/wtmp: the record of alice at 2026-01-01 02:11:05 UTC has two addresses, 203.0.113.1 and 198.51.100.1: last and last -i show different ones',
  ],
  gap: [
    { from: 5, to: 6, count: 2, before: T },
    'high WTMP-DELETED-ROW /var/log/wtmp: the rows 5 to 6, at 2026-01-01 02:11:05 UTC, are not there: numbers are given in turn, so they were deleted',
  ],
  'orphan-logout': [
    { tty: 'pts/0', pid: 7 },
    'medium WTMP-ORPHAN-LOGOUT /var/log/wtmp: a session on pts/0 that ended at 2026-01-01 02:11:05 UTC never began: its login was cut out',
  ],
  'ends-first': [
    { user: '' },
    'medium WTMP-BAD-RECORD /var/log/wtmp: the row of somebody at 2026-01-01 02:11:05 UTC ended before it began',
  ],
  forged: [
    { service: 'sshd', pid: 3000, uid: '1001', executable: '/usr/bin/logger', line: 'Accepted' },
    'high LOG-FORGED /var/log/wtmp: a line at 2026-01-01 02:11:05 UTC claims to be of sshd, and /usr/bin/logger wrote it as uid 1001: Accepted',
  ],
  injected: [
    { service: 'sshd', line: 'Invalid user Accepted' },
    'info LOG-INJECTION /var/log/wtmp: a name that was chosen to look like a login, at 2026-01-01 02:11:05 UTC: Invalid user Accepted',
  ],
};

test.each(Object.entries(ODD))('%s', (code, [facts, expected]) => {
  const [found] = oddityFindings([{ kind: 'oddity', code: code as OddityCode, place, time: T, facts }], desk);
  expect(`${found?.severity} ${found?.code} ${found?.what}`).toBe(expected);
  expect(found?.suggest).not.toBe('');
});

test('of a place that a shell would read in another way no command is made', () => {
  const odd: Oddity = { kind: 'oddity', code: 'zeroed', place: { ...place, file: '/tmp/$(reboot)' }, facts: {} };
  expect(oddityFindings([odd], desk)[0]?.suggest).toBe('sudo cp -a /var/log/wtmp /root/');
});

test('two zeroed places are two findings; a stranger who tries it often is one', () => {
  const odd = (code: OddityCode, at: number): Oddity => ({
    kind: 'oddity',
    code,
    place: { ...place, at },
    time: T + at,
    facts: { service: 'sshd' },
  });
  const count = (code: OddityCode) =>
    new Set(oddityFindings([odd(code, 0), odd(code, 9)], desk).map(({ fingerprint }) => fingerprint)).size;
  expect([count('zeroed'), count('injected')]).toEqual([2, 1]);
});

test('WTMP-MISSING-LOGIN: a terminal, told by another record, younger than the history', () => {
  const history = (first: number) =>
    new Map<RecordKind, { events: number; first: number; last: number }>([['wtmp', { events: 1, first, last: first }]]);
  const missing = visit(3, { tty: 'pts/1', hasTerminal: true });
  const codes = (visits: Parameters<typeof missingLogins>[0], spans = history(missing.time - 1)) =>
    missingLogins(visits, spans, '/var/log/wtmp').map(({ code, severity }) => `${severity} ${code}`);
  expect(codes([missing])).toEqual(['high WTMP-MISSING-LOGIN']);
  expect(codes([{ ...missing, writer: 'anyone' }])).toEqual(['medium WTMP-MISSING-LOGIN']);
  // In the history; without a terminal, as scp is; a console; older than the history; no history at all.
  expect(codes([{ ...missing, places: [...missing.places, place] }])).toEqual([]);
  expect(codes([{ ...missing, hasTerminal: false, tty: undefined }])).toEqual([]);
  expect(codes([{ ...missing, tty: 'tty1' }])).toEqual([]);
  expect(codes([missing], history(missing.time + 1))).toEqual([]);
  expect(codes([missing], new Map())).toEqual([]);
});
