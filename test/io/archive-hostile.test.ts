import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../src/errors.js';
import { openBody } from '../../src/io/archive.js';
import { deflatedZeros, gzipped, tarred, type ZipFile, zipped } from './archives.js';
import { problemOf } from './temp.js';

const LIST = '192.0.2.1\n192.0.2.2\n';
const MIB = 1 << 20;

function open(body: Buffer, cap = MIB): Promise<{ readonly bytes: Buffer; readonly trailing: number }> {
  return openBody(body, { cap, where: 'WHERE' });
}

async function told(body: Buffer, cap = MIB): Promise<string> {
  try {
    return (await open(body, cap)).bytes.toString('latin1');
  } catch (error) {
    if (error instanceof BlocklistError) return error.code;
    throw error;
  }
}

describe('the cap', () => {
  const four = 'abcd';
  test.each<[what: string, body: Buffer, cap: number, result: string]>([
    ['gzip, exactly', gzipped(four), 4, four],
    ['gzip, one more', gzipped(four), 3, 'too-large'],
    ['gzip twice, exactly at the inner layer', gzipped(gzipped(four)), gzipped(four).length, four],
    ['gzip twice, the inner layer alone is too large', gzipped(gzipped(four)), gzipped(four).length - 1, 'too-large'],
    ['two members, exactly', Buffer.concat([gzipped(four), gzipped(four)]), 8, four + four],
    ['two members, one more', Buffer.concat([gzipped(four), gzipped(four)]), 7, 'too-large'],
    ['a full member, then an empty one', Buffer.concat([gzipped(four), gzipped('')]), 4, four],
    ['a full member, then one byte', Buffer.concat([gzipped(four), gzipped('e')]), 4, 'too-large'],
    [
      'a full member, then ten bytes, one by one',
      Buffer.concat([gzipped(four), ...[...'0123456789'].map((c) => gzipped(c))]),
      4,
      'too-large',
    ],
    ['zip, exactly', zipped({ name: 'x', content: four }), 4, four],
    ['zip, one more', zipped({ name: 'x', content: four }), 3, 'too-large'],
    ['zip, stored, exactly', zipped({ name: 'x', content: four, method: 0 }), 4, four],
    ['zip, stored, one more', zipped({ name: 'x', content: four, method: 0 }), 3, 'too-large'],
    ['gzip in a zip', zipped({ name: 'x', content: gzipped('a'.repeat(1000)) }), 999, 'too-large'],
    ['plain, exactly', Buffer.from(four), 4, four],
    ['plain, one more', Buffer.from(four), 3, 'too-large'],
    ['tar, exactly', tarred({ name: 'x', content: four }), 4, four],
    ['tar, one more', tarred({ name: 'x', content: four }), 3, 'too-large'],
    ['tar.gz, exactly', gzipped(tarred({ name: 'x', content: four })), 2048, four],
    ['tar.gz, the tar alone is too large', gzipped(tarred({ name: 'x', content: four })), 2047, 'too-large'],
  ])('%s', async (_, body, cap, result) => {
    expect(await told(body, cap)).toBe(result);
  });

  test('it is told, with the hint to raise it', async () => {
    expect(await problemOf(() => open(gzipped(Buffer.alloc(2 * MIB))))).toMatchObject({
      code: 'too-large',
      message: 'the list is larger than 1,048,576 bytes',
      where: 'WHERE',
    });
  });
});

