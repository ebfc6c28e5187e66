import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readList, specialPurpose } from '../../src/ip/index.js';
import { bytesOf, fixture, readAtOnce, textOf } from './lists.js';

/** The traps of the collection of feed facts that touch parsing, by their number there; see test/fixtures/lists/README.md. */

const NOTHING = { entries: 0, rejected: 0, reasons: {}, samples: [], hostBits: 0, leftOut: 0 };

describe('a page in place of a list: nothing is fished out of free text', () => {
  test.each<[name: string, file: string, rejected: number, reasons: object]>([
    ['trap 1: HTML with status 200', 'trap-01-html-page.txt', 7, { 'not an address': 7 }],
    [
      'trap 2: HTML that holds our own address',
      'trap-02-own-address.txt',
      8,
      { 'not an address': 7, 'text after the address': 1 },
    ],
    ['trap 3: a challenge page', 'trap-03-challenge.txt', 3, { 'not an address': 3 }],
  ])('%s', (_name, file, rejected, reasons) => {
    const { prefixes, report } = readAtOnce(fixture(file));
    expect(prefixes).toEqual([]);
    expect(report).toMatchObject({ entries: 0, rejected, reasons });
  });
});

describe('nothing in the list, and no reject either: the caller must notice', () => {
  test.each([
    ['trap 4 and 5: 0 bytes', 'trap-05-empty.txt'],
    ['trap 6: a banner alone', 'trap-06-banner-only.txt'],
  ])('%s', (_name, file) => {
    const { prefixes, report } = readAtOnce(fixture(file));
    expect(prefixes).toEqual([]);
    expect(report).toMatchObject(NOTHING);
  });
});

describe('address space that no feed should have', () => {
  test('trap 8 and 9: private ranges and famous addresses are read as they stand; the special-purpose set is apart', () => {
    const { set, report } = readList(fixture('trap-08-private.txt'));
    expect(report).toMatchObject({ entries: 9, rejected: 0, hostBits: 0 });
    expect(textOf(set)).toEqual([
      '8.8.8.8',
      '10.0.0.0/8',
      '100.64.0.7',
      '127.0.0.1',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '224.0.0.0/3',
    ]);
    expect(textOf(set.subtract(specialPurpose()))).toEqual(['8.8.8.8']);
  });

  test('trap 10: the widest prefixes are read, and reported as wide', () => {
    const { prefixes, report } = readAtOnce(fixture('trap-10-wide.txt'));
    expect(prefixes).toEqual(['0.0.0.0/0', '::/0']);
    expect(report).toMatchObject({ entries: 5, rejected: 0, hostBits: 0, widest: { v4: 32, v6: 128 } });
  });
});

describe('comments, line ends, blanks', () => {
  test('trap 11: # ; // and ! at the start or behind a blank, and the text of DROP lists', () => {
    const { prefixes, report } = readAtOnce(fixture('trap-11-comments.txt'));
    expect(prefixes).toEqual([
      ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.1', '203.0.113.2/31', '203.0.113.4/31'],
    ]);
    expect(report).toMatchObject({ entries: 7, rejected: 4 });
    expect(report.samples).toEqual([
      { line: 15, text: '203.0.113.6#no blank before it', reason: 'text after the address' },
      { line: 16, text: '203.0.113.7;no blank before it', reason: 'text after the address' },
      { line: 17, text: '203.0.113.8 / one slash', reason: 'text after the address' },
      { line: 19, text: 'REM batch comment', reason: 'not an address' },
    ]);
  });

  test.each<[name: string, file: string, prefixes: string[], entries: number, rejects: [line: number, text: string][]]>(
    [
      ['CRLF', 'trap-12-crlf.txt', ['192.0.2.0/30', '2001:db8::1'], 4, [[7, 'bad']]],
      ['CRLF and a stray newline', 'trap-12-stray-newlines.txt', ['192.0.2.1', '192.0.2.2/31'], 3, [[7, 'bad']]],
      ['lone CR', 'trap-12-lone-cr.txt', ['192.0.2.1', '192.0.2.2', '2001:db8::1'], 3, [[5, 'bad']]],
      ['whitespace-only lines', 'trap-12-whitespace-only.txt', ['192.0.2.1', '192.0.2.2'], 2, []],
      ['no newline at the end', 'trap-12-no-final-newline.txt', ['192.0.2.1', '192.0.2.2/31'], 3, []],
      [
        'a byte order mark at the start is skipped, inside it is not',
        'trap-12-bom.txt',
        ['192.0.2.1', '192.0.2.2'],
        2,
        [[3, '\ufeff192.0.2.3']],
      ],
      [
        'NBSP in UTF-8 is a blank, other spaces and Latin-1 are not',
        'trap-12-nbsp.txt',
        ['192.0.2.1', '192.0.2.2/31'],
        3,
        [
          [5, '192.0.2.4\ufffd'],
          [6, '192.0.2.5\u2003'],
        ],
      ],
      [
        'NUL',
        'trap-12-nul.txt',
        ['192.0.2.1', '192.0.2.4'],
        2,
        [
          [2, '192.0.2.2\0'],
          [3, '\0'],
          [4, '192.0.2\0.3'],
        ],
      ],
    ],
  )('trap 12: %s', (_name, file, prefixes, entries, rejects) => {
    const reading = readAtOnce(fixture(file));
    expect(reading.prefixes).toEqual(prefixes);
    expect(reading.report).toMatchObject({ entries, rejected: rejects.length });
    expect(reading.report.samples.map(({ line, text }) => [line, text])).toEqual(rejects);
  });
});

