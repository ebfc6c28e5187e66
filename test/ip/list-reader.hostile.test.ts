import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IpSetBuilder, ListReader, type ListReport, readList } from '../../src/ip/index.js';
import { runs } from './arbitraries.js';
import { codeOf } from './code-of.js';
import { bytesOf, piecesAt, piecesOf, readAtOnce, readPieces, textOf } from './lists.js';

const MIB = 1 << 20;

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Pushes the one chunk `times` times, then `tail`; gives back the growth of the heap at its highest, and what was read. */
function flood(
  chunk: Uint8Array,
  times: number,
  tail: string,
): { report: ListReport; prefixes: string[]; growth: number } {
  const builder = new IpSetBuilder();
  const reader = new ListReader(builder);
  const before = memory();
  let growth = 0;
  for (let k = 0; k < times; k++) {
    reader.push(chunk);
    growth = Math.max(growth, memory() - before);
  }
  reader.push(bytesOf(tail));
  const report = reader.end();
  return { report, prefixes: textOf(builder.build()), growth };
}

describe('endless input', () => {
  test('a line of 1 GiB is one reject and costs no memory', () => {
    const { report, prefixes, growth } = flood(new Uint8Array(MIB).fill(0x61), 1024, '\n192.0.2.1\nbad\n');
    expect(report).toMatchObject({ entries: 1, rejected: 2, reasons: { 'line too long': 1, 'not an address': 1 } });
    expect(report.samples.map(({ line, text }) => [line, text.length <= 200])).toEqual([
      [1, true],
      [3, true],
    ]);
    expect(prefixes).toEqual(['192.0.2.1']);
    expect(growth).toBeLessThan(64 * MIB);
  });

  test.each<[name: string, byte: number]>([
    ['digits', 0x31],
    ['blanks', 0x20],
    ['hashes', 0x23],
    ['NUL', 0x00],
    ['bytes beyond ASCII', 0xff],
    ['half of an NBSP', 0xc2],
    ['colons', 0x3a],
  ])('a line of 32 MiB of %s costs no memory, and the next line is read', (_name, byte) => {
    const chunk = new Uint8Array(MIB).fill(byte);
    // 0xff 0xff is no byte order mark, but 0xff 0xfe would be.
    const { report, prefixes, growth } = flood(chunk, 32, '\n192.0.2.1\n');
    expect(report.entries).toBe(1);
    expect(report.rejected).toBeLessThanOrEqual(1);
    expect(prefixes).toEqual(['192.0.2.1']);
    expect(growth).toBeLessThan(64 * MIB);
  });

  test.each<[name: string, lines: string, rejected: number]>([
    ['line feeds', '\n', 0],
    ['rejected lines', 'bad line\n', 8 * Math.floor(MIB / 9)],
    ['comments', '# x\r\n', 0],
  ])('8 MiB of %s cost no memory', (_name, lines, rejected) => {
    const chunk = bytesOf(lines.repeat(Math.floor(MIB / lines.length)));
    const { report, growth } = flood(chunk, 8, '192.0.2.1');
    expect(report).toMatchObject({ entries: 1, rejected });
    expect(report.samples.length).toBe(Math.min(5, rejected));
    expect(growth).toBeLessThan(64 * MIB);
  });

  test('16 MiB of random bytes cost no memory', () => {
    const chunk = new Uint8Array(MIB);
    for (let i = 0, state = 1; i < chunk.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      chunk[i] = state >>> 24;
    }
    const { report, growth } = flood(chunk, 16, '\n192.0.2.1');
    expect(report.entries).toBe(1);
    expect(report.rejected).toBeGreaterThan(1000);
    expect(growth).toBeLessThan(64 * MIB);
  });
});

