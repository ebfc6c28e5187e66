import { describe, expect, test } from 'vitest';
import { IpSetBuilder, ListReader, readList } from '../../src/ip/index.js';
import { bytesOf, fixture, readAtOnce, readPieces, textOf } from './lists.js';

describe('one line that is an entry', () => {
  test.each<[line: string, prefixes: string[]]>([
    ['192.0.2.1', ['192.0.2.1']],
    ['0.0.0.0', ['0.0.0.0']],
    ['255.255.255.255', ['255.255.255.255']],
    ['199.99.9.0', ['199.99.9.0']],
    ['192.0.2.0/24', ['192.0.2.0/24']],
    ['192.0.2.1/32', ['192.0.2.1']],
    ['0.0.0.0/0', ['0.0.0.0/0']],
    ['128.0.0.0/1', ['128.0.0.0/1']],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['10.128.0.0/9', ['10.128.0.0/9']],
    ['192.0.2.254/31', ['192.0.2.254/31']],
    ['255.255.255.255/32', ['255.255.255.255']],
    ['192.0.2.0/255.255.255.0', ['192.0.2.0/24']],
    ['192.0.2.0/0.0.0.255', ['192.0.2.0/24']],
    ['192.0.2.*', ['192.0.2.0/24']],
    ['192.0.2.1-192.0.2.2', ['192.0.2.1', '192.0.2.2']],
    ['192.0.2.1 - 192.0.2.2', ['192.0.2.1', '192.0.2.2']],
    ['192.0.2.1\t-\t192.0.2.2', ['192.0.2.1', '192.0.2.2']],
    ['2001:db8::1', ['2001:db8::1']],
    ['2001:DB8::/32', ['2001:db8::/32']],
    ['2001:db8::1-2001:db8::2', ['2001:db8::1', '2001:db8::2']],
    ['::', ['::']],
    ['::ffff:192.0.2.1', ['192.0.2.1']],
    ['::ffff:192.0.2.0/120', ['192.0.2.0/24']],
    // blanks around
    [' 192.0.2.1', ['192.0.2.1']],
    ['\t 192.0.2.1 \t', ['192.0.2.1']],
    ['192.0.2.1 ', ['192.0.2.1']],
    ['\v192.0.2.1\f', ['192.0.2.1']],
    ['\u00a0192.0.2.1\u00a0', ['192.0.2.1']],
    [' \u00a0\t2001:db8::1\u00a0 ', ['2001:db8::1']],
    // comments behind
    ['192.0.2.1 # x', ['192.0.2.1']],
    ['192.0.2.1 #', ['192.0.2.1']],
    ['192.0.2.1\t#x', ['192.0.2.1']],
    ['192.0.2.1\u00a0# x', ['192.0.2.1']],
    ['192.0.2.1 ;x', ['192.0.2.1']],
    ['192.0.2.1 //x', ['192.0.2.1']],
    ['192.0.2.1 //', ['192.0.2.1']],
    ['192.0.2.0/24 ; SBL1', ['192.0.2.0/24']],
    ['2001:db8::/32 ; SBL1', ['2001:db8::/32']],
    ['192.0.2.1-192.0.2.2 # x', ['192.0.2.1', '192.0.2.2']],
    ['192.0.2.* # x', ['192.0.2.0/24']],
    ['192.0.2.1 # 198.51.100.1', ['192.0.2.1']],
    // a number behind
    ['192.0.2.1 7', ['192.0.2.1']],
    ['192.0.2.1\t7', ['192.0.2.1']],
    ['192.0.2.1 007', ['192.0.2.1']],
    ['192.0.2.1 999999999999999', ['192.0.2.1']],
    ['192.0.2.1\t7\t# x', ['192.0.2.1']],
    ['192.0.2.0/24 7 ; x', ['192.0.2.0/24']],
    ['192.0.2.1-192.0.2.2 7', ['192.0.2.1', '192.0.2.2']],
    ['2001:db8::1 7 ', ['2001:db8::1']],
  ])('%j', (line, prefixes) => {
    for (const tail of ['', '\n', '\r\n', '\r', '\r\r', '\n\n']) {
      for (const minScore of [0, 1]) {
        const { set, report } = readList(bytesOf(line + tail), { minScore });
        expect(textOf(set)).toEqual(prefixes);
        expect(report).toMatchObject({ entries: 1, rejected: 0, reasons: {}, samples: [], hostBits: 0, leftOut: 0 });
      }
    }
  });
});

