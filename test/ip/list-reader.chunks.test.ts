import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from './arbitraries.js';
import { bytesOf, fixture, piecesAt, piecesOf, readAtOnce, readPieces } from './lists.js';

/** However the network cuts a list, the set and the report are those of the whole list. */

const ENTRY = [
  ...[
    '192.0.2.1',
    '192.0.2.7',
    '0.0.0.0',
    '255.255.255.255',
    '198.51.100.0/24',
    '192.0.2.5/24',
    '203.0.113.1-203.0.113.9',
  ],
  ...[
    '203.0.113.1 - 203.0.113.9',
    '192.0.2.*',
    '2001:db8::1',
    '2001:db8::/32',
    '::ffff:192.0.2.9',
    '::',
    '10.0.0.0/255.0.0.0',
  ],
  ...['192.0.2.1 5', '192.0.2.2\t0', '192.0.2.3 # x', '\u00a0192.0.2.4\u00a0', '198.51.100.0/24 ; SBL1'],
];
const OTHER = [
  '',
  ' ',
  '# x',
  '; x',
  '// x',
  '\u00a0',
  'host.example',
  '192.0.2',
  '192.0.2.1/33',
  '192.0.2.1#x',
  'fe80::1%a',
  '\0',
  '\ufeff',
  'é',
];
const ENDS = ['\n', '\n', '\n', '\r\n', '\r\n', '\r', '\n\n', '\r\r', '\n\r'];

/** Around and beyond the longest line that is kept: junk, a comment, blanks, or an entry with a long comment. */
const anyLongLine = fc
  .tuple(
    fc.constantFrom('x', '#', ' ', '192.0.2.8 #', '1', '\t192.0.2.8'),
    fc.oneof(fc.integer({ min: 4090, max: 4102 }), fc.integer({ min: 4103, max: 9000 })),
  )
  .map(([head, length]) => head.padEnd(length, head === ' ' || head.startsWith('\t') ? ' ' : head[0]!));

function anyList(longLines: boolean): fc.Arbitrary<Uint8Array> {
  const line = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ENTRY) },
    { weight: 3, arbitrary: fc.constantFrom(...OTHER) },
    { weight: longLines ? 2 : 0, arbitrary: anyLongLine },
  );
  return fc
    .tuple(
      fc.constantFrom('', '', '\ufeff'),
      fc.array(fc.tuple(line, fc.constantFrom(...ENDS)), { maxLength: longLines ? 8 : 25 }),
      fc.oneof(fc.constant(''), line),
    )
    .map(([mark, lines, rest]) => bytesOf(mark + lines.flat().join('') + rest));
}

const options = fc.constantFrom({}, { minScore: 3 });

test('random lists in random pieces', () => {
  fc.assert(
    fc.property(anyList(false), fc.array(fc.nat(800), { maxLength: 20 }), options, (bytes, offsets, given) => {
      expect(readPieces(piecesAt(bytes, offsets), given)).toEqual(readAtOnce(bytes, given));
    }),
    runs(1500),
  );
});

test('random lists byte by byte', () => {
  fc.assert(
    fc.property(anyList(false), options, (bytes, given) => {
      expect(readPieces(piecesOf(bytes, 1), given)).toEqual(readAtOnce(bytes, given));
    }),
    runs(500),
  );
});

test('random lists with lines near the limit, in random pieces', () => {
  fc.assert(
    fc.property(anyList(true), fc.array(fc.nat(20_000), { maxLength: 12 }), options, (bytes, offsets, given) => {
      expect(readPieces(piecesAt(bytes, offsets), given)).toEqual(readAtOnce(bytes, given));
    }),
    runs(600),
  );
});

test('random lists with lines near the limit, cut around the ends of lines', () => {
  fc.assert(
    fc.property(anyList(true), fc.array(fc.tuple(fc.nat(30), fc.nat(2)), { maxLength: 8 }), (bytes, picks) => {
      const ends = [...bytes.keys()].filter((i) => bytes[i] === 0x0a || bytes[i] === 0x0d);
      const offsets = picks.flatMap(([k, off]) => (k < ends.length ? [ends[k]! + off] : []));
      expect(readPieces(piecesAt(bytes, offsets))).toEqual(readAtOnce(bytes));
    }),
    runs(600),
  );
});

test('random bytes in random pieces', () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.constantFrom(...bytesOf('0123456789.:/-*#; \t\r\n%af')), { maxLength: 300 })
      .map((all) => Uint8Array.from(all)),
  );
  fc.assert(
    fc.property(anyBytes, fc.array(fc.nat(300), { maxLength: 10 }), (bytes, offsets) => {
      fc.pre(!(bytes[0]! >= 0xfe && bytes[1]! >= 0xfe));
      expect(readPieces(piecesAt(bytes, offsets))).toEqual(readAtOnce(bytes));
    }),
    runs(2000),
  );
});

