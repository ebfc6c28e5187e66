import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LoginBook } from '../../src/logins/book.js';
import type { Failure, Login, LoginEvent, Logout, Opened, RecordKind, Turn } from '../../src/logins/event.js';

const T = Date.UTC(2026, 0, 1);
const place = (kind: RecordKind) => ({ kind, file: `/var/log/${kind}`, at: 0 });

const login = (kind: RecordKind, seconds: number, more: Partial<Login> = {}): Login => ({
  kind: 'login',
  place: place(kind),
  time: T + seconds * 1000,
  user: 'alice',
  address: '203.0.113.7',
  service: kind === 'wtmp' ? 'login' : 'sshd',
  writer: kind === 'log' ? 'anyone' : 'root',
  ...more,
});
const logout = (kind: RecordKind, seconds: number, more: Partial<Logout>): Logout => ({
  kind: 'logout',
  place: place(kind),
  time: T + seconds * 1000,
  ...more,
});
const turn = (kind: Turn['kind'], seconds: number): Turn => ({ kind, place: place('wtmp'), time: T + seconds * 1000 });
const failure = (kind: RecordKind, seconds: number, address = '203.0.113.7'): Failure => ({
  kind: 'failure',
  place: place(kind),
  time: T + seconds * 1000,
  user: 'root',
  address,
  service: 'sshd',
});
const opened = (seconds: number, more: Partial<Opened>): Opened => ({
  kind: 'opened',
  place: place('log'),
  time: T + seconds * 1000,
  user: 'alice',
  ...more,
});

function book(...events: readonly LoginEvent[]) {
  const all = new LoginBook();
  for (const event of events) all.take(event);
  return { visits: all.close(), oddities: all.oddities, spans: all.spans };
}

describe('one login in several records is one', () => {
  test('wtmp, the log and the journal', () => {
    const { visits } = book(
      login('wtmp', 1, { pid: 7, tty: 'pts/0' }),
      login('log', 0, { pid: 7, port: 99, method: 'publickey', key: 'SHA256:x' }),
      login('journal', 0.123, { pid: 7, port: 99, method: 'publickey' }),
    );
    expect(visits).toMatchObject([
      {
        pid: 7,
        port: 99,
        tty: 'pts/0',
        method: 'publickey',
        key: 'SHA256:x',
        times: 1,
        writer: 'root',
        hasTerminal: true,
      },
    ]);
    expect(visits[0]?.places.map(({ kind }) => kind)).toEqual(['wtmp', 'log', 'journal']);
  });

  test('lastlog and wtmpdb have no number of a process', () => {
    expect(
      book(login('wtmpdb', 0, { tty: 'pts/1' }), login('lastlog2', 1, { tty: 'pts/1' }), login('log', 2, { pid: 5 }))
        .visits,
    ).toHaveLength(1);
  });

  test('a name of 32 letters in utmp is the longer one of the log', () => {
    const [short, long] = ['a'.repeat(32), 'a'.repeat(40)];
    expect(book(login('wtmp', 0, { user: short }), login('log', 0, { user: long })).visits).toHaveLength(1);
  });

  test.each([
    ['another user', { user: 'bob' }],
    ['another address', { address: '203.0.113.8' }],
    ['another process', { pid: 8 }],
    ['six seconds later', { time: T + 6000 }],
  ])('%s is another one', (_, more) => {
    expect(book(login('wtmp', 0, { pid: 7 }), login('log', 0, { pid: 7, ...more })).visits).toHaveLength(2);
  });

  test('of root the process in wtmp is a child of the one in the log; of others it is the same', () => {
    const root = { user: 'root' };
    const rows = (seconds: number, pid: number) => login('wtmp', seconds, { ...root, pid, tty: 'pts/0' });
    const lines = (seconds: number, pid: number) => login('log', seconds, { ...root, pid, port: pid });
    const last = login('lastlog', 3, { ...root, tty: 'pts/0' });
    const { visits } = book(rows(1, 17), rows(3, 27), last, lines(0.9, 11), lines(2.9, 21), lines(3.1, 31));
    expect(visits.map(({ port, places }) => [port, places.map(({ kind }) => kind).join(' ')])).toEqual([
      [11, 'wtmp log'],
      [21, 'wtmp lastlog log'],
      [31, 'log'],
    ]);
  });

  test('two of one kind at the same time are two', () => {
    expect(book(login('log', 0, { pid: 7, port: 1 }), login('log', 0, { pid: 8, port: 2 })).visits).toHaveLength(2);
    expect(book(login('log', 0, { pid: 7, port: 1 }), login('log', 0, { pid: 7, port: 1 })).visits).toHaveLength(1);
  });

  test('a mail client is one a day, however often it comes and in however many records', () => {
    const mail = (kind: RecordKind, hours: number) => login(kind, hours * 3600, { service: 'dovecot', user: 'm' });
    const hours = Array.from({ length: 30 }, (_, i) => i);
    const { visits } = book(...hours.map((h) => mail('log', h)), ...hours.map((h) => mail('journal', h)));
    expect(visits.map(({ times }) => times)).toEqual([24, 6]);
  });

  test('the order of the sources does not matter', () => {
    const events = [
      login('wtmp', 1, { pid: 7, tty: 'pts/0' }),
      login('log', 0, { pid: 7, port: 99 }),
      login('journal', 0, { pid: 7, port: 99 }),
      login('lastlog', 1, { tty: 'pts/0' }),
      login('log', 40, { pid: 8, port: 98 }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (mixed) => {
        const { visits } = book(...mixed);
        expect(visits.map(({ pid, port, tty }) => ({ pid, port, tty }))).toEqual([
          { pid: 7, port: 99, tty: 'pts/0' },
          { pid: 8, port: 98, tty: undefined },
        ]);
      }),
    );
  });
});

