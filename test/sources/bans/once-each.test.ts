import { expect, test } from 'vitest';
import { formatPrefix, parsePrefix } from '../../../src/ip/index.js';
import type { Ban } from '../../../src/sources/bans/contract.js';
import { onceEach } from '../../../src/sources/bans/once-each.js';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 24, 12);

const ban = (address: string, by: string, hours?: number, count?: number): Ban => ({
  prefix: parsePrefix(address),
  since: NOON,
  until: hours === undefined ? undefined : NOON + hours * HOUR,
  by,
  count,
});
const shown = (bans: readonly Ban[]) =>
  onceEach(bans).map(({ prefix, by, until, count }) => {
    const hours = until === undefined ? 'for good' : `${(until - NOON) / HOUR} h`;
    return `${formatPrefix(prefix)} ${by} ${hours}${count === undefined ? '' : `, ${count} times`}`;
  });

test.each<[string, Ban[], string[]]>([
  ['nothing', [], []],
  ['the later end, with who made it', [ban('45.9.1.7', 'a', 1), ban('45.9.1.7', 'b', 2)], ['45.9.1.7 b 2 h']],
  ['in either order', [ban('45.9.1.7', 'b', 2), ban('45.9.1.7', 'a', 1)], ['45.9.1.7 b 2 h']],
  ['for good is the latest', [ban('45.9.1.7', 'a'), ban('45.9.1.7', 'b', 2)], ['45.9.1.7 a for good']],
  ['for good, told last', [ban('45.9.1.7', 'b', 2), ban('45.9.1.7', 'a')], ['45.9.1.7 a for good']],
  ['of equal ends the first', [ban('45.9.1.7', 'a', 2), ban('45.9.1.7', 'b', 2)], ['45.9.1.7 a 2 h']],
  [
    'how often is known from whoever counts',
    [ban('45.9.1.7', 'a', 2), ban('45.9.1.7', 'b', 1, 3), ban('45.9.1.7', 'c', 1, 2)],
    ['45.9.1.7 a 2 h, 3 times'],
  ],
  [
    'a net is not the addresses in it, and the order stays',
    [ban('45.9.1.7', 'a', 1), ban('45.9.1.0/24', 'b', 1), ban('2a00::7', 'c', 1), ban('45.9.1.7', 'd', 2)],
    ['45.9.1.7 d 2 h', '45.9.1.0/24 b 1 h', '2a00::7 c 1 h'],
  ],
])('%s', (_, bans, expected) => {
  expect(shown(bans)).toEqual(expected);
});