describe('one line that counts nowhere', () => {
  test.each([
    ...[
      '',
      ' ',
      '\t',
      ' \t \v\f',
      '\u00a0',
      ' \u00a0 ',
      '#',
      ';',
      '//',
      '# x',
      '#x',
      ';x',
      '//x',
      '///',
      ' # x',
      '\t; x',
    ],
    ...['\u00a0// x', '# 192.0.2.1', '; 192.0.2.1', '//192.0.2.1', '## 192.0.2.1', '#192.0.2.1'],
  ])('%j', (line) => {
    for (const tail of ['', '\n', '\r\n', '\r']) {
      const { set, report } = readList(bytesOf(line + tail));
      expect(set.isEmpty).toBe(true);
      expect(report).toMatchObject({ entries: 0, rejected: 0, reasons: {}, samples: [], hostBits: 0, leftOut: 0 });
    }
  });
});

describe('one line that is rejected', () => {
  test.each<[line: string, reason: string]>([
    ['host.example', 'not an address'],
    ['localhost', 'not an address'],
    ['192.0.2', 'not an address'],
    ['010.0.0.1', 'not an address'],
    ['10.0.0.01', 'not an address'],
    ['192.0.2.256', 'not an address'],
    ['192.0.2.1234', 'not an address'],
    ['3221225985', 'not an address'],
    ['192.0.2.', 'not an address'],
    ['192.0.2.x', 'not an address'],
    ['1921.0.2.1', 'not an address'],
    ['192..0.2.1', 'not an address'],
    ['192:0:2:1', 'not an address'],
    ['*.*.*.*', 'not an address'],
    ['[2001:db8::1]', 'not an address'],
    ['2001:db8::g', 'text after the address'],
    ['"192.0.2.1"', 'not an address'],
    ['<html>', 'not an address'],
    ['/', 'not an address'],
    ['/ 192.0.2.1', 'not an address'],
    ['!192.0.2.1', 'not an address'],
    ['!comment', 'not an address'],
    ['REM comment', 'not an address'],
    ['-', 'not an address'],
    ['\0', 'not an address'],
    ['Blocked 192.0.2.1', 'not an address'],
    ['AS64496', 'not an address'],
    ['192.0.2.1-', 'not an address'],
    ['192.0.2.1 - ', 'not an address'],
    ['192.0.2.1 - comment', 'not an address'],
    ['192.0.2.1 -7', 'not an address'],
    ['192.0.2.1-9', 'not an address'],
    ['192.0.2.0/33', 'bad prefix length'],
    ['192.0.2.0/99', 'bad prefix length'],
    ['192.0.2.0/240', 'bad prefix length'],
    ['192.0.2.0/024', 'bad prefix length'],
    ['192.0.2.0/08', 'bad prefix length'],
    ['192.0.2.0/00', 'bad prefix length'],
    ['192.0.2.0/2x', 'text after the address'],
    ['192.0.2.0/', 'bad prefix length'],
    ['192.0.2.0/ 24', 'bad prefix length'],
    ['192.0.2.0/-1', 'bad prefix length'],
    ['192.0.2.0/x', 'bad prefix length'],
    ['2001:db8::/129', 'bad prefix length'],
    ['192.0.2.0/255.0.255.0', 'bad netmask'],
    ['192.0.2.0/0.0.0.0', 'bad netmask'],
    ['192.0.2.0/255.255.255', 'bad netmask'],
    ['192.0.2.9-192.0.2.1', 'range runs backwards'],
    ['2001:db8::2 - 2001:db8::1', 'range runs backwards'],
    ['192.0.2.1-2001:db8::1', 'range mixes families'],
    ['2001:db8::1-192.0.2.1', 'range mixes families'],
    ['fe80::1%eth0', 'has a zone'],
    ['fe80::1%eth0/64', 'has a zone'],
    ['fe80::1-fe80::2%eth0', 'has a zone'],
    ['192.0.2.1%1', 'has a zone'],
    ['192.0.2.1#x', 'text after the address'],
    ['192.0.2.1;x', 'text after the address'],
    ['192.0.2.1//x', 'bad prefix length'],
    ['192.0.2.0/24#x', 'text after the address'],
    ['192.0.2.1 x', 'text after the address'],
    ['192.0.2.1 / x', 'text after the address'],
    ['192.0.2.1x', 'text after the address'],
    ['192.0.2.1.', 'text after the address'],
    ['192.0.2.1.2', 'text after the address'],
    ['192.0.2.1:80', 'text after the address'],
    ['192.0.2.1,192.0.2.2', 'text after the address'],
    ['192.0.2.1 192.0.2.2', 'text after the address'],
    ['192.0.2.1\0', 'text after the address'],
    ['192.0.2.1 7.5', 'text after the address'],
    ['192.0.2.1 7x', 'text after the address'],
    ['192.0.2.1 7#x', 'text after the address'],
    ['192.0.2.1 7 8', 'text after the address'],
    ['192.0.2.1 9999999999999999', 'text after the address'],
    ['192.0.2.0/24/24', 'text after the address'],
    ['192.0.2.*/24', 'text after the address'],
    ['192.0.2.0-192.0.2.9/24', 'text after the address'],
    ['192.0.2.0/24-192.0.3.0', 'text after the address'],
    ['192.0.2.1\u2003', 'text after the address'],
    ['1:2:3:4:5:6:7:8:9', 'text after the address'],
  ])('%j: %s', (line, reason) => {
    for (const tail of ['', '\n', '\r\n', '\r', '\n\n']) {
      for (const minScore of [0, 1]) {
        const { set, report } = readList(bytesOf(line + tail), { minScore });
        expect(set.isEmpty).toBe(true);
        expect(report).toMatchObject({ entries: 0, rejected: 1, reasons: { [reason]: 1 }, hostBits: 0, leftOut: 0 });
        expect(report.samples).toEqual([{ line: 1, text: line, reason }]);
      }
    }
  });
});