describe('random input', () => {
  test('bytes throw nothing but a BlocklistError, whole or in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400), { maxLength: 6 }), (bytes, offsets) => {
        expect(['none', 'bad-encoding']).toContain(codeOf(() => readList(bytes)));
        expect(codeOf(() => readPieces(piecesAt(bytes, offsets)))).toBe(codeOf(() => readList(bytes)));
      }),
      runs(2000),
    );
  });

  test('a list with bytes changed, lost and added: what is read were lines of the original or differ from it in those bytes', () => {
    const lines = Array.from({ length: 60 }, (_, k) => `192.0.2.${k * 4}`);
    const bytes = bytesOf(`${lines.join('\n')}\n`);
    const held = new Set(lines);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.constantFrom(0, 1), (at, byte, replaced) => {
        const damaged = Uint8Array.of(...bytes.subarray(0, at), byte, ...bytes.subarray(at + replaced));
        fc.pre(codeOf(() => readList(damaged)) === 'none');
        const { set, report } = readList(damaged);
        const missing = lines.filter((line) => !set.has(line));
        const strange = textOf(set).filter((text) => !held.has(text));
        // One byte can spoil the line it is in and, as a lost line end, the next one.
        expect(missing.length).toBeLessThanOrEqual(2);
        expect(strange.length).toBeLessThanOrEqual(2);
        expect(report.rejected).toBeLessThanOrEqual(2);
      }),
      runs(1500),
    );
  });

  test('a line alone and the same line with a blank behind it are one entry: the shortcut for plain lines changes nothing', () => {
    const pieces = [
      '0',
      '1',
      '7',
      '10',
      '25',
      '255',
      '256',
      '00',
      '01',
      '.',
      '.',
      '.',
      '/',
      '/',
      '24',
      '32',
      '33',
      '8',
    ];
    const anyLine = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((all) => all.join('')),
      fc
        .tuple(fc.ipV4(), fc.constantFrom('', '/', '.', '0'), fc.oneof(fc.constant(''), fc.nat(40).map(String)))
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 6 }), (lines) => {
        const [plain, blank] = ['\n', ' \n'].map((end) =>
          readAtOnce(bytesOf(lines.map((line) => line + end).join(''))),
        );
        const { entries, rejected, reasons, hostBits, widest } = blank!.report;
        expect(plain!.prefixes).toEqual(blank!.prefixes);
        expect(plain!.report).toMatchObject({ entries, rejected, reasons, hostBits, widest });
        expect(plain!.report.samples.map(({ line }) => line)).toEqual(blank!.report.samples.map(({ line }) => line));
      }),
      runs(3000),
    );
  });

  test('samples stay five and short', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 400 }), { maxLength: 40 }), (lines) => {
        const bytes = bytesOf(lines.join('\n'));
        const { samples, rejected, reasons } = readAtOnce(bytes).report;
        expect(samples.length).toBe(Math.min(5, rejected));
        expect(Object.values(reasons).reduce((sum, n) => sum + n, 0)).toBe(rejected);
        for (const { text } of samples) expect(text.length).toBeLessThanOrEqual(200);
        const numbers = samples.map(({ line }) => line);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      }),
      runs(300),
    );
  });
});

/** `text` as UTF-16. */
function utf16(text: string, order: 'LE' | 'BE', mark: boolean): Uint8Array {
  const codes = [...(mark ? '\ufeff' : ''), ...text].map((letter) => letter.charCodeAt(0));
  return Uint8Array.from(codes.flatMap((code) => (order === 'LE' ? [code & 255, code >> 8] : [code >> 8, code & 255])));
}

describe.each(['LE', 'BE'] as const)('UTF-16%s', (order) => {
  const list = '192.0.2.1\n192.0.2.2\n';

  test.each<[name: string, bytes: Uint8Array]>([
    ['a list', utf16(list, order, true)],
    ['one letter', utf16('1', order, true)],
    ['the mark alone', utf16('', order, true)],
    ['the mark and half a letter', utf16('1', order, true).subarray(0, 3)],
  ])('with byte order mark: %s is refused as a whole, however it is cut', (_name, bytes) => {
    expect(codeOf(() => readList(bytes))).toBe('bad-encoding');
    for (const size of [1, 2, 3, 5])
      expect(
        codeOf(() => readPieces(piecesOf(bytes, size))),
        `${size}`,
      ).toBe('bad-encoding');
    expect(codeOf(() => readPieces([new Uint8Array(0), bytes]))).toBe('bad-encoding');
  });

  test('without byte order mark nothing is read, and the lines are rejected', () => {
    const { prefixes, report } = readAtOnce(utf16(list, order, false));
    expect(prefixes).toEqual([]);
    // Little endian leaves the second half of the last line feed as a line of its own.
    expect(report).toMatchObject({ entries: 0, rejected: order === 'LE' ? 3 : 2 });
  });
});

test('the bytes of a UTF-16 mark anywhere else are text', () => {
  for (const mark of [
    [0xff, 0xfe],
    [0xfe, 0xff],
  ]) {
    const { prefixes, report } = readAtOnce(
      Uint8Array.of(...bytesOf('192.0.2.1\n'), ...mark, ...bytesOf('\n192.0.2.2\n')),
    );
    expect(prefixes).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(report).toMatchObject({ rejected: 1, samples: [{ line: 2 }] });
  }
});
