import { describe, expect, test } from 'vitest';
import { formatAddress, IPV4, IPV6, IpSet, parsePrefix, SPECIAL_PURPOSE, specialPurpose } from '../../src/ip/index.js';
import { brokenInvariant, hextets, wordsOf } from './oracle.js';

const special = specialPurpose();

/** By hand and not by the parser, which makes IPv4 of mapped addresses. */
function has6(...address: number[]): boolean {
  return special.has({ family: IPV6, words: wordsOf(IPV6, hextets(...address)) });
}

describe('SPECIAL_PURPOSE', () => {
  test.each(SPECIAL_PURPOSE.map((row) => [...row] as const))(
    '%s (%s) is a block without host bits and names an %s',
    (prefix, name, rfc) => {
      const { family, words, length } = parsePrefix(prefix);
      expect(family).toBe(prefix.includes(':') ? IPV6 : IPV4);
      // The canonical text, so that no host bit was cleared on the way.
      expect(`${formatAddress(family, words)}/${length}`).toBe(prefix);
      expect(name.length).toBeGreaterThan(3);
      expect(rfc).toMatch(/^RFC [1-9]\d{2,4}$/);
    },
  );

  test('no row twice, and the families apart: IPv4 first', () => {
    const texts = SPECIAL_PURPOSE.map(([prefix]) => prefix);
    expect(new Set(texts).size).toBe(texts.length);
    const families = texts.map((text) => text.includes(':'));
    expect(families).toEqual([...families].sort());
  });
});