describe('the report', () => {
  test('the first five rejected lines with their numbers, all of them counted by reason', () => {
    const list = [
      ...[
        '# head',
        'one',
        '192.0.2.1',
        '',
        '192.0.2.0/33',
        '192.0.2.2 x',
        'fe80::1%a',
        '192.0.2.3',
        '192.0.2.9-192.0.2.1',
      ],
      ...['six', '192.0.2.4', 'seven', '1.2.3.4/1.2.3.4'],
    ];
    for (const end of ['\n', '\r\n', '\r']) {
      const { prefixes, report } = readAtOnce(bytesOf(list.join(end)));
      expect(prefixes).toEqual(['192.0.2.1', '192.0.2.3', '192.0.2.4']);
      expect(report).toMatchObject({ entries: 3, rejected: 8 });
      expect(report.reasons).toEqual({
        'not an address': 3,
        'bad prefix length': 1,
        'text after the address': 1,
        'has a zone': 1,
        'range runs backwards': 1,
        'bad netmask': 1,
      });
      expect(report.samples).toEqual([
        { line: 2, text: 'one', reason: 'not an address' },
        { line: 5, text: '192.0.2.0/33', reason: 'bad prefix length' },
        { line: 6, text: '192.0.2.2 x', reason: 'text after the address' },
        { line: 7, text: 'fe80::1%a', reason: 'has a zone' },
        { line: 9, text: '192.0.2.9-192.0.2.1', reason: 'range runs backwards' },
      ]);
    }
  });

  test('a sample keeps blanks and control characters, and is cut', () => {
    const { samples } = readAtOnce(bytesOf(`\u001b[2Jx\n  two words  \n${'y'.repeat(2000)}\n`)).report;
    expect(samples.slice(0, 2).map(({ text }) => text)).toEqual(['\u001b[2Jx', '  two words  ']);
    expect(samples[2]!.text).toMatch(/^y{100,200}$/);
  });

  test('a sample shows a byte order mark inside the list, which is why its line was rejected', () => {
    const { samples } = readAtOnce(bytesOf('192.0.2.1\n\ufeff192.0.2.2\n')).report;
    expect(samples).toEqual([{ line: 2, text: '\ufeff192.0.2.2', reason: 'not an address' }]);
  });

  test.each<[name: string, list: string, hostBits: number, prefixes: string[]]>([
    ['none', '192.0.2.0/24\n192.0.2.7\n192.0.2.7/32\n192.0.3.*\n', 0, ['192.0.2.0/23']],
    ['each such entry', '192.0.2.5/24\n192.0.2.6/24\n192.0.2.0/24\n', 2, ['192.0.2.0/24']],
    ['with a mask', '192.0.2.5/255.255.255.0\n192.0.3.5/0.0.0.255\n', 2, ['192.0.2.0/23']],
    ['IPv6', '2001:db8::1/32\n2001:db9::/32\n', 1, ['2001:db8::/31']],
    ['mapped', '::ffff:192.0.2.5/120\n', 1, ['192.0.2.0/24']],
    ['a range has none', '192.0.2.5-192.0.2.6\n', 0, ['192.0.2.5', '192.0.2.6']],
    ['a rejected line has none', '192.0.2.5/24 x\n192.0.2.5/33\n', 0, []],
  ])('host bits: %s', (_name, list, hostBits, prefixes) => {
    const reading = readAtOnce(bytesOf(list));
    expect(reading.report.hostBits).toBe(hostBits);
    expect(reading.prefixes).toEqual(prefixes);
  });

  test.each<[list: string, v4: number, v6: number]>([
    ['', -1, -1],
    ['# nothing\nbad\n', -1, -1],
    ['192.0.2.1\n', 0, -1],
    ['192.0.2.1 # x\n', 0, -1],
    ['2001:db8::1\n', -1, 0],
    ['192.0.2.1\n2001:db8::1\n', 0, 0],
    ['192.0.2.1\n2001:db8::/32\n', 0, 96],
    ['2001:db8::/32\n192.0.2.1\n', 0, 96],
    ['192.0.2.0/24\n10.0.0.0/8\n192.0.2.0/25\n', 24, -1],
    ['0.0.0.0/0\n::/0\n', 32, 128],
    ['::ffff:10.0.0.0/104\n', 24, -1],
    ['192.0.2.0-192.0.2.255\n', 8, -1],
    ['192.0.2.0-192.0.2.254\n', 7, -1],
    ['192.0.2.1-192.0.2.1\n', 0, -1],
    ['0.0.0.0-255.255.255.255\n', 32, -1],
    ['2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\n', -1, 96],
    ['::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n', -1, 128],
    ['::ffff:10.0.0.0-::ffff:10.255.255.255\n', 24, -1],
    ['10.0.0.0/8 x\n2001:db8::/16%a\n', -1, -1],
  ])('widest entry of %j', (list, v4, v6) => {
    expect(readAtOnce(bytesOf(list)).report.widest).toEqual({ v4, v6 });
  });

  test('widest does not see what the score left out', () => {
    const { widest } = readAtOnce(bytesOf('10.0.0.0/8 1\n192.0.2.0/24 2\n'), { minScore: 2 }).report;
    expect(widest).toEqual({ v4: 8, v6: -1 });
  });
});