describe('forms of an entry', () => {
  test('trap 13: leading zeros are neither octal nor decimal but rejected; no address is taken out of a sentence', () => {
    const { set, report } = readList(fixture('19-trick77-edge-fixtures.txt'));
    expect(report).toMatchObject({ entries: 16, rejected: 13, reasons: { 'not an address': 13 }, hostBits: 0 });
    expect(report.samples.map(({ line, text }) => [line, text])).toEqual([
      [2, '001.002.003.004'],
      [3, '008.008.008.008'],
      [4, '010.000.000.001'],
      [5, '192.168.001.001'],
      [8, 'Blocked IP: 1.2.3.4 at 2024-01-01'],
    ]);
    for (const address of ['1.2.3.4', '8.8.8.8', '8.0.0.1', '203.0.114.1', '2001:4860:4860::8888', '2606:4700::']) {
      expect(set.has(address), address).toBe(false);
    }
    expect(set.count()).toEqual({ v4: 16, v6: 0n });
    expect(set.subtract(specialPurpose()).isEmpty).toBe(true);
  });

  test('trap 14: wildcard, netmask, range with blanks, mapped, upper case; short form, zone, port and the like are rejected', () => {
    const { prefixes, report } = readAtOnce(fixture('trap-14-forms.txt'));
    expect(prefixes).toEqual([
      ...['192.0.2.0/24', '192.0.3.1', '192.0.3.2', '192.0.3.64/26', '198.51.0.0/16'],
      // 203.0.113.0/25, .128/26, .200/30 and .210/31
      ...['203.0.113.0/25', '203.0.113.128/26', '203.0.113.200/30', '203.0.113.210/31'],
      ...['2001:db8:1::1', '2001:db8:1::2/127', '2001:db8:1::4', '2001:db8:abcd::/48'],
    ]);
    expect(report).toMatchObject({ entries: 11, rejected: 7, hostBits: 0 });
    expect(report.reasons).toEqual({
      'not an address': 2,
      'bad netmask': 1,
      'has a zone': 1,
      'text after the address': 1,
      'range runs backwards': 1,
      'range mixes families': 1,
    });
    expect(report.samples.map(({ line, text }) => [line, text])).toEqual([
      [12, '192.0.2'],
      [13, '192.0.2.0/255.0.255.0'],
      [14, 'fe80::1%eth0'],
      [15, '[2001:db8::1]:443'],
      [16, '192.0.2.1:80'],
    ]);
  });

  test('trap 15: host bits are cleared and counted, names are counted and never looked up', () => {
    const { prefixes, report } = readAtOnce(fixture('trap-15-host-bits-and-names.txt'));
    expect(prefixes).toEqual(['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/31', '2001:db8::/32']);
    expect(report).toMatchObject({ entries: 5, hostBits: 4, rejected: 2, reasons: { 'not an address': 2 } });
    expect(report.samples.map(({ line, text }) => [line, text])).toEqual([
      [4, 'host.example'],
      [5, 'mail.example.net 203.0.113.9'],
    ]);
  });

  test('trap 17: both families in one file are told apart by parsing', () => {
    const { prefixes, report } = readAtOnce(fixture('trap-17-both-families.txt'));
    expect(prefixes).toEqual([
      ...['192.0.2.5', '192.0.2.6/31', '198.51.100.0/24'],
      ...['2001:db8::5', '2001:db8::6', '2001:db8:1::/48'],
    ]);
    expect(report).toMatchObject({ entries: 7, rejected: 0, widest: { v4: 8, v6: 80 } });
  });
});