describe('specialPurpose: IPv4', () => {
  test.each([
    ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255'],
    ...['127.0.0.0', '127.0.0.1', '127.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
    ...['172.16.0.0', '172.17.0.3', '172.31.255.255', '192.0.0.0', '192.0.0.255', '192.0.2.0', '192.0.2.255'],
    ...['192.88.99.0', '192.88.99.255', '192.168.0.0', '192.168.255.255', '198.18.0.0', '198.19.255.255'],
    ...['198.51.100.0', '198.51.100.255', '203.0.113.0', '203.0.113.255', '224.0.0.0', '239.255.255.255'],
    ...['240.0.0.0', '255.255.255.254', '255.255.255.255'],
  ])('%s is special', (address) => {
    expect(special.has(address)).toBe(true);
  });

  test.each([
    ...[
      '1.0.0.0',
      '1.0.0.1',
      '1.1.1.1',
      '8.8.8.8',
      '9.9.9.9',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
    ],
    ...['126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
    ...['191.255.255.255', '192.0.1.0', '192.0.1.255', '192.0.3.0', '192.88.98.255', '192.88.100.0', '192.167.255.255'],
    ...['192.169.0.0', '192.31.196.1', '192.52.193.1', '198.17.255.255', '198.20.0.0', '198.51.99.255', '198.51.101.0'],
    ...['203.0.112.255', '203.0.114.0', '223.255.255.255'],
  ])('%s is not', (address) => {
    expect(special.has(address)).toBe(false);
  });
});

describe('specialPurpose: IPv6', () => {
  test.each([
    ...['::', '::1', '::2', '::8.8.8.8', '::255.255.255.255', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
    ...['100::', '100::ffff:ffff:ffff:ffff', '100:0:0:1::', '100::1:ffff:ffff:ffff:ffff', '2001::', '2001:0:ffff::1'],
    ...['2001:2::', '2001:2:0:ffff::', '2001:10::', '2001:1f:ffff::', '2001:20::', '2001:2f:ffff::'],
    ...['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '3fff::', '3fff:fff:ffff::', '5f00::', '5f00:ffff::'],
    ...['fc00::', 'fd12:3456::1', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fe80::', 'fe80::1', 'febf:ffff::'],
    ...['fec0::', 'feff:ffff::', 'ff00::', 'ff02::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('%s is special', (address) => {
    expect(special.has(address)).toBe(true);
  });

  test.each([
    ...['2606:4700::1111', '2001:4860:4860::8888', '2620:fe::fe', '2a00:1450:4001:82a::200e', '2620:4f:8000::1'],
    ...['::1:0:0:0', '64:ff9b:2::', '64:ff9a:ffff::', 'ff:ffff::', '100:0:0:2::', '101::', '2000:ffff::', '2001:1::1'],
    ...[
      '2001:2:1::',
      '2001:3::1',
      '2001:f:ffff::',
      '2001:30::',
      '2001:db7:ffff::',
      '2001:db9::',
      '2001:200::1',
      '2003::1',
    ],
    ...['3ffe:ffff::', '3fff:1000::', '5eff:ffff::', '5f01::', 'fbff:ffff::', 'fe00::', 'fe7f:ffff::'],
  ])('%s is not', (address) => {
    expect(special.has(address)).toBe(false);
  });
});

/** Each with the verdict for the IPv4 address alone. */
const CARRIED: ReadonlyArray<readonly [text: string, high: number, low: number, verdict: boolean]> = [
  ['0.0.0.0', 0x0000, 0x0000, true],
  ['0.255.255.255', 0x00ff, 0xffff, true],
  ['1.0.0.0', 0x0100, 0x0000, false],
  ['1.1.1.1', 0x0101, 0x0101, false],
  ['8.8.8.8', 0x0808, 0x0808, false],
  ['9.255.255.255', 0x09ff, 0xffff, false],
  ['10.0.0.0', 0x0a00, 0x0000, true],
  ['10.255.255.255', 0x0aff, 0xffff, true],
  ['11.0.0.0', 0x0b00, 0x0000, false],
  ['100.64.0.0', 0x6440, 0x0000, true],
  ['100.128.0.0', 0x6480, 0x0000, false],
  ['127.0.0.1', 0x7f00, 0x0001, true],
  ['169.254.169.254', 0xa9fe, 0xa9fe, true],
  ['172.15.255.255', 0xac0f, 0xffff, false],
  ['172.31.255.255', 0xac1f, 0xffff, true],
  ['192.0.2.0', 0xc000, 0x0200, true],
  ['192.0.2.255', 0xc000, 0x02ff, true],
  ['192.0.1.255', 0xc000, 0x01ff, false],
  ['192.0.3.0', 0xc000, 0x0300, false],
  ['192.168.1.30', 0xc0a8, 0x011e, true],
  ['192.169.0.0', 0xc0a9, 0x0000, false],
  ['198.51.100.7', 0xc633, 0x6407, true],
  ['203.0.113.255', 0xcb00, 0x71ff, true],
  ['223.255.255.255', 0xdfff, 0xffff, false],
  ['224.0.0.1', 0xe000, 0x0001, true],
  ['255.255.255.255', 0xffff, 0xffff, true],
];

describe.each(CARRIED)('specialPurpose: %s inside IPv6', (_text, high, low, verdict) => {
  test.each<[name: string, address: number[]]>([
    ['IPv4-mapped ::ffff:0:0/96', [0, 0, 0, 0, 0, 0xffff, high, low]],
    ['translated 64:ff9b::/96', [0x64, 0xff9b, 0, 0, 0, 0, high, low]],
    ['6to4 2002::/16, first address', [0x2002, high, low, 0, 0, 0, 0, 0]],
    ['6to4 2002::/16, somewhere', [0x2002, high, low, 1, 2, 3, 4, 5]],
    ['6to4 2002::/16, last address', [0x2002, high, low, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff]],
  ])(`in %s it is ${verdict ? 'special' : 'not'}`, (_name, address) => {
    expect(has6(...address)).toBe(verdict);
  });

  test('near the carriers, but not in them, it is never special', () => {
    expect(has6(0, 0, 0, 0, 0xffff, 0, high, low)).toBe(false);
    expect(has6(0, 0, 0, 0, 0, 0xfffe, high, low)).toBe(false);
    expect(has6(0x64, 0xff9b, 0, 0, 0, 1, high, low)).toBe(false);
    expect(has6(0x2003, high, low, 0, 0, 0, 0, 0)).toBe(false);
  });
});

test('the set is in normal form, and larger than the table by the carried rows alone', () => {
  expect(brokenInvariant(special.v4)).toBeUndefined();
  expect(brokenInvariant(special.v6)).toBeUndefined();
  const table = IpSet.from(SPECIAL_PURPOSE.map(([prefix]) => prefix));
  expect(special.v4.equals(table.v4)).toBe(true);
  // Two carriers hold every IPv4 address once, 6to4 holds it 2^80 times.
  const inV4 = BigInt(table.count().v4);
  expect(special.count().v6 - table.count().v6).toBe(2n * inV4 + (inV4 << 80n));
});