describe('score columns', () => {
  const bytes = fixture('score-columns.tsv');

  test.each<[minScore: number, entries: number, leftOut: number, prefixes: string[]]>([
    [
      0,
      9,
      0,
      ['192.0.2.1', '192.0.2.2/31', '192.0.2.4/31', '192.0.2.6', '192.0.2.9', '198.51.100.0/24', '2001:db8::1'],
    ],
    [1, 8, 1, ['192.0.2.1', '192.0.2.2/31', '192.0.2.4/31', '192.0.2.6', '198.51.100.0/24', '2001:db8::1']],
    [3, 6, 3, ['192.0.2.1', '192.0.2.2/31', '192.0.2.5', '192.0.2.6', '198.51.100.0/24']],
    [9, 3, 6, ['192.0.2.1', '192.0.2.5', '192.0.2.6']],
    [10, 2, 7, ['192.0.2.5', '192.0.2.6']],
    [13, 1, 8, ['192.0.2.6']],
  ])('minScore %s takes %s entries; a line without a score is always taken', (minScore, entries, leftOut, prefixes) => {
    const reading = readAtOnce(bytes, { minScore });
    expect(reading.prefixes).toEqual(prefixes);
    expect(reading.report).toMatchObject({
      entries,
      leftOut,
      rejected: 2,
      reasons: { 'text after the address': 2 },
    });
    expect(reading.report.samples.map(({ line, text }) => [line, text])).toEqual([
      [10, '192.0.2.7\t3.5'],
      [11, '192.0.2.8\tnine'],
    ]);
  });
});

