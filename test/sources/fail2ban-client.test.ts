import { describe, expect, test } from 'vitest';
import { bansOfServer, parseBanned, parseTimes } from '../../src/sources/bans/fail2ban-client.js';
import { tempFolder } from '../io/temp.js';

describe('what fail2ban-client banned says', () => {
  test.each<[string, Record<string, string[]>]>([
    ['[]', {}],
    ["[{'sshd': []}]\n", { sshd: [] }],
    [
      "[{'sshd': ['45.9.1.7', '2a00:1::7']}, {'mail': ['45.9.1.8']}]",
      { sshd: ['45.9.1.7', '2a00:1::7'], mail: ['45.9.1.8'] },
    ],
    // What a filter captured may hold anything; Python quotes it.
    [`[{'web': ["it's", 'a\\'b"', '], [', '{x: y}', '']}]`, { web: ["it's", 'a\\\'b"', '], [', '{x: y}', ''] }],
  ])('%s', (text, expected) => {
    expect(Object.fromEntries(parseBanned(text, 'socket'))).toEqual(expected);
  });

  test.each(['', 'nonsense', "[{'sshd': ['45.9.1.7'", "[{'sshd': [45]}]", "{'sshd': []}", "[{'sshd': ['x]}]"])(
    'is refused in another form, which is not no bans: %s',
    (text) => {
      expect(() => parseBanned(text, 'socket')).toThrow('unknown form');
    },
  );
});

test('times of bans are those of this host', () => {
  const text =
    '45.9.1.7 \t2026-11-24 02:00:00 + 600 = 2026-11-24 02:10:00\n2a00:1::7 \t2026-11-24 03:00:01 + -1 = 9999-12-31 23:59:59\n';
  const since = (hour: number, second: number) => new Date(2026, 10, 24, hour, 0, second).getTime() / 1000;
  expect(parseTimes('sshd', text, 'socket')).toEqual([
    { id: '45.9.1.7', jail: 'sshd', since: since(2, 0), bantime: 600 },
    { id: '2a00:1::7', jail: 'sshd', since: since(3, 1), bantime: -1 },
  ]);
});

test('a time in another form is not passed over: the ban would be lost', () => {
  const known = '45.9.1.7 \t2026-11-24 02:00:00 + 600 = 2026-11-24 02:10:00\n';
  expect(parseTimes('sshd', '\n', 'socket')).toEqual([]);
  for (const line of ['45.9.1.8', '45.9.1.8 \t24.11.2026 02:00 + 600 = 24.11.2026 02:10']) {
    expect(() => parseTimes('sshd', `${known}${line}\n`, 'socket')).toThrow('unknown form');
  }
});

test('an id without end is read like any other', () => {
  const id = 'x'.repeat(1 << 24);
  expect(parseBanned(`[{'web': ['${id}', '45.9.1.7']}]`, 'socket').get('web')?.[1]).toBe('45.9.1.7');
});

test('no socket is no server, and no error', async () => {
  expect(await bansOfServer(`${await tempFolder()}/socket`)).toBeUndefined();
});