describe('the end of a session', () => {
  const begin = login('wtmp', 0, { pid: 7, tty: 'pts/0', port: 99 });

  test.each([
    ['by terminal and process', logout('wtmp', 60, { pid: 7, tty: 'pts/0' })],
    ['by process', logout('log', 60, { pid: 7 })],
    ['by connection', logout('log', 60, { address: '203.0.113.7', port: 99, pid: 9 })],
  ])('%s', (_, end) => {
    expect(book(begin, end).visits).toMatchObject([{ end: T + 60_000, endedBy: 'logout' }]);
  });

  test('somebody else has the terminal', () => {
    const { visits } = book(begin, login('wtmp', 100, { user: 'bob', pid: 9, tty: 'pts/0' }));
    expect(visits[0]).toMatchObject({ end: T + 100_000, endedBy: 'logout' });
    expect(visits[1]?.end).toBeUndefined();
  });

  test('a shutdown, or a start without one', () => {
    expect(book(begin, turn('shutdown', 50), turn('boot', 60)).visits).toMatchObject([
      { end: T + 50_000, endedBy: 'shutdown' },
    ]);
    expect(book(begin, turn('boot', 60)).visits).toMatchObject([{ end: T + 60_000, endedBy: 'crash' }]);
    expect(book(turn('boot', -60), begin, turn('clock', 5)).visits).toMatchObject([{ end: undefined }]);
  });

  test('of a session of which the records know nothing since the start of the host: its login was cut out', () => {
    const orphan = logout('wtmp', 60, { pid: 7, tty: 'pts/0' });
    expect(book(turn('boot', -60), orphan).oddities).toMatchObject([
      { code: 'orphan-logout', facts: { tty: 'pts/0', pid: 7 } },
    ]);
    // Of an earlier file; of a console, whose getty ends like that; and one that did begin.
    expect(book(orphan).oddities).toEqual([]);
    expect(book(turn('boot', -60), logout('wtmp', 60, { pid: 7, tty: 'tty1' })).oddities).toEqual([]);
    expect(book(turn('boot', -60), begin, orphan).oddities).toEqual([]);
  });
});

describe('what else is told', () => {
  test('pam: a session was opened for it; sshd: on a terminal', () => {
    const accepted = login('log', 0, { pid: 7, port: 99 });
    expect(book(accepted, opened(1, { pid: 7 })).visits).toMatchObject([{ isOpened: true, hasTerminal: false }]);
    expect(book(accepted, opened(2, { pid: 8, address: '203.0.113.7', port: 99, tty: 'pts/3' })).visits).toMatchObject([
      { isOpened: true, hasTerminal: true, tty: 'pts/3' },
    ]);
    for (const other of [opened(90, { pid: 7 }), opened(1, { pid: 8 }), opened(1, { pid: 7, user: 'bob' })]) {
      expect(book(accepted, other).visits).toMatchObject([{ isOpened: undefined }]);
    }
  });

  test('failures: of the same address, within ten minutes; what btmp and the log both have counts once', () => {
    const accepted = login('log', 700, { pid: 7 });
    const tries = [0, 200, 300, 400].map((seconds) => failure('log', seconds));
    expect(book(...tries, failure('log', 500, '203.0.113.8'), accepted).visits).toMatchObject([{ failures: 3 }]);
    const both = [accepted, ...[0, 200, 300, 400].map((seconds) => failure('btmp', seconds)), failure('btmp', 800)];
    expect(book(...tries, ...both).visits).toMatchObject([{ failures: 3 }]);
    expect(book(...both).visits).toMatchObject([{ failures: 3 }]);
  });

  test('a million failures need little room', () => {
    const all = new LoginBook();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 400_000; i++) all.take(failure('log', i, `10.${i & 255}.${(i >> 8) & 255}.${(i >> 16) & 255}`));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(120e6);
  });

  test('of each kind of record how much it has, and from when to when', () => {
    expect([...book(login('log', 5), login('wtmp', 1), login('log', 2)).spans]).toEqual([
      ['log', { events: 2, first: T + 2000, last: T + 5000 }],
      ['wtmp', { events: 1, first: T + 1000, last: T + 1000 }],
    ]);
  });
});