describe('a column that may be something else: `column: none`', () => {
  test.each<[line: string, prefixes: string[], reason?: string]>([
    ['192.0.2.1', ['192.0.2.1']],
    ['192.0.2.1 # 7', ['192.0.2.1']],
    ['192.0.2.0/24 ; SBL1', ['192.0.2.0/24']],
    ['192.0.2.1 - 192.0.2.2', ['192.0.2.1', '192.0.2.2']],
    ['192.0.2.1 7', [], 'text after the address'],
    ['192.0.2.0\t24', [], 'text after the address'],
    ['192.0.2.0 255.255.255.0', [], 'text after the address'],
    ['2001:db8:: 32 # x', [], 'text after the address'],
  ])('%j', (line, prefixes, reason) => {
    const reading = readAtOnce(bytesOf(`${line}\n`), { column: 'none' });
    expect(reading.prefixes).toEqual(prefixes);
    expect(reading.report.reasons).toEqual(reason === undefined ? {} : { [reason]: 1 });
    expect(reading.report.entries).toBe(reason === undefined ? 1 : 0);
  });

  test('`column: score` is the default', () => {
    const bytes = bytesOf('192.0.2.1 7\n192.0.2.2 1\n');
    for (const options of [{ minScore: 2 }, { minScore: 2, column: 'score' as const }]) {
      expect(readAtOnce(bytes, options).prefixes).toEqual(['192.0.2.1']);
    }
  });
});

describe('readList and ListReader', () => {
  test('a string is read as its UTF-8 bytes are', () => {
    const list =
      '\ufeff192.0.2.1\u00a0\n192.0.2.2 # caf\u00e9 \u{1f4a9}\n\u00a0192.0.2.3\n\u00fc\u4e2d\n192.0.2.4\u2003\n';
    const { set, report } = readList(list);
    expect({ prefixes: textOf(set), report }).toEqual(readAtOnce(bytesOf(list)));
    expect(textOf(set)).toEqual(['192.0.2.1', '192.0.2.2/31']);
    expect(report.samples.map(({ text }) => text)).toEqual(['\u00fc\u4e2d', '192.0.2.4\u2003']);
  });

  test('nothing pushed at all, or empty chunks alone', () => {
    for (const pieces of [[], [new Uint8Array(0)], [new Uint8Array(0), new Uint8Array(0)]]) {
      const { prefixes, report } = readPieces(pieces);
      expect(prefixes).toEqual([]);
      expect(report).toMatchObject({ entries: 0, rejected: 0, samples: [], hostBits: 0, leftOut: 0 });
    }
  });

  test('lists of one and two bytes', () => {
    for (const list of ['x', 'xy', '1', '12']) {
      expect(readAtOnce(bytesOf(list)).report).toMatchObject({
        entries: 0,
        rejected: 1,
        reasons: { 'not an address': 1 },
      });
    }
    expect(readAtOnce(bytesOf('::')).prefixes).toEqual(['::']);
  });

  test('long lists of bare addresses, with other lines at every place where a batch could end', () => {
    for (const gap of [1, 2, 63, 64, 1023, 1024, 4095, 4096, 4097, 8192]) {
      const lines = Array.from({ length: 20_000 }, (_, k) =>
        k % (gap + 1) === gap ? 'x' : `10.0.${k >> 8}.${k & 255}`,
      );
      const bad = lines.flatMap((line, k) => (line === 'x' ? [k + 1] : []));
      const { set, report } = readList(bytesOf(lines.join('\n')));
      expect(report).toMatchObject({ entries: 20_000 - bad.length, rejected: bad.length });
      expect(report.samples.map(({ line }) => line)).toEqual(bad.slice(0, 5));
      expect(set.count()).toEqual({ v4: 20_000 - bad.length, v6: 0n });
    }
  });

  test('several lists into one builder', () => {
    const builder = new IpSetBuilder();
    for (const list of ['192.0.2.0/25', '192.0.2.128/25\nbad', '2001:db8::1']) {
      const reader = new ListReader(builder);
      reader.push(bytesOf(list));
      expect(reader.end().entries).toBe(1);
    }
    expect(textOf(builder.build())).toEqual(['192.0.2.0/24', '2001:db8::1']);
  });
});