describe('bombs', () => {
  /** A gibibyte of zeros in a mebibyte. */
  const zeros = deflatedZeros(1024);
  const size = 2 ** 30;
  const gzip = gzipped('', { deflated: zeros, size });
  const tar = Buffer.concat([tarred({ name: 'x', size: 2 ** 29 }).subarray(0, 512)]);

  test.each<[what: string, body: Buffer]>([
    ['a gzip', gzip],
    ['a gzip in a gzip', gzipped(gzip)],
    ['a gzip in a zip', zipped({ name: 'x', content: gzip, method: 0 })],
    ['the second member of a gzip', Buffer.concat([gzipped(LIST), gzip])],
    ['a zip that says so', zipped({ name: 'x', packed: zeros, size })],
    ['a zip in a gzip', gzipped(zipped({ name: 'x', packed: zeros, size }))],
    ['a zip that lies', zipped({ name: 'x', packed: zeros, size: 1000 })],
    ['a zip that says less than the cap', zipped({ name: 'x', packed: zeros, size: 3 * MIB })],
    ['a tar that says so, in a gzip', gzipped('', { deflated: Buffer.concat([storedBlock(tar), zeros]) })],
  ])('%s is refused without unpacking it', async (what, body) => {
    const before = process.resourceUsage().maxRSS;
    const code = await told(body, 4 * MIB);
    expect(code).toBe(what.startsWith('a zip that ') && !what.endsWith('so') ? 'bad-archive' : 'too-large');
    // KiB
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024);
  });

  test('many small members are read in a time that fits their number', async () => {
    const members = Buffer.concat(Array.from({ length: 20_000 }, () => gzipped('')));
    const begun = performance.now();
    expect(await told(members)).toBe('');
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

/** RFC 1951 section 3.2.4: a block that is not the last one, as it is. */
function storedBlock(data: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt16LE(data.length, 1);
  header.writeUInt16LE(data.length ^ 0xffff, 3);
  return Buffer.concat([header, data]);
}

describe('zip', () => {
  test.each<[what: string, file: Partial<ZipFile>]>([
    ['encrypted', { flags: 1 }],
    ['strongly encrypted', { flags: 0x41 }],
    ['a wrong checksum', { crc: 1 }],
    ['a wrong checksum of a stored file', { crc: 1, method: 0 }],
    ['a length too small', { size: LIST.length - 1 }],
    ['a length too large', { size: LIST.length + 1 }],
    ['a length of nothing', { size: 0 }],
    ['a length too small of a stored file', { size: LIST.length - 1, method: 0 }],
    ['an unknown method', { method: 99 }],
    ['a method that nobody reads here', { method: 12 }],
    ['data that is not deflated', { packed: Buffer.from(LIST) }],
    ['data that is cut off', { packed: Buffer.from([0x33, 0xb4]) }],
    ['no data', { packed: Buffer.alloc(0) }],
  ])('refused: %s', async (_, file) => {
    const problem = await problemOf(() => open(zipped({ name: 'list.txt', content: LIST, ...file })));
    expect(problem).toMatchObject({ code: 'bad-archive', where: 'WHERE', exitStatus: 5 });
  });

  test.each([0, 8])('with any bit turned over it is refused, or the same list, method %i', async (method) => {
    const whole = zipped({ name: 'list.txt', content: LIST, method });
    for (let bit = 32; bit < whole.length * 8; bit++) {
      const body = Buffer.from(whole);
      body[bit >> 3] = body[bit >> 3]! ^ (1 << (bit & 7));
      expect([bit, await told(body)]).toEqual([bit, expect.toBeOneOf([LIST, 'bad-archive', 'too-large'])]);
    }
  });
});

describe('tar', () => {
  test('with any bit of its header turned over it is refused, or no tar', async () => {
    const whole = tarred({ name: 'list.txt', content: LIST });
    for (let bit = 0; bit < 512 * 8; bit++) {
      const body = Buffer.from(whole);
      body[bit >> 3] = body[bit >> 3]! ^ (1 << (bit & 7));
      const got = await told(body);
      const isTar = body.toString('latin1', 257, 262) === 'ustar';
      // Blanks and zeros before the sum, and what is behind it, do not change it.
      const isSum = bit >= 148 * 8 && bit < 156 * 8;
      const right = !isTar ? body.toString('latin1') : isSum ? expect.toBeOneOf([LIST, 'bad-archive']) : 'bad-archive';
      expect([bit, got]).toEqual([bit, right]);
    }
  });
});

describe('bytes that nobody packed', () => {
  const bytes = fc.uint8Array({ maxLength: 2000 });
  const packed: Readonly<Record<string, (content: Buffer) => Buffer>> = {
    'the magic of gzip': (content) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), content]),
    'a header of gzip': (content) => Buffer.concat([Buffer.from('\x1f\x8b\x08\0\0\0\0\0\0\x03', 'latin1'), content]),
    'the magic of zip': (content) => Buffer.concat([Buffer.from('PK\x03\x04'), content]),
    'a header of tar': (content) => Buffer.concat([tarred({ name: 'x' }).subarray(0, 512), content]),
    'nothing before': (content) => content,
  };
  test.each(Object.entries(packed))('%s: a list or a BlocklistError', async (_, pack) => {
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        expect((await told(pack(Buffer.from(content)))).length).toBeLessThanOrEqual(MIB);
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  test('an archive with pieces overwritten: a list or a BlocklistError', async () => {
    const wholes = [
      gzipped(LIST, { name: 'x' }),
      zipped({ name: 'a', content: LIST }),
      tarred({ name: 'a', content: LIST }),
      gzipped(tarred({ name: 'a', content: LIST })),
      zipped({ name: 'a', content: gzipped(LIST) }, { name: 'b/' }),
    ];
    const patch = fc.tuple(fc.nat(5000), fc.uint8Array({ minLength: 1, maxLength: 8 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...wholes),
        fc.array(patch, { minLength: 1, maxLength: 4 }),
        async (whole, patches) => {
          const body = Buffer.from(whole);
          for (const [at, piece] of patches) Buffer.from(piece).copy(body, at % body.length);
          expect((await told(body)).length).toBeLessThanOrEqual(MIB);
        },
      ),
      { numRuns: 1500, seed: 5 },
    );
  });
});
