import { describe, expect, test } from 'vitest';
import { BlocklistError, IPV4, IPV6, parseAddress, parsePrefix } from '../../src/ip/index.js';
import { codeOf } from './code-of.js';
import { hextets, lastAddress, quad, valueAt } from './oracle.js';

const DOC = 0x2001_0db8n << 96n;

describe('parseAddress: accepted', () => {
  test.each<[text: string, value: bigint]>([
    ['0.0.0.0', 0n],
    ['0.0.0.1', 1n],
    ['1.2.3.4', quad(1, 2, 3, 4)],
    ['9.10.99.100', quad(9, 10, 99, 100)],
    ['127.255.255.255', 0x7fffffffn],
    ['128.0.0.0', 0x80000000n],
    ['192.0.2.7', 0xc0000207n],
    ['199.200.249.250', quad(199, 200, 249, 250)],
    ['255.255.255.255', 0xffffffffn],
  ])('IPv4 %s', (text, value) => {
    const { family, words } = parseAddress(text);
    expect(family).toBe(IPV4);
    expect(words).toHaveLength(1);
    expect(valueAt(words, 0, 1)).toBe(value);
  });

  test.each<[text: string, value: bigint]>([
    ['2001:db8:0:0:0:0:0:1', DOC + 1n],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', DOC + 1n],
    ['2001:db8::1', DOC + 1n],
    ['2001:DB8::A', DOC + 10n],
    ['2001:dB8::aF', DOC + 0xafn],
    ['::', 0n],
    ['::1', 1n],
    ['0:0:0:0:0:0:0:0', 0n],
    ['0::0', 0n],
    ['1::', hextets(1, 0, 0, 0, 0, 0, 0, 0)],
    ['1:2:3:4:5:6:7:8', hextets(1, 2, 3, 4, 5, 6, 7, 8)],
    ['::2:3:4:5:6:7:8', hextets(0, 2, 3, 4, 5, 6, 7, 8)],
    ['1::3:4:5:6:7:8', hextets(1, 0, 3, 4, 5, 6, 7, 8)],
    ['1:2::4:5:6:7:8', hextets(1, 2, 0, 4, 5, 6, 7, 8)],
    ['1:2:3::5:6:7:8', hextets(1, 2, 3, 0, 5, 6, 7, 8)],
    ['1:2:3:4::6:7:8', hextets(1, 2, 3, 4, 0, 6, 7, 8)],
    ['1:2:3:4:5::7:8', hextets(1, 2, 3, 4, 5, 0, 7, 8)],
    ['1:2:3:4:5:6::8', hextets(1, 2, 3, 4, 5, 6, 0, 8)],
    ['1:2:3:4:5:6:7::', hextets(1, 2, 3, 4, 5, 6, 7, 0)],
    ['::7:8', hextets(0, 0, 0, 0, 0, 0, 7, 8)],
    ['1::8', hextets(1, 0, 0, 0, 0, 0, 0, 8)],
    ['1:2::7:8', hextets(1, 2, 0, 0, 0, 0, 7, 8)],
    ['1:2:3::', hextets(1, 2, 3, 0, 0, 0, 0, 0)],
    ['1:0:0:0::8', hextets(1, 0, 0, 0, 0, 0, 0, 8)],
    [
      'abcd:ef01:2345:6789:abcd:ef01:2345:6789',
      hextets(0xabcd, 0xef01, 0x2345, 0x6789, 0xabcd, 0xef01, 0x2345, 0x6789),
    ],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', lastAddress(IPV6)],
    ['FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF', lastAddress(IPV6)],
    ['::13.1.68.3', hextets(0, 0, 0, 0, 0, 0, 0x0d01, 0x4403)],
    ['1:2:3:4:5:6:192.0.2.1', hextets(1, 2, 3, 4, 5, 6, 0xc000, 0x0201)],
    ['1:2:3:4:5::192.0.2.1', hextets(1, 2, 3, 4, 5, 0, 0xc000, 0x0201)],
    ['1::6:192.0.2.1', hextets(1, 0, 0, 0, 0, 6, 0xc000, 0x0201)],
    ['::2:3:4:5:6:255.255.255.255', hextets(0, 2, 3, 4, 5, 6, 0xffff, 0xffff)],
    ['64:ff9b::192.0.2.33', hextets(0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x0221)],
    ['::ffff:0:192.0.2.1', hextets(0, 0, 0, 0, 0xffff, 0, 0xc000, 0x0201)],
    ['::fffe:192.0.2.1', hextets(0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x0201)],
    ['::1:ffff:192.0.2.1', hextets(0, 0, 0, 0, 1, 0xffff, 0xc000, 0x0201)],
    ['1::ffff:192.0.2.1', hextets(1, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201)],
  ])('IPv6 %s', (text, value) => {
    const { family, words } = parseAddress(text);
    expect(family).toBe(IPV6);
    expect(words).toHaveLength(4);
    expect(valueAt(words, 0, 4)).toBe(value);
  });

  test.each([
    '::ffff:192.0.2.1',
    '::FFFF:192.0.2.1',
    '::ffff:c000:201',
    '::ffff:C000:0201',
    '0:0:0:0:0:ffff:192.0.2.1',
    '0000:0000:0000:0000:0000:ffff:c000:0201',
    '0::ffff:192.0.2.1',
  ])('IPv4-mapped %s is the IPv4 address 192.0.2.1', (text) => {
    const { family, words } = parseAddress(text);
    expect(family).toBe(IPV4);
    expect([...words]).toEqual([0xc0000201]);
  });
});