describe('broken streams', () => {
  test('trap 18: an error text glued to the end leaves the lines before it, and is counted', () => {
    const { prefixes, report } = readAtOnce(fixture('trap-18-glued-error.txt'));
    expect(prefixes).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(report).toMatchObject({
      entries: 2,
      rejected: 3,
      reasons: { 'text after the address': 1, 'not an address': 2 },
    });
    expect(report.samples.map(({ line }) => line)).toEqual([3, 4, 5]);
    expect(report.samples[0]!.text).toMatch(/^192\.0\.2\.3PHP Warning/);
  });

  test('trap 18: gzip that nobody unpacked holds no entry', () => {
    const { prefixes, report } = readAtOnce(gzipSync(bytesOf('192.0.2.1\n192.0.2.2\n'.repeat(2000))));
    expect(prefixes).toEqual([]);
    expect(report.entries).toBe(0);
    expect(report.rejected).toBeGreaterThan(0);
  });

  test('lines damaged on the way are rejected and never repaired', () => {
    const { prefixes, report } = readAtOnce(fixture('damaged-lines.txt'));
    expect(prefixes).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(report).toMatchObject({ entries: 2, rejected: 11 });
    expect(report.reasons).toEqual({ 'not an address': 8, 'text after the address': 1, 'bad prefix length': 2 });
    expect(report.samples.map(({ line, text }) => [line, text])).toEqual([
      [1, '1..218.28'],
      [2, '190.142.102.'],
      [4, '.192.0.2.1'],
      [5, '192.0.2.1.'],
      [6, '192.0.2'],
    ]);
  });
});

/**
 * Counted without the code under test: entries with awk, addresses and blocks with iprange (IPv4) and the ipaddress
 * module of Python (both families).
 */
describe('heads of real feeds', () => {
  test.each<[file: string, entries: number, v4: number, v6: bigint, blocks: number]>([
    ['01-ipverse-country-ad-ipv4.txt', 25, 60_416, 0n, 25],
    ['03-ipverse-country-is-ipv6.txt', 71, 0, 25_273_797_140_234_339_453_261_441_925_120n, 71],
    ['05-ipsum-level7.txt', 70, 70, 0n, 68],
    ['06-romainmarcoux-full-40k-head.txt', 200, 200, 0n, 181],
    ['07-x4bnet-vpn-ipv4-head.txt', 200, 69_708, 0n, 200],
    ['08-x4bnet-vpn-ipv6-head.txt', 200, 0, 8_505_458_050_189_704_290_104_036_556_800n, 200],
    ['10-threatfox-ips-head.txt', 200, 200, 0n, 194],
    // names in comments behind the addresses, whitespace-only lines: trap 11 and 12
    ['11-maltrail-mass-scanner-head.txt', 183, 183, 0n, 54],
    // sorted as text: trap 16
    ['15-et-compromised-head.txt', 200, 200, 0n, 199],
    // 110 of 200 lines are repeats: trap 16
    ['16-tor-exit-dups-head.txt', 200, 90, 0n, 64],
  ])('%s', (file, entries, v4, v6, blocks) => {
    const { set, report } = readList(fixture(file));
    expect(report).toMatchObject({ entries, rejected: 0, reasons: {}, samples: [], hostBits: 0, leftOut: 0 });
    expect(set.count()).toEqual({ v4, v6 });
    expect(textOf(set)).toHaveLength(blocks);
  });

  test('trap 16: text order becomes numeric order', () => {
    const { prefixes } = readAtOnce(fixture('15-et-compromised-head.txt'));
    expect(prefixes.slice(0, 4)).toEqual(['1.27.251.252', '1.245.140.132', '1.255.171.167', '13.56.138.99']);
    expect(prefixes.slice(-3)).toEqual(['185.220.70.83', '185.221.21.17', '185.242.3.121']);
  });
});
