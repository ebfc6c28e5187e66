import { describe, expect, test } from 'vitest';
import { formatAddress, IPV4 } from '../../../src/ip/index.js';
import { AddressReader } from '../../../src/sources/geo/forms/addresses.js';
import { CellReader } from '../../../src/sources/geo/forms/cells.js';
import { csv } from '../../../src/sources/geo/forms/csv.js';
import { extract } from './samples.js';

const COMMA = 0x2c;

describe('addresses', () => {
  const LAST = '340282366920938463463374607431768211455';
  test.each<[text: string, expected: string | undefined]>([
    ['0', '0.0.0.0-0.0.0.0'],
    ['16777216', '1.0.0.0-1.0.0.0'],
    ['4294967295', '255.255.255.255-255.255.255.255'],
    ['4294967296', '::1:0:0-::1:0:0'],
    ['281470681743359', '::fffe:ffff:ffff-::fffe:ffff:ffff'],
    ['281470681743360', '0.0.0.0-0.0.0.0'],
    ['281474976710655', '255.255.255.255-255.255.255.255'],
    ['281474976710656', '::1:0:0:0-::1:0:0:0'],
    ['42540488161975842760550356425300246528', '2001::-2001::'],
    [LAST, `${'ffff:'.repeat(7)}ffff-${'ffff:'.repeat(7)}ffff`],
    [LAST.replace(/5$/, '6'), undefined],
    [`${LAST}0`, undefined],
    ['45.9.0.1', '45.9.0.1-45.9.0.1'],
    ['45.9.0.0/23', '45.9.0.0-45.9.1.255'],
    ['45.9.0.1/23', '45.9.0.0-45.9.1.255'],
    ['2a00::/16', '2a00::-2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['::ffff:45.9.0.1', '45.9.0.1-45.9.0.1'],
    ['045.9.0.1', undefined],
    ['45.9.0', undefined],
    ['45.9.0.0/33', undefined],
    ['45.9.0.1-45.9.0.9', undefined],
    ['45.9.0.1 x', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    const reader = new AddressReader(Buffer.from(text));
    const isRead = reader.read(0, text.length);
    const { family, lo, hi } = reader;
    const shown = (words: Uint32Array) => formatAddress(family, words.slice(0, family.words));
    expect(isRead ? `${shown(lo)}-${shown(hi)}` : undefined).toBe(expected);
  });
});

describe('cells', () => {
  function cellsOf(text: string, separator = COMMA) {
    const cells = new CellReader(Buffer.from(text), separator);
    const lines: unknown[] = [];
    while (cells.advance()) {
      const row = Array.from({ length: cells.count }, (_, i) => cells.text(i));
      lines.push(cells.isBroken ? `broken in line ${cells.line}` : row);
    }
    return lines;
  }

  test.each<[text: string, lines: unknown[]]>([
    [
      'a,b\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['\ufeffa,b\n', [['a', 'b']]],
    ['# a,b\n\n\r\nc\n', [['c']]],
    ['a,,b,\n', [['a', '', 'b', '']]],
    [' a , "b" ,c \n', [['a', 'b', 'c']]],
    ['"a,b","c ""d"" e",""\n', [['a,b', 'c "d" e', '']]],
    ['a"b,c\n', [['a"b', 'c']]],
    ['"a\nb",c\nd\n', ['broken in line 1', ['b"', 'c'], ['d']]],
    ['"a"b,c\nd\n', ['broken in line 1', ['d']]],
    ['größe,x\n', [['größe', 'x']]],
    [`${'a,'.repeat(63)}a\n`, [Array(64).fill('a')]],
    [`${'a,'.repeat(64)}a\n`, ['broken in line 1']],
    ['', []],
  ])('%j', (text, lines) => {
    expect(cellsOf(text)).toEqual(lines);
  });
});

describe('lines', () => {
  async function read(text: string) {
    const { tables, entries, rejected, samples } = await csv.read(Buffer.from(text), ['asn'], 'x');
    return { tables, entries, rejected, reasons: samples.map(({ line, reason }) => `${line}: ${reason}`) };
  }

  test('what is wrong with a line is told with its number', async () => {
    const { entries, rejected, reasons } = await read(
      [
        '# made today',
        '45.9.0.0,45.9.0.255,1,One',
        '45.9.1.255,45.9.1.0,1,One',
        '45.9.2.0,2a00::,1,One',
        '45.9.3.0,45.9.3.255',
        'x,45.9.4.255,1,One',
        '45.9.5.0,45.9.5.255,one,One',
        '45.9.6.0,45.9.6.255,AS2,"Two',
        '45.9.7.0,45.9.7.255,4294967296,Three',
        '45.9.8.0,45.9.8.255,0,Not routed',
      ].join('\n'),
    );
    expect(reasons).toEqual([
      '3: range runs backwards',
      '4: range mixes families',
      '6: not an address',
      '7: not a code',
      '8: columns disagree',
    ]);
    // Without a number there is no network, but the line is one.
    expect([entries, rejected]).toEqual([3, 6]);
  });

  test.each(['', '-', '0', 'AS0', 'as0', 'None', 'none', 'NONE'])(
    '%j where no network is: a line like any other',
    async (text) => {
      const { entries, rejected } = await read(`45.9.0.0,45.9.0.255,1,One\n45.9.1.0,45.9.1.255,${text},\n`);
      expect([entries, rejected]).toEqual([2, 0]);
    },
  );

  test.each(['', '-', 'ZZ', 'zz', 'None', 'none'])('%j where no country is: a line like any other', async (text) => {
    const lines = Buffer.from(`45.9.0.0,45.9.0.255,CN\n45.9.1.0,45.9.1.255,${text}\n`);
    const { tables, entries, rejected } = await csv.read(lines, ['country'], 'x');
    expect([entries, rejected, tables.country?.columns.labels.length]).toEqual([2, 0, 1]);
  });

  test('lines that contradict another count as rejected', async () => {
    const { tables, entries, rejected } = await read('45.9.0.0,45.9.0.255,1,One\n45.9.0.128,45.9.1.0,2,Two\n');
    expect([entries, rejected, tables.asn?.of(IPV4).at(Uint32Array.of(0x2d0900ff), 0)]).toEqual([2, 1, 1]);
  });

  test('a name without end is cut', async () => {
    const { tables } = await read(`45.9.0.0,45.9.0.255,1,${'x'.repeat(1_000_000)}\n`);
    expect(tables.asn?.nameOf(1)).toBe('x'.repeat(200));
  });

  test('the extracts: as many lines, networks and numbers as other programs count', async () => {
    for (const name of ['asn-ipv4.csv', 'asn-ipv6.csv', 'asn-ipv4-num.csv', 'asn-ipv6-num.csv'] as const) {
      const lines = extract(name).toString().trimEnd().split('\n');
      const { entries, rejected, tables } = await read(`${lines.join('\n')}\n`);
      const numbers = new Set(lines.map((line) => Number(line.split(',')[2])));
      expect([name, entries, rejected]).toEqual([name, lines.length, 0]);
      expect(Array.from(tables.asn!.columns.labels)).toEqual([...numbers].sort((a, b) => a - b));
    }
  });
});
