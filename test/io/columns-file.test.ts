import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeColumns, encodeColumns } from '../../src/io/columns-file.js';

const SMALL = { header: { key: 'k' }, columns: [Uint32Array.of(1, 0xffffffff), Uint32Array.of(), Uint32Array.of(7)] };

/** Content of one page at most with checksums that fit. */
function sealed(content: string | Buffer): Buffer {
  const sum = (bytes: Buffer) => {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(crc32(bytes));
    return word;
  };
  const bytes = Buffer.from(content);
  const ofPage = bytes.length === 0 ? Buffer.alloc(0) : sum(bytes);
  return Buffer.concat([bytes, ofPage, sum(ofPage)]);
}

describe('what was encoded comes back', () => {
  test('for any header of JSON and any columns', () => {
    const column = fc
      .array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 40 })
      .map((words) => Uint32Array.from(words));
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(column, { maxLength: 9 }), (header, columns) => {
        const file = decodeColumns(encodeColumns({ header, columns }));
        expect(JSON.stringify(file?.header)).toBe(JSON.stringify(header));
        expect(file?.columns).toEqual(columns);
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  test.each<[what: string, header: unknown]>([
    ['line ends', 'a\nb\r\n'],
    ['other letters', { bücher: '例' }],
    ['half of a pair', '\ud800'],
    ['nothing', null],
    ['no header', undefined],
    ['a long text', 'x'.repeat(100_000)],
  ])('a header with %s', (_, header) => {
    const file = decodeColumns(encodeColumns({ header, columns: [Uint32Array.of(3)] }));
    expect(file).toEqual({ header, columns: [Uint32Array.of(3)] });
  });

  test('wherever the bytes stand in memory', () => {
    const bytes = encodeColumns(SMALL);
    for (let offset = 0; offset < 8; offset++) {
      const room = Buffer.alloc(bytes.length + 16, 0xaa);
      bytes.copy(room, offset);
      expect(decodeColumns(room.subarray(offset, offset + bytes.length))).toEqual(SMALL);
    }
  });

  test('a column that is a part of a larger one', () => {
    const column = Uint32Array.of(1, 2, 3, 4, 5).subarray(1, 4);
    expect(decodeColumns(encodeColumns({ header: 0, columns: [column] }))?.columns).toEqual([Uint32Array.of(2, 3, 4)]);
  });

  test('as columns of their own: neither the bytes nor another column change with them', () => {
    const bytes = encodeColumns(SMALL);
    const copy = Buffer.from(bytes);
    const { columns } = decodeColumns(bytes)!;
    columns[0]!.fill(9);
    expect(columns[2]).toEqual(Uint32Array.of(7));
    bytes.fill(0);
    expect(columns[2]).toEqual(Uint32Array.of(7));
    expect(decodeColumns(copy)).toEqual(SMALL);
  });

  test('large columns', () => {
    const column = new Uint32Array(1_000_000).map((_, i) => i * 4099);
    expect(decodeColumns(encodeColumns({ header: 1, columns: [column] }))?.columns[0]).toEqual(column);
  });
});

describe('what is not as it was encoded is nothing', () => {
  const bytes = encodeColumns(SMALL);

  test('any bit turned over', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const other = Buffer.from(bytes);
      other[bit >> 3] = other[bit >> 3]! ^ (1 << (bit & 7));
      expect([bit, decodeColumns(other)]).toEqual([bit, undefined]);
    }
  });

  test('cut off, at either end', () => {
    for (let size = 0; size < bytes.length; size++) {
      expect([size, decodeColumns(bytes.subarray(0, size))]).toEqual([size, undefined]);
      expect([size, decodeColumns(bytes.subarray(bytes.length - size))]).toEqual([size, undefined]);
    }
  });

  test.each<[what: string, other: Buffer]>([
    ['something behind', Buffer.concat([bytes, Buffer.from('x')])],
    ['itself behind', Buffer.concat([bytes, bytes])],
    ['zeros of this size', Buffer.alloc(bytes.length)],
    ['zeros as many as a checksum has bytes', Buffer.alloc(4)],
    ['a block of zeros', Buffer.alloc(4096)],
    [
      'zeros from the middle on',
      Buffer.concat([bytes.subarray(0, bytes.length >> 1), Buffer.alloc(bytes.length >> 1)]),
    ],
    ['text', Buffer.from('192.0.2.1\n'.repeat(10))],
  ])('%s', (_, other) => {
    expect(decodeColumns(other)).toBeUndefined();
  });

  /** A header that would be right, but for the changes. */
  const head = (changes: object, data = Buffer.alloc(4)) => {
    const magic = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf('\n'))).magic;
    const line = JSON.stringify({ magic, endianness: endianness(), sizes: [1], header: 5, ...changes });
    return sealed(Buffer.concat([Buffer.from(`${line}\n`), data]));
  };

  test('the helper of this test makes a file that is right', () => {
    expect(decodeColumns(head({}))).toEqual({ header: 5, columns: [Uint32Array.of(0)] });
  });

  test.each<[what: string, other: Buffer]>([
    ['another program wrote it', head({ magic: 'other 1' })],
    ['another version wrote it', head({ magic: 'blocklist-columns 0' })],
    ['a machine of the other byte order wrote it', head({ endianness: endianness() === 'LE' ? 'BE' : 'LE' })],
    ['no sizes', head({ sizes: undefined })],
    ['sizes beyond the end', head({ sizes: [2] })],
    ['a size below zero', head({ sizes: [-1] })],
    ['a size that is no number', head({ sizes: ['x'] })],
    ['data left over', head({ sizes: [] })],
    ['nothing', sealed('')],
    ['a line end', sealed('\n')],
    ['no line end', sealed('{}')],
    ['a header that is no JSON', sealed('192.0.2.1\n192.0.2.2\n')],
    ['null', sealed('null\n')],
    ['a list', sealed('[]\n')],
  ])('a checksum that fits, but %s', (_, other) => {
    expect(decodeColumns(other)).toBeUndefined();
  });
});
