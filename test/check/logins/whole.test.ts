import { expect, test } from 'vitest';
import { type Memory, NO_MEMORY } from '../../../src/check/logins/memory.js';
import type { AddressFacts } from '../../../src/check/logins/rule.js';
import { reviewed, type Work } from '../../../src/check/logins/whole.js';
import { IpSet } from '../../../src/ip/index.js';
import { LoginBook } from '../../../src/logins/book.js';
import type { Visit } from '../../../src/logins/visit.js';
import { DAY, T, usual, visit } from './cases.js';

const NOW = T + 40 * DAY;
const ABROAD = visit(20, { address: '203.0.113.9' });

function work(visits: readonly Visit[], memory: Memory, more: Partial<Work> = {}): Work {
  return {
    gathered: { files: [], book: new LoginBook(), visits, read: ['journal'], unread: [] },
    factsOf: (address): AddressFacts => ({
      place: 'public',
      country: address === ABROAD.address ? 'br' : 'de',
      network: undefined,
      listed: [],
      isAllowed: false,
      isKeptOut: false,
    }),
    unread: [],
    expected: { countries: new Set(), nets: IpSet.empty, users: new Map() },
    memory,
    admins: new Set(),
    isLive: () => false,
    accepted: new Set(),
    files: undefined,
    since: undefined,
    now: NOW,
    desk: { line: (command) => command, path: (path) => path, callerAddress: undefined },
    ...more,
  };
}

test('what was told once is not new again, and is told all the same', async () => {
  const first = await reviewed(work([...usual(), ABROAD], NO_MEMORY));
  expect(first.findings).toMatchObject([{ code: 'LOGIN-UNEXPECTED-COUNTRY', isNew: true }]);
  const second = await reviewed(work([...usual(), ABROAD], first.memory));
  expect(second.findings).toMatchObject([{ isNew: false }]);
});

test('a look at the last hour neither forgets what was told, nor takes the place of what was learned', async () => {
  const whole = await reviewed(work([...usual(), ABROAD], NO_MEMORY));
  const part = await reviewed(work([], whole.memory, { since: NOW - 3_600_000 }));
  expect(part.findings).toEqual([]);
  expect(part.memory).toEqual(whole.memory);
  const again = await reviewed(work([...usual(), ABROAD], part.memory));
  expect(again.findings).toMatchObject([{ isNew: false }]);
  // Nor does a first look at a part count as having seen all.
  const fresh = await reviewed(work([], NO_MEMORY, { since: NOW - 3_600_000 }));
  expect(fresh.memory).toEqual(NO_MEMORY);
});

test('what a person accepted is counted, not told, and learned', async () => {
  const often = [20, 21, 22].map((day) => visit(day, { address: ABROAD.address }));
  const first = await reviewed(work([...usual(), ...often], NO_MEMORY));
  const accepted = new Set(first.findings.map(({ fingerprint }) => fingerprint));
  const second = await reviewed(work([...usual(), ...often], NO_MEMORY, { accepted }));
  expect([second.findings, second.accepted]).toEqual([[], 1]);
  expect(Object.keys(second.memory.users.alice?.countries ?? {}).sort()).toEqual(['br', 'de']);
});

test('what was not read is a finding, and never clean', async () => {
  const unread = [{ name: '/var/log/btmp', why: 'no permission to read it', hint: 'run as root' }];
  const { findings } = await reviewed(work([], NO_MEMORY, { unread }));
  expect(findings).toMatchObject([{ code: 'SRC-INCOMPLETE', severity: 'info', suggest: 'run as root' }]);
});

test('the worst comes first, of the same the youngest', async () => {
  const all = [...usual(), visit(21, { failures: 9, address: ABROAD.address }), visit(25, { failures: 9 })];
  const { findings } = await reviewed(work(all, NO_MEMORY));
  expect(findings.map(({ severity, last }) => [severity, ((last ?? 0) - T) / DAY])).toEqual([
    ['high', 25],
    ['high', 21],
    ['medium', 21],
  ]);
});
