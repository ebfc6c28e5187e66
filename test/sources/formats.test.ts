import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configJsonSchema } from '../../src/config/schema.js';
import { BlocklistError } from '../../src/errors.js';
import { readCatalogue } from '../../src/sources/feeds/catalogue.js';
import type { FormatOptions, ListFormat } from '../../src/sources/feeds/formats/contract.js';
import { FORMATS } from '../../src/sources/feeds/formats/index.js';
import { textOf } from './specs.js';

const FIXTURES = new URL('../fixtures/formats/', import.meta.url);

interface Expected {
  readonly options: FormatOptions;
  readonly prefixes: readonly string[];
  readonly counts: Readonly<Record<'entries' | 'rejected' | 'hostBits' | 'belowScore', number>>;
  readonly rejects: ReadonlyArray<readonly [line: number, text: string]>;
}

/** Reads the pieces, and overwrites each afterwards: a format must not keep a chunk. */
async function reading(format: ListFormat, pieces: readonly Uint8Array[], options: FormatOptions = {}) {
  async function* chunks() {
    for (const piece of pieces) {
      const chunk = Uint8Array.from(piece);
      yield chunk;
      chunk.fill(0x39);
    }
  }
  const { set, report } = await format.read(chunks(), options);
  return { prefixes: textOf(set), report };
}

function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const cuts = [0, ...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((cut, k) => bytes.subarray(cuts[k], cut));
}

const formats: ReadonlyArray<readonly [key: string, format: ListFormat]> = Object.entries(FORMATS);

describe.each(formats)('the format %s', (key, format) => {
  const input = new Uint8Array(readFileSync(new URL(`${key}/input.txt`, FIXTURES)));
  const cases = JSON.parse(readFileSync(new URL(`${key}/expected.json`, FIXTURES), 'utf8')) as Expected[];

  test('is called what the registry calls it, and described in a line', () => {
    expect(format.name).toBe(key);
    expect(format.description).toMatch(/^\S.{10,100}\S$/);
  });

  test.each(cases)('reads its fixture with $options', async ({ options, prefixes, counts, rejects }) => {
    const { prefixes: got, report } = await reading(format, [input], options);
    const { entries, rejected, hostBits, belowScore, samples } = report;
    expect(got).toEqual(prefixes);
    expect({ entries, rejected, hostBits, belowScore }).toEqual(counts);
    expect(samples.map(({ line, text }) => [line, text])).toEqual(rejects);
  });

  test('reads the same in whatever pieces it comes', async () => {
    const whole = await reading(format, [input]);
    expect(
      await reading(
        format,
        [...input].map((byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (offsets) => {
        expect(await reading(format, cutAt(input, offsets))).toEqual(whole);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test.each<[what: string, pieces: Uint8Array[]]>([
    ['no chunk', []],
    ['an empty chunk', [new Uint8Array(0)]],
    ['line ends', [Buffer.from('\n\r\n\n')]],
  ])('%s holds nothing', async (_, pieces) => {
    const { prefixes, report } = await reading(format, pieces);
    expect(prefixes).toEqual([]);
    expect(report).toMatchObject({ entries: 0, rejected: 0, hostBits: 0, samples: [] });
  });

  test('random bytes are read or refused with a BlocklistError, in whatever pieces', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .string({ unit: fc.constantFrom(...'0123456789./:-*#; \t\n\ra%'), maxLength: 300 })
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.nat(), { maxLength: 5 }), async (content, offsets) => {
        const told = async (pieces: readonly Uint8Array[]) => {
          try {
            return await reading(format, pieces);
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

  test('an error of the stream comes through', async () => {
    async function* breaking() {
      yield Buffer.from('192.0.2.1\n');
      throw new BlocklistError('http-failed', 'cut');
    }
    await expect(format.read(breaking(), {})).rejects.toMatchObject({ code: 'http-failed' });
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
    for (const { format } of await readCatalogue()) expect(names).toContain(format);
  });
});
