import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { duration } from '../../src/config/values.js';

const parsed = (yaml: string) => parseConfig(`sources: {fail2ban: ${yaml}}`, '/srv/blocklist/blocklist.yaml').sources;

test.each<[string, object | undefined]>([
  ['false', undefined],
  ['true', {}],
  ['{}', {}],
  ['{jails: [sshd, recidive], permanent-after: 5}', { jails: ['sshd', 'recidive'], 'permanent-after': 5 }],
  ['{database: f2b.sqlite3, socket: /run/f2b}', { database: '/srv/blocklist/f2b.sqlite3', socket: '/run/f2b' }],
])('fail2ban: %s', (yaml, expected) => {
  expect(parsed(yaml).fail2ban).toEqual(expected);
});

test.each(['yes please', '{permanent-after: 1}', '{jails: []}', '{jail: [sshd]}', '{permanent-after: 9d}'])(
  'fail2ban: %s is refused with its line',
  (yaml) => {
    expect(() => parsed(yaml)).toThrow(/^\/srv\/blocklist\/blocklist\.yaml:1: /);
  },
);

test('no list of one’s own takes the name of its bans', () => {
  const yaml = 'sources: {custom: [{id: fail2ban, file: x}]}';
  expect(() => parseConfig(yaml, '/srv/blocklist.yaml')).toThrow('fail2ban is for the bans of sources.fail2ban');
});

test('times as programs write them: a week and a hundred years in seconds', () => {
  expect(duration.parse('604800s')).toBe(604_800_000);
  expect(duration.parse('3155760000s')).toBe(3_155_760_000_000);
  expect(duration.safeParse('10000000000s').success).toBe(false);
  expect(duration.safeParse('100000m').success).toBe(false);
});
