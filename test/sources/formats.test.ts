import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FormatOptions } from '../../src/config/formats.js';
import { configJsonSchema } from '../../src/config/schema.js';
import { BlocklistError } from '../../src/errors.js';
import { readCatalogue } from '../../src/sources/feeds/catalogue.js';
import type { ListFormat } from '../../src/sources/feeds/formats/contract.js';
import { FORMATS } from '../../src/sources/feeds/formats/index.js';
import { textOf } from '../ip/lists.js';

const FIXTURES = new URL('../fixtures/formats/', import.meta.url);

interface Expected {
  readonly options: FormatOptions;
  readonly prefixes: readonly string[];
  readonly counts: Readonly<Record<'entries' | 'rejected' | 'hostBits' | 'leftOut', number>>;
  readonly rejects: ReadonlyArray<readonly [line: number, text: string]>;
}

/** Reads the pieces, and overwrites each afterwards: a format must not keep a chunk. */
async function reading(format: ListFormat, pieces: readonly Uint8Array[], options: FormatOptions) {
  async function* chunks() {
    for (const piece of pieces) {
      const chunk = Uint8Array.from(piece);
      yield chunk;
      chunk.fill(0x39);
    }
  }
  const { set, nodes, report } = await format.read(chunks(), options);
  return { prefixes: textOf(set), nodes: textOf(nodes), beyond: textOf(nodes.subtract(set)), report };
}

function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const cuts = [0, ...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((cut, k) => bytes.subarray(cuts[k], cut));
}

const formats: ReadonlyArray<readonly [key: string, format: ListFormat]> = Object.entries(FORMATS);

describe.each(formats)('the format %s', (key, format) => {
  const input = new Uint8Array(readFileSync(new URL(`${key}/input.txt`, FIXTURES)));
  const cases = JSON.parse(readFileSync(new URL(`${key}/expected.json`, FIXTURES), 'utf8')) as Expected[];
  const { options } = cases[0]!;

  test('is called what the registry calls it, and described in a line', () => {
    expect(format.name).toBe(key);
    expect(format.description).toMatch(/^\S.{10,100}\S$/);
  });

  test.each(cases)('reads its fixture with $options', async ({ options: given, prefixes, counts, rejects }) => {
    const { prefixes: got, beyond, report } = await reading(format, [input], given);
    const { entries, rejected, hostBits, leftOut, samples } = report;
    expect(got).toEqual(prefixes);
    expect(beyond, 'addresses one by one that are not in the set').toEqual([]);
    expect({ entries, rejected, hostBits, leftOut }).toEqual(counts);
    expect(samples.map(({ line, text }) => [line, text])).toEqual(rejects);
  });

  test('reads the same in whatever pieces it comes', async () => {
    const whole = await reading(format, [input], options);
    expect(
      await reading(
        format,
        [...input].map((byte) => Uint8Array.of(byte)),
        options,
      ),
    ).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (offsets) => {
        expect(await reading(format, cutAt(input, offsets), options)).toEqual(whole);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test.each<[what: string, pieces: Uint8Array[]]>([
    ['no chunk', []],
    ['an empty chunk', [new Uint8Array(0)]],
    ['line ends', [Buffer.from('\n\r\n\n')]],
  ])('%s holds nothing', async (_, pieces) => {
    const { prefixes, report } = await reading(format, pieces, options);
    expect(prefixes).toEqual([]);
    expect(report).toMatchObject({ entries: 0, rejected: 0, hostBits: 0, samples: [] });
  });

  test('random bytes are read or refused with a BlocklistError, in whatever pieces', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .string({ unit: fc.constantFrom(...'0123456789./:-*#; \t\n\ra%!$|,"[]{}é\ufeff'), maxLength: 300 })
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.nat(), { maxLength: 5 }), async (content, offsets) => {
        const told = async (pieces: readonly Uint8Array[]) => {
          try {
            return await reading(format, pieces, options);
          } catch (error) {
            if (error instanceof BlocklistError) return error.code;
            throw error;
          }
        };
        expect(await told(cutAt(content, offsets))).toEqual(await told([content]));
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  test.each<[order: string, mark: number[], swapped: boolean]>([
    ['little', [0xff, 0xfe], false],
    ['big', [0xfe, 0xff], true],
  ])('UTF-16 of %s end is refused, also byte by byte', async (_, mark, swapped) => {
    const text = Buffer.from(new TextDecoder().decode(input).replace('\ufeff', ''), 'utf16le');
    const bytes = Buffer.concat([Buffer.from(mark), swapped ? text.swap16() : text]);
    await expect(reading(format, [bytes], options)).rejects.toMatchObject({ code: 'bad-encoding' });
    const single = [...bytes].map((byte) => Uint8Array.of(byte));
    await expect(reading(format, single, options)).rejects.toMatchObject({ code: 'bad-encoding' });
  });

  test('a byte order mark of UTF-8 and CRLF change nothing', async () => {
    const text = new TextDecoder().decode(input);
    const other = Buffer.from(`\ufeff${text.replace(/\r?\n/g, '\r\n')}`);
    expect(await reading(format, [other], options)).toEqual(await reading(format, [input], options));
  });

  test('an error of the stream comes through', async () => {
    async function* breaking() {
      yield Uint8Array.from(input);
      throw new BlocklistError('http-failed', 'cut');
    }
    await expect(format.read(breaking(), options)).rejects.toMatchObject({ code: 'http-failed' });
  });
});

describe('the registry', () => {
  const names = Object.keys(FORMATS).sort();

  test('has a fixture for each format, and no other', () => {
    const folders = readdirSync(FIXTURES, { withFileTypes: true }).filter((each) => each.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual(names);
  });

  test('is what the configuration offers', () => {
    const found: unknown[] = [];
    const visit = (node: unknown): void => {
      if (node === null || typeof node !== 'object') return;
      for (const [key, value] of Object.entries(node)) {
        if (key === 'format' && value !== null && typeof value === 'object' && 'enum' in value) found.push(value.enum);
        visit(value);
      }
    };
    visit(configJsonSchema());
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect([...(each as string[])].sort()).toEqual(names);
  });

  test('has the format of every feed of the catalogue', async () => {
    for (const { format } of (await readCatalogue()).feeds) expect(names).toContain(format);
  });
});
