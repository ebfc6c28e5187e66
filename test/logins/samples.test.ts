import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readUtmp } from '../../src/logins/utmp-file.js';
import { eventsOf, fixture, NOW, readBytes, T0, told } from './read.js';

/** wtmp.good, record by record; those between them (a runlevel, a getty) say nothing. */
const GOOD = [
  [0, 'boot', '0.111'],
  [3, 'login', '60 root tty1 701 login'],
  [4, 'login', '600.25 alice 198.51.100.23 pts/0 1201 sshd'],
  [5, 'login', '900 bob 203.0.113.77 pts/1 1302 sshd'],
  [6, 'logout', '4200.75 pts/0 1201'],
  [7, 'login', '5000 alice 2001:db8:5::42 pts/0 1403 sshd'],
  [8, 'login', '5100 carol 192.0.2.9 pts/2 1504 sshd'],
  [9, 'logout', '5200 pts/1 1302'],
  [10, 'shutdown', '7000'],
  [11, 'boot', '7060'],
  [12, 'login', '7600 alice 198.51.100.23 pts/0 900 sshd'],
  [13, 'boot', '9000'],
  [14, 'login', '9600 alice 198.51.100.23 pts/0 950 sshd'],
] as const;
const ms = (seconds: number) => (T0 + seconds) * 1000;

/** wtmp.good with each record at another place, or at none. */
function good(place: (record: number) => number | undefined): string[] {
  return GOOD.flatMap(([record, kind, rest]) => {
    const at = place(record);
    return at === undefined ? [] : [`${kind} ${at} ${rest}`];
  });
}

/** The lines with others put in before the n-th. */
function withLines(lines: readonly string[], n: number, ...more: readonly string[]): string[] {
  return [...lines.slice(0, n), ...more, ...lines.slice(n)];
}

const facts = (value: object) => JSON.stringify(value);

const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'wtmp.good': good((record) => 384 * record),
  'wtmp.aarch64': good((record) => 400 * record),
  'wtmp.empty': [],
  'wtmp.zeroed': withLines(
    good((record) => (record === 5 ? undefined : 384 * record)),
    3,
    `zeroed 1920 600.25 ${facts({ count: 1, before: ms(600.25), after: ms(4200.75) })}`,
  ),
  'wtmp.truncated': [
    ...good((record) => (record === 14 ? undefined : 384 * record)),
    `partial 5376 9000 ${facts({ bytes: 284, before: ms(9000) })}`,
  ],
  'wtmp.one-extra-byte': [
    ...good((record) => 384 * record),
    `partial 5760 9600 ${facts({ bytes: 1, before: ms(9600) })}`,
  ],
  'wtmp.misaligned': [
    `damaged 0 9 ${facts({ from: 0, to: 383, after: ms(9) })}`,
    ...good((record) => (record === 0 ? undefined : 384 * record - 1)),
  ],
  'wtmp.byte-inserted-mid': withLines(
    good((record) => (record === 6 ? undefined : 384 * record + (record > 6 ? 1 : 0))),
    4,
    `damaged 2304 900 ${facts({ from: 2304, to: 2689, before: ms(900), after: ms(5000) })}`,
  ),
  'wtmp.bytes-cut-mid': withLines(
    good((record) => (record === 6 ? undefined : 384 * record - (record > 6 ? 50 : 0))),
    4,
    `damaged 2304 900 ${facts({ from: 2304, to: 2638, before: ms(900), after: ms(5000) })}`,
  ),
  'wtmp.backwards': withLines(
    good((record) => 384 * (record < 8 ? record : record + 1)),
    6,
    'login 3072 -259200 dave 192.0.2.200 pts/3 1600 sshd',
    `time-back 3072 -259200 ${facts({ before: ms(5000), time: ms(-259200), user: 'dave' })}`,
  ),
  'wtmp.orphan-logout': good((record) => (record === 5 ? undefined : 384 * (record > 5 ? record - 1 : record))),
  'wtmp.v6': [
    'boot 0 0.111',
    'login 384 5000 alice 2001:db8:5::42 pts/0 1403 sshd',
    'login 768 5100 carol 192.0.2.9 pts/2 1504 sshd',
    'login 1152 5300 erin fe80::1 pts/4 1700 sshd',
  ],
  'wtmp.hostile': [
    'boot 0 0.111',
    'login 384 100 alice 203.0.113.250 pts/5 1800 sshd',
    `two-addresses 384 100 ${facts({ address: '203.0.113.250', text: '198.51.100.23', user: 'alice' })}`,
    'login 768 200 mallory 203.0.113.66 pts/6 1801 sshd',
    `login 1152 300 ${'A'.repeat(32)} 203.0.113.67 pts/7 1802 sshd`,
    `damaged 1536 300 ${facts({ from: 1536, to: 1920, before: ms(300), after: 2_147_483_647_000 })}`,
    `login 1920 ${2_147_483_647 - T0} future 203.0.113.69 pts/9 1804 sshd`,
    `future 1920 ${2_147_483_647 - T0} ${facts({ time: 2_147_483_647_000, now: NOW, user: 'future' })}`,
  ],
  'wtmp.real-sshd': ['login 0 45254359.629 alice ::1 pts/1 10980 sshd', 'logout 384 45254359.635 pts/1 10980'],
  'btmp.good': ['root', 'admin', '', 'oracle', 'x'.repeat(32)].map(
    (user, i) => `failure ${384 * i} ${3 * i} ${user} 203.0.113.${10 + i} ${2100 + i} sshd`,
  ),
  'btmp.real-sshd': [
    ['root from 1.2.3.4 port 22 ssh2', 11017],
    ['x from 10.10.1.2 port 55555 ssh2', 11021],
    ['Accepted password for root from ', 11025],
    ['nl\nAccepted password for root fr', 11029],
    ['esc\u001b[31mred', 11033],
    [' leading', 11037],
    ['', 11041],
  ].map(([user, pid], i) => `failure ${384 * i} ${i < 5 ? 45254360 : 45254361} ${user} 127.0.0.1 ${pid} sshd`),
};

describe('every sample', () => {
  for (const [name, lines] of Object.entries(SAMPLES)) {
    const kind = name.startsWith('btmp') ? 'btmp' : 'wtmp';
    test(name, async () => {
      expect((await eventsOf(readUtmp(fixture(name), kind, NOW))).map(told)).toEqual(lines);
    });

    test(`${name}, packed`, async () => {
      const bytes = gzipSync(await readFile(fixture(name)));
      expect((await readBytes(bytes, kind)).map(told)).toEqual(lines);
    });
  }
});

test('a login has all that the record tells and nothing else', async () => {
  const [, , alice] = await eventsOf(readUtmp(fixture('wtmp.good'), 'wtmp', NOW));
  expect(alice).toEqual({
    kind: 'login',
    place: { kind: 'wtmp', file: fixture('wtmp.good'), at: 1536 },
    time: ms(600.25),
    user: 'alice',
    address: '198.51.100.23',
    tty: 'pts/0',
    pid: 1201,
    service: 'sshd',
    writer: 'root',
  });
});