describe('files of test/fixtures/lists', () => {
  test.each([
    ...['03-ipverse-country-is-ipv6.txt', '11-maltrail-mass-scanner-head.txt', '16-tor-exit-dups-head.txt'],
    ...['19-trick77-edge-fixtures.txt', 'trap-02-own-address.txt', 'trap-05-empty.txt', 'trap-11-comments.txt'],
    ...['trap-12-bom.txt', 'trap-12-crlf.txt', 'trap-12-lone-cr.txt', 'trap-12-nbsp.txt', 'trap-12-nul.txt'],
    ...['trap-12-no-final-newline.txt', 'trap-12-stray-newlines.txt', 'trap-14-forms.txt', 'score-columns.tsv'],
  ])('%s in pieces of 1, 2, 3, 7, 64 and 1000 bytes', (file) => {
    const bytes = fixture(file);
    const whole = readAtOnce(bytes);
    for (const size of [1, 2, 3, 7, 64, 1000]) expect(readPieces(piecesOf(bytes, size)), `${size}`).toEqual(whole);
  });
});

describe('literal cuts', () => {
  const two = { entries: 2, rejected: 0, samples: [] };
  const longRejected = [{ line: 1, reason: 'line too long' }];

  test.each<[name: string, pieces: string[], report: object]>([
    ['inside an address', ['192.0', '.2.1\n192.0.2.2\n'], two],
    ['between CR and LF', ['192.0.2.1\r', '\n192.0.2.2\r', '\n'], two],
    ['between CR and the next line', ['192.0.2.1\r', '192.0.2.2\r'], two],
    ['every lone CR', ['192.0.2.1', '\r', '192.0.2.2', '\r'], two],
    ['before the last line end', ['192.0.2.1\n192.0.2.2', '\n'], two],
    ['empty pieces', ['', '192.0.2.1', '', '\n', '', '192.0.2.2', ''], two],
    [
      'a reject after CR keeps its line number',
      ['192.0.2.1\r', '192.0.2.2\rb', 'ad'],
      { entries: 2, rejected: 1, samples: [{ line: 3 }] },
    ],
    [
      'a long line that ends with the piece',
      [`${'x'.repeat(5000)}\n`, '192.0.2.1\n192.0.2.2\n'],
      { entries: 2, rejected: 1, samples: longRejected },
    ],
    [
      'a long line, its LF in the next piece',
      ['x'.repeat(5000), '\n192.0.2.1\n192.0.2.2\n'],
      { entries: 2, rejected: 1, samples: longRejected },
    ],
    [
      'a long line, CR at the end of a piece, LF after it',
      ['x'.repeat(5000), 'x\r', '\n192.0.2.1\n192.0.2.2\n'],
      { entries: 2, rejected: 1, samples: longRejected },
    ],
    [
      'a long line, lone CR at the end of a piece',
      ['x'.repeat(5000), 'x\r', '192.0.2.1\r192.0.2.2\r'],
      { entries: 2, rejected: 1, samples: longRejected },
    ],
    [
      'a long line, lone CR as a piece',
      ['x'.repeat(5000), '\r', '192.0.2.1\n192.0.2.2\n'],
      { entries: 2, rejected: 1, samples: longRejected },
    ],
    [
      'a long line at the end',
      ['192.0.2.1\n192.0.2.2\n', 'x'.repeat(5000), 'x'],
      { entries: 2, rejected: 1, samples: [{ line: 3, reason: 'line too long' }] },
    ],
    [
      'line numbers go on after a long line',
      ['x'.repeat(5000), 'x\nbad\n192.0.2.1\r\n', 'worse\n192.0.2.2'],
      { entries: 2, rejected: 3, samples: [...longRejected, { line: 2 }, { line: 4 }] },
    ],
  ])('%s', (_name, pieces, expected) => {
    const reading = readPieces(pieces.map(bytesOf));
    expect(reading.prefixes).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(reading.report).toMatchObject(expected);
  });

  test('lone CR, byte by byte, in a list longer than the longest line', () => {
    const list = Array.from({ length: 2000 }, (_, k) => `10.0.${k >> 8}.${k & 255}\r`).join('');
    const { prefixes, report } = readPieces(piecesOf(bytesOf(list), 1));
    expect(report).toMatchObject({ entries: 2000, rejected: 0 });
    // 2000 = 1024 + 512 + 256 + 128 + 64 + 16 addresses from 10.0.0.0
    expect(prefixes).toEqual([
      '10.0.0.0/22',
      '10.0.4.0/23',
      '10.0.6.0/24',
      '10.0.7.0/25',
      '10.0.7.128/26',
      '10.0.7.192/28',
    ]);
  });

  test('a line of 4096 bytes is read and one of 4097 is not, whatever ends it', () => {
    for (const end of ['', '\n', '\r\n', '\r', '\r\r']) {
      for (const [length, entries] of [
        [4096, 1],
        [4097, 0],
      ] as const) {
        const bytes = bytesOf('192.0.2.1 # '.padEnd(length, 'x') + end);
        for (const reading of [
          readAtOnce(bytes),
          readPieces(piecesAt(bytes, [length])),
          readPieces(piecesAt(bytes, [9, length + 1])),
          readPieces(piecesOf(bytes, 1)),
        ]) {
          const reasons = entries === 1 ? {} : { 'line too long': 1 };
          expect(reading.report, JSON.stringify([end, length])).toMatchObject({
            entries,
            rejected: 1 - entries,
            reasons,
          });
        }
      }
    }
  });
});
