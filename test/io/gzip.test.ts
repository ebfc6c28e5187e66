import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../src/errors.js';
import { unpacked } from '../../src/io/gzip.js';
import { allOf, piecewise, problemOf } from './temp.js';

/** Files made by gzip(1) and cat(1), not by the library under test; the README beside them tells how. */
function fixture(name: string): Promise<Buffer> {
  return readFile(new URL(`../fixtures/gzip/${name}`, import.meta.url));
}

const MIB = 1 << 20;

async function unpack(cap: number, ...pieces: readonly (Uint8Array | string)[]): Promise<string> {
  return (await allOf(unpacked(piecewise(...pieces), cap, 'WHERE'))).toString('latin1');
}

describe('files of gzip(1)', () => {
  test.each<[name: string, text: string]>([
    ['one.txt.gz', '192.0.2.1\n192.0.2.2\n'],
    // RFC 1952 section 2.2: a file consists of a series of members
    ['two-members.txt.gz', '192.0.2.1\n192.0.2.2\n198.51.100.1\n'],
    ['with-name-and-comment.gz', '192.0.2.1\n'],
    ['empty-text.gz', ''],
    // tape blocks, gzip(1): "trailing zero padding"
    ['zeros-behind.txt.gz', '192.0.2.1\n192.0.2.2\n'],
  ])('%s', async (name, text) => {
    const bytes = await fixture(name);
    expect(await unpack(MIB, bytes)).toBe(text);
    expect(await unpack(MIB, ...[...bytes].map((byte) => Uint8Array.of(byte)))).toBe(text);
  });

  test.each(['cut-in-header.gz', 'cut-off.txt.gz', 'second-member-cut.gz', 'wrong-checksum.gz', 'error-behind.txt.gz'])(
    '%s is refused',
    async (name) => {
      const problem = await problemOf(async () => unpack(MIB, await fixture(name)));
      expect(problem).toMatchObject({ code: 'bad-gzip', where: 'WHERE', exitStatus: 5 });
    },
  );
});

describe('what is not packed goes through as it is', () => {
  test.each<[what: string, pieces: string[]]>([
    ['no chunk', []],
    ['one empty chunk', ['']],
    ['empty chunks between', ['', '1', '', '2', '']],
    ['one byte', ['a']],
    ['the first byte of the magic alone', ['\x1f']],
    ['text', ['192.0.2.1\n', '192.0.2.2\n']],
  ])('%s', async (_, pieces) => {
    expect(await unpack(MIB, ...pieces)).toBe(pieces.join(''));
  });

  test('the magic decides, in whatever chunks it comes', async () => {
    const packed = gzipSync('text');
    expect(await unpack(MIB, '', packed.subarray(0, 1), '', packed.subarray(1, 2), packed.subarray(2))).toBe('text');
  });

  test('a list packed twice is unpacked once', async () => {
    const once = gzipSync('text');
    expect(await unpack(MIB, gzipSync(once))).toBe(once.toString('latin1'));
  });
});

describe('the cap', () => {
  test.each<[what: string, cap: number, pieces: (Uint8Array | string)[], result: string]>([
    ['plain, exactly', 4, ['ab', 'cd'], 'abcd'],
    ['plain, one more', 3, ['ab', 'cd'], 'too-large'],
    ['packed, exactly', 4, [gzipSync('abcd')], 'abcd'],
    ['packed, one more', 3, [gzipSync('abcd')], 'too-large'],
    ['two members together', 7, [gzipSync('abcd'), gzipSync('abcd')], 'too-large'],
  ])('%s', async (_, cap, pieces, result) => {
    const got = await unpack(cap, ...pieces).catch((error: unknown) => {
      if (error instanceof BlocklistError) return error.code;
      throw error;
    });
    expect(got).toBe(result);
  });

  test('a bomb stops at the cap, not at its end', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB));
    let seen = 0;
    const problem = await problemOf(async () => {
      for await (const chunk of unpacked(piecewise(bomb), MIB, 'WHERE')) seen += chunk.length;
    });
    expect(problem).toMatchObject({ code: 'too-large', where: 'WHERE' });
    expect(seen).toBeLessThanOrEqual(MIB);
  });
});

describe('the stream behind it', () => {
  test('its error comes through as it is', async () => {
    async function* breaking() {
      yield gzipSync('x'.repeat(1000)).subarray(0, 12);
      throw new BlocklistError('http-failed', 'cut');
    }
    const problem = await problemOf(() => allOf(unpacked(breaking(), MIB, 'WHERE')));
    expect(problem).toMatchObject({ code: 'http-failed', message: 'cut' });
  });

  test.each<[what: string, first: Uint8Array]>([
    ['plain', Buffer.from('ab')],
    ['packed', gzipSync('ab')],
  ])('it is closed when the reader stops early: %s', async (_, first) => {
    let closed = false;
    async function* endless() {
      try {
        for (;;) yield first;
      } finally {
        closed = true;
      }
    }
    for await (const chunk of unpacked(endless(), MIB, 'WHERE')) if (chunk.length > 0) break;
    await expect.poll(() => closed).toBe(true);
  });
});
