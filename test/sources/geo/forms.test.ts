import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../../src/errors.js';
import { parseAddress } from '../../../src/ip/index.js';
import type { DatabaseContent, GeoKind } from '../../../src/sources/geo/contract.js';
import { FORMS } from '../../../src/sources/geo/forms/index.js';
import { askDatabase, readDatabase } from '../../../src/sources/geo/reading.js';
import { countryOfLabel } from '../../../src/sources/geo/table.js';
import { decodeDatabase, encodeDatabase } from '../../../src/sources/geo/table-columns.js';
import { tarred, zipped } from '../../io/archives.js';
import { problemOf } from '../../io/temp.js';
import { runs } from '../../ip/arbitraries.js';
import { readingOf } from './open.js';
import { ANSWERS, ROWS, SAMPLES, type Sample } from './samples.js';

const formOf = ({ form }: Sample) => FORMS.find(({ name }) => name === form)!;

/** What a table says of the addresses of ANSWERS. */
function answersOf({ tables }: DatabaseContent, kind: GeoKind) {
  return ANSWERS.map(([text]) => {
    const { family, words } = parseAddress(text);
    const label = tables[kind]?.of(family).at(words, 0);
    return label === undefined || kind === 'asn' ? label : countryOfLabel(label);
  });
}

const expected = (kind: GeoKind) => ANSWERS.map(([, country, asn]) => (kind === 'asn' ? asn : country));

test('every form has a sample, and every sample a form', () => {
  expect(new Set(SAMPLES.map(({ form }) => form))).toEqual(new Set(FORMS.map(({ name }) => name)));
});

describe.each(SAMPLES)('$form: $what', (sample) => {
  const { bytes, kinds, what } = sample;
  const form = formOf(sample);
  const read = () => readDatabase(readingOf(...kinds), bytes, what);

  test('is found by its content, by this form and no other', () => {
    expect(FORMS.filter((each) => each.fits(bytes)).map(({ name }) => name)).toEqual([form.name]);
  });

  test('says what every other one says', async () => {
    const content = await read();
    expect([content.rejected, content.samples]).toEqual([0, []]);
    for (const kind of kinds) expect(answersOf(content, kind)).toEqual(expected(kind));
    expect(content.tables.country?.networksOf(0x636e)).toBe(kinds.includes('country') ? 3 : undefined);
    if (!kinds.includes('asn')) return;
    const names = new Map(ROWS.map(([, , , asn, name]) => [asn, name]));
    for (const [asn, name] of names) expect(content.tables.asn?.nameOf(asn)).toBe(name);
    expect([content.tables.asn?.networksOf(4134), content.tables.asn?.networksOf(1)]).toEqual([3, 0]);
  });

  test('comes back from its parsed form, and from that of another key or a damaged one it does not', async () => {
    const content = await read();
    const encoded = encodeDatabase(content, 'key');
    const back = decodeDatabase(encoded, 'key')!;
    for (const kind of kinds) expect(answersOf(back, kind)).toEqual(expected(kind));
    expect({ ...back, tables: undefined }).toEqual({ ...content, tables: undefined });
    expect(encodeDatabase(back, 'key').equals(encoded), 'the same bytes again').toBe(true);
    expect(back.tables.asn?.nameOf(4134)).toBe(kinds.includes('asn') ? 'Chinanet' : undefined);
    expect(decodeDatabase(encoded, 'other')).toBeUndefined();
    expect(decodeDatabase(encoded.subarray(0, -1), 'key')).toBeUndefined();
  });

  test('asked for single addresses it says the same', async () => {
    for (const kind of kinds) {
      const ask = await askDatabase(readingOf(kind), bytes, kind, what);
      if (form.ask === undefined) {
        expect(ask).toBeUndefined();
        continue;
      }
      const labels = ANSWERS.map(([text]) => ask?.(parseAddress(text))?.label);
      expect(labels.map((label) => (label === undefined || kind === 'asn' ? label : countryOfLabel(label)))).toEqual(
        expected(kind),
      );
      if (kind === 'asn') expect(ask?.(parseAddress('45.9.0.200'))?.name).toBe('Volga, "Net" Ltd');
    }
  });

  test.each<[what: string, packed: (body: Buffer) => Buffer]>([
    ['gzip', (body) => gzipSync(body)],
    ['zip', (body) => zipped({ name: 'db', content: body })],
    ['tar in gzip', (body) => gzipSync(tarred({ name: 'GeoLite2_20260801/db', content: body }))],
  ])('packed as %s', async (_, packed) => {
    const content = await readDatabase(readingOf(...kinds), packed(bytes), what);
    for (const kind of kinds) expect(answersOf(content, kind)).toEqual(expected(kind));
  });

  test.each<GeoKind>(['country', 'asn'])('what it does not know is an error, not an empty table: %s', async (kind) => {
    const code = await codeOf(() => readDatabase(readingOf(kind), bytes, what));
    expect(code).toBe(kinds.includes(kind) ? undefined : 'bad-database');
  });

  test('cut off or with bytes changed: read, or a BlocklistError, and soon', async () => {
    const flip = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), fc.array(flip, { maxLength: 8 }), async (length, flips) => {
        const damaged = Buffer.from(bytes.subarray(0, length));
        for (const [at, byte] of flips) if (at < length) damaged[at] = byte;
        const code = await codeOf(() => readDatabase(readingOf(...kinds), damaged, what));
        expect([undefined, 'bad-database', 'bad-gzip', 'bad-archive', 'too-large']).toContain(code);
      }),
      runs(150),
    );
  });
});

/** The code of a BlocklistError, undefined when there was none; anything else is a defect and comes through. */
async function codeOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof BlocklistError) return error.code;
    throw error;
  }
}

test('random bytes are no database of any form', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      const code = await codeOf(() => readDatabase(readingOf('country'), Buffer.from(bytes), 'x'));
      expect(code).toMatch(/^bad-(database|gzip|archive)$/);
    }),
    runs(300),
  );
});

test.each<[what: string, body: string]>([
  ['nothing', ''],
  ['a web page', '<!doctype html>\n<html><body>Just a moment, 45.9.1.1</body></html>\n'],
  ['a list of addresses', '45.9.0.0/24\n45.9.1.0/24\n'],
  ['words', 'no such file, sorry\n'],
  ['JSON', '{"prefix":"45.9.0.0/24","country":"CN"}\n'],
  ['a header alone, and of something else', 'name,surname\n'],
])('%s is no database', async (_, body) => {
  const problem = await problemOf(() => readDatabase(readingOf('country'), Buffer.from(body), '/srv/x.csv'));
  expect(problem).toMatchObject({ code: 'bad-database', where: '/srv/x.csv', exitStatus: 5 });
});

test('the file that is meant in an archive of several', async () => {
  const csv = SAMPLES.find(({ what }) => what === 'MaxMind ASN')!;
  const packed = zipped(
    { name: 'GeoLite2/LICENSE.txt', content: 'read me' },
    { name: 'GeoLite2/blocks.csv', content: csv.bytes },
  );
  expect(await codeOf(() => readDatabase(readingOf('asn'), packed, 'x'))).toBe('bad-archive');
  const content = await readDatabase({ ...readingOf('asn'), member: 'blocks.csv' }, packed, 'x');
  expect(answersOf(content, 'asn')).toEqual(expected('asn'));
});

test('a database that unpacks to more than its cap', async () => {
  const packed = gzipSync(Buffer.alloc(1 << 20, 'x'));
  expect(await codeOf(() => readDatabase({ ...readingOf('asn'), maxBytes: 1000 }, packed, 'x'))).toBe('too-large');
});
