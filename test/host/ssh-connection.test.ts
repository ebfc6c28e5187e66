import { describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/host/ss.js';
import { isConnection, parseSshConnection } from '../../src/host/ssh-connection.js';
import { formatPrefix } from '../../src/ip/index.js';

describe('SSH_CONNECTION', () => {
  test.each([
    ['203.0.113.7 50122 192.0.2.2 22', '203.0.113.7 50122 192.0.2.2 22'],
    ['2001:db8::7 50122 2001:db8::2 2222', '2001:db8::7 50122 2001:db8::2 2222'],
    ['fe80::7%eth0 50122 fe80::2%eth0 22', 'fe80::7 50122 fe80::2 22'],
    ['::ffff:203.0.113.7 1 192.0.2.2 65535', '203.0.113.7 1 192.0.2.2 65535'],
  ])('%j', (text, expected) => {
    const found = parseSshConnection(text);
    const ends = [found?.client, found?.server].flatMap((end) => (end ? [formatPrefix(end.address), end.port] : []));
    expect(ends.join(' ')).toBe(expected);
  });

  test.each([
    undefined,
    '',
    'UNKNOWN 65535 UNKNOWN 65535',
    '203.0.113.7 50122 192.0.2.2',
    '203.0.113.7 50122 192.0.2.2 22 ',
    ' 203.0.113.7 50122 192.0.2.2 22',
    '203.0.113.7  50122 192.0.2.2 22',
    '203.0.113.7\t50122 192.0.2.2 22',
    '203.0.113.7 50122 192.0.2.2 22\n',
    '203.0.113.0/24 50122 192.0.2.2 22',
    '0.0.0.0/0 50122 192.0.2.2 22',
    '203.0.113.7 0 192.0.2.2 22',
    '203.0.113.7 050 192.0.2.2 22',
    '203.0.113.7 0x16 192.0.2.2 22',
    '203.0.113.7 50122 192.0.2.2 65536',
    '3405803783 50122 192.0.2.2 22',
    'host 50122 192.0.2.2 22',
  ])('%j is none', (text) => expect(parseSshConnection(text)).toBeUndefined());
});

describe('a claim and a socket', () => {
  const local = parseEndpoint('[::ffff:192.0.2.2]:22');
  const peer = parseEndpoint('[::ffff:203.0.113.7]:50122');
  if (local === undefined || peer === undefined) throw new Error('sample');

  test.each([
    ['203.0.113.7 50122 192.0.2.2 22', true],
    ['203.0.113.7 50123 192.0.2.2 22', false],
    ['203.0.113.8 50122 192.0.2.2 22', false],
    ['203.0.113.7 50122 192.0.2.3 22', false],
    ['203.0.113.7 50122 192.0.2.2 23', false],
    ['192.0.2.2 22 203.0.113.7 50122', false],
    ['203.0.113.7 50122 2001:db8::2 22', false],
  ])('%s: %s', (text, expected) => {
    const claim = parseSshConnection(text);
    expect(claim !== undefined && isConnection({ local, peer }, claim)).toBe(expected);
  });
});