describe('parsePrefix: accepted', () => {
  test.each<[text: string, value: bigint, length: number]>([
    ['192.0.2.1', quad(192, 0, 2, 1), 32],
    ['192.0.2.1/32', quad(192, 0, 2, 1), 32],
    ['192.0.2.0/24', quad(192, 0, 2, 0), 24],
    ['0.0.0.0/0', 0n, 0],
    ['255.255.255.255/0', 0n, 0],
    ['255.255.255.255/1', 0x80000000n, 1],
    ['255.255.255.255/32', 0xffffffffn, 32],
    ['192.0.2.5/24', quad(192, 0, 2, 0), 24],
    ['192.0.2.255/31', quad(192, 0, 2, 254), 31],
    ['10.255.255.255/9', quad(10, 128, 0, 0), 9],
    ['192.0.2.5/255.255.255.0', quad(192, 0, 2, 0), 24],
    ['192.0.2.5/255.255.255.255', quad(192, 0, 2, 5), 32],
    ['192.0.2.5/255.255.254.0', quad(192, 0, 2, 0), 23],
    ['192.0.2.5/128.0.0.0', quad(128, 0, 0, 0), 1],
    ['192.0.2.5/0.0.0.255', quad(192, 0, 2, 0), 24],
    ['192.0.2.5/0.0.0.1', quad(192, 0, 2, 4), 31],
    ['192.0.2.5/0.0.3.255', quad(192, 0, 0, 0), 22],
    ['192.0.2.5/127.255.255.255', quad(128, 0, 0, 0), 1],
    ['192.0.2.*', quad(192, 0, 2, 0), 24],
    ['192.0.*.*', quad(192, 0, 0, 0), 16],
    ['192.*.*.*', quad(192, 0, 0, 0), 8],
    ['0.*.*.*', 0n, 8],
    ['255.255.255.*', quad(255, 255, 255, 0), 24],
    ['::ffff:192.0.2.1', quad(192, 0, 2, 1), 32],
    ['::ffff:192.0.2.1/128', quad(192, 0, 2, 1), 32],
    ['::ffff:192.0.2.0/120', quad(192, 0, 2, 0), 24],
    ['::ffff:192.0.2.5/120', quad(192, 0, 2, 0), 24],
    ['::ffff:c000:200/120', quad(192, 0, 2, 0), 24],
    ['::ffff:10.0.0.0/104', quad(10, 0, 0, 0), 8],
    ['::ffff:128.0.0.0/97', quad(128, 0, 0, 0), 1],
    ['::ffff:0:0/96', 0n, 0],
  ])('IPv4 %s', (text, value, length) => {
    const prefix = parsePrefix(text);
    expect(prefix.family).toBe(IPV4);
    expect(prefix.words).toHaveLength(1);
    expect([valueAt(prefix.words, 0, 1), prefix.length]).toEqual([value, length]);
  });

  test.each<[text: string, value: bigint, length: number]>([
    ['2001:db8::1', DOC + 1n, 128],
    ['2001:db8::1/128', DOC + 1n, 128],
    ['2001:db8::/32', DOC, 32],
    ['2001:DB8:ABCD::/48', DOC + (0xabcdn << 80n), 48],
    ['::/0', 0n, 0],
    ['ffff::/0', 0n, 0],
    ['ffff::/1', 1n << 127n, 1],
    ['2001:db8::1/32', DOC, 32],
    ['2001:db8::ffff/127', DOC + 0xfffen, 127],
    ['2001:db8:1:2:3:4:5:6/64', DOC + (1n << 80n) + (2n << 64n), 64],
    ['2001:db8:1:2:3:4:5:6/63', DOC + (1n << 80n) + (2n << 64n), 63],
    ['2001:db8:1:2:8003:4:5:6/65', DOC + (1n << 80n) + (2n << 64n) + (0x8000n << 48n), 65],
    ['2001:db8:1:2:3:4:5:6/96', DOC + (1n << 80n) + (2n << 64n) + (3n << 48n) + (4n << 32n), 96],
    ['64:ff9b::192.0.2.33/120', hextets(0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x0200), 120],
  ])('IPv6 %s', (text, value, length) => {
    const prefix = parsePrefix(text);
    expect(prefix.family).toBe(IPV6);
    expect(prefix.words).toHaveLength(4);
    expect([valueAt(prefix.words, 0, 4), prefix.length]).toEqual([value, length]);
  });

  test('every length of both families leaves exactly the network bits', () => {
    for (let n = 0; n <= 32; n++) {
      const { words, length } = parsePrefix(`255.255.255.255/${n}`);
      expect([valueAt(words, 0, 1), length]).toEqual([((1n << BigInt(n)) - 1n) << BigInt(32 - n), n]);
    }
    for (let n = 0; n <= 128; n++) {
      const { words, length } = parsePrefix(`ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/${n}`);
      expect([valueAt(words, 0, 4), length]).toEqual([((1n << BigInt(n)) - 1n) << BigInt(128 - n), n]);
    }
  });

  test('every netmask and every wildcard mask but 0.0.0.0', () => {
    const quadText = (mask: number) => [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.');
    for (let n = 1; n <= 32; n++) {
      const mask = n === 32 ? 0xffffffff : ~(0xffffffff >>> n) >>> 0;
      expect(parsePrefix(`192.0.2.77/${quadText(mask)}`).length).toBe(n);
      // 0.0.0.0 could be a netmask and a wildcard mask: see the refused forms.
      if (n < 32) expect(parsePrefix(`192.0.2.77/${quadText(~mask >>> 0)}`).length).toBe(n);
    }
  });
});

/** No address, no block, no range. */
const NEITHER = [
  ...['', ' ', '\t', '\n', '-', '/', '.', ':', '*', '%', '#', 'localhost', 'host.example', 'none', 'NaN', '0', '1'],
  // zones
  ...['fe80::1%eth0', 'fe80::1%1', 'fe80::1%', '192.0.2.1%eth0', 'fe80::1%eth0/64', '::ffff:192.0.2.1%1'],
  // what inet_aton, ping and browsers take
  ...['010.0.0.1', '10.0.0.01', '00.0.0.0', '1.2.3.00', '001.002.003.004', '08.8.8.8'],
  ...['1.2.3', '1.2', '127.1', '0x7f.1', '0x7f.0.0.1', '1.2.3.0x4', '3232235777', '0xc0000201', '017700000001'],
  // wrong octets
  ...[
    '256.1.1.1',
    '1.256.1.1',
    '1.1.1.256',
    '1.1.1.999',
    '1.1.1.1000',
    '1921.0.2.1',
    '-1.2.3.4',
    '+1.2.3.4',
    '1e1.2.3.4',
  ],
  // wrong dots
  ...[
    '1.2.3.4.',
    '.1.2.3.4',
    '1..2.3',
    '1..2.3.4',
    '1.2..3.4',
    '1.2.3.',
    '1.2.3..4',
    '1.2.3.4.5',
    '1,2,3,4',
    '1.2.3.4.*',
  ],
  // wrong stars
  ...[
    '*.*.*.*',
    '*',
    '192.*',
    '192.0.*',
    '192.0.2.**',
    '192.*.2.1',
    '192.*.2.*',
    '*.0.2.1',
    '192.0.2.*.',
    '192.0.*.*.*',
  ],
  ...['256.*.*.*', '01.*.*.*', '1.2.3.*/24', '192.0.2.1*', '192.0.2.*-192.0.2.9'],
  // wrong lengths
  ...['1.2.3.4/33', '1.2.3.4/99', '1.2.3.4/256', '1.2.3.4/032', '1.2.3.4/08', '1.2.3.4/00', '1.2.3.4/', '1.2.3.4/-1'],
  ...['1.2.3.4/+1', '1.2.3.4/ 8', '1.2.3.4 /8', '1.2.3.4/8 ', '1.2.3.4/8x', '1.2.3.4/0x8', '1.2.3.4/8/8', '1.2.3.4//8'],
  ...['1.2.3.4/1e1', '1.2.3.4/2.', '1.2.3.4/4294967296', '1.2.3/24', '/24'],
  ...[
    '::/129',
    // a length meant for the IPv4 address inside
    '::ffff:0:0/95',
    '::ffff:192.0.2.5/24',
    '::/999',
    '::/1280',
    '::/064',
    '::/00',
    '::/',
    '::/-1',
    '::/ffff::',
    '::/255.255.255.0',
    '::1/1x',
    '2001:db8::/32/32',
  ],
  // wrong masks
  ...[
    '1.2.3.4/0.0.0.0',
    '1.2.3.4/255.0.255.0',
    '1.2.3.4/255.255.0.255',
    '1.2.3.4/255.255.255',
    '1.2.3.4/255.255.255.256',
  ],
  ...['1.2.3.4/0.255.0.255', '1.2.3.4/1.0.0.0', '1.2.3.4/254.255.255.255', '1.2.3.4/255.255.255.00', '1.2.3.4/0.0.0.2'],
  // wrong gaps
  ...[
    ':::',
    '::::',
    ':::1',
    '1:::2',
    '1:::',
    '1::2::3',
    '::1::',
    '1::2:',
    ':1',
    ':1:2:3:4:5:6:7',
    ':1::2',
    '1:',
    '1:2:3:4:5:6:7:',
  ],
  // wrong number of hextets
  ...[
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4::5:6:7:8',
  ],
  // wrong hextets
  ...['12345::', '::12345', '00001::', '::g', '1:2:3:4:5:6:7:g', '::-1', '::+1', '::0x1', '2001;db8::', '2001:db8::1:'],
  // wrong embedded IPv4
  ...[
    '::1.2.3',
    '::1.2.3.4.5',
    '::256.1.1.1',
    '::ffff:010.0.0.1',
    '::ffff:1.2.3.4:5',
    '1.2.3.4::',
    '::1.2.3.4:1',
    '::a.2.3.4',
  ],
  ...[
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:1.2.3.4',
    '1:2:3:4:5:6::1.2.3.4',
    '::1234.5.6.7',
    '::1.2.3.4::',
    '::ffff:192.0.2.*',
  ],
  // brackets, ports, blanks, comments, text
  ...[
    '[::1]',
    '[2001:db8::1]:443',
    '[192.0.2.1]',
    '192.0.2.1:80',
    '192.0.2.1 ',
    ' 192.0.2.1',
    '192.0.2.1\n',
    '\t::1',
    '::1\r',
  ],
  ...[
    '192.0.2.1#x',
    '192.0.2.1 # x',
    '192.0.2.1x',
    'x192.0.2.1',
    '192.0.2.1,192.0.2.2',
    '192.0.2.1 192.0.2.2',
    '"192.0.2.1"',
  ],
  // beyond ASCII, and control characters
  ...[
    '１.2.3.4',
    '1.2.3.４',
    '١.٢.٣.٤',
    '1。2。3。4',
    '²::',
    '::１',
    '192.0.2.1\u00a0',
    '\ufeff192.0.2.1',
    '192.0.2.1\u200b',
    '１９２.0.2.1',
  ],
  ...['192.0.2.1\0', '\x00192.0.2.1', '192.0\0.2.1', '::\0', '::1\0/64', '\u0131::', '\u0130', '\u{1f4a9}::1', 'ſ::'],
];

describe('refused by both parsers', () => {
  test.each(NEITHER.map((text) => [JSON.stringify(text), text]))('%s', (_shown, text) => {
    expect(codeOf(() => parseAddress(text))).toBe('bad-address');
    expect(codeOf(() => parsePrefix(text))).toBe('bad-prefix');
  });
});

describe('refused as an address', () => {
  test.each([
    '192.0.2.0/24',
    '192.0.2.1/32',
    '192.0.2.1/255.255.255.255',
    '192.0.2.*',
    '2001:db8::/32',
    '::1/128',
    '::/0',
  ])('the block %s', (text) => expect(codeOf(() => parseAddress(text))).toBe('bad-address'));
});

describe('refused as either: a range, which may need several blocks', () => {
  test.each([
    '192.0.2.1-192.0.2.9',
    '192.0.2.1 - 192.0.2.9',
    '192.0.2.0-192.0.2.255',
    '192.0.2.1-192.0.2.1',
    '2001:db8::1-2001:db8::9',
    '::ffff:192.0.2.1-::ffff:192.0.2.9',
    '192.0.2.9-192.0.2.1',
    '192.0.2.1-2001:db8::1',
  ])('%s', (text) => {
    expect(codeOf(() => parseAddress(text))).toBe('bad-address');
    expect(codeOf(() => parsePrefix(text))).toBe('bad-prefix');
  });
});

describe('the error', () => {
  test.each<[name: string, parse: (text: string) => unknown]>([
    ['parseAddress', parseAddress],
    ['parsePrefix', parsePrefix],
  ])('of %s has a hint, means exit 2, and shows no control character and no endless text', (_name, parse) => {
    try {
      parse(`\u001b[2J\u0007\n${'1.2.3.4.'.repeat(1000)}`);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BlocklistError);
      const { message, hint, exitStatus } = error as BlocklistError;
      expect(exitStatus).toBe(2);
      expect(hint).toMatch(/192\.0\.2/);
      expect([...message].filter((letter) => letter < ' ')).toEqual([]);
      expect(message.length).toBeLessThan(200);
    }
  });
});
