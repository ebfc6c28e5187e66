import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../../src/errors.js';
import { formatAddress, IpSet, type Prefix, parseAddress } from '../../../src/ip/index.js';
import { bundledCountryDatabase } from '../../../src/sources/geo/specs.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { must } from '../../system/processes.js';
import { describeSystem } from '../../system/requirements.js';
import { textOf } from '../specs.js';
import { networksIn } from './mmdb-reader.js';
import { type Database, writeMmdb } from './mmdb-writer.js';
import { countrySources, openCountries } from './open.js';

const BUNDLED = bundledCountryDatabase();

/** Each looked up with mmdblookup of libmaxminddb in the file of June 2026. */
const PLACES: ReadonlyArray<readonly [address: string, code: string | undefined]> = [
  ['8.8.8.8', 'us'],
  // a hole in databases that are made from routes alone
  ['1.0.1.5', 'cn'],
  ['175.45.176.1', 'kp'],
  ['212.77.0.10', 'va'],
  ['2a00:1450:4001::1', 'ie'],
  ['2001:67c:2e8::1', 'nl'],
  ['2001:470::1', 'us'],
  ['127.0.0.1', undefined],
  ['10.0.0.1', undefined],
  ['::1', undefined],
  ['2002:808:808::1', undefined],
];

describe('the bundled database', () => {
  test.each(PLACES)('%s is in %s', async (address, code) => {
    const database = await openCountries(BUNDLED);
    expect(database.countryOf(parseAddress(address))).toBe(code);
  });

  test('has an age', async () => {
    const { built } = await openCountries(BUNDLED);
    expect(built).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(built).toBeLessThan(Date.UTC(2100, 0, 1));
  });

  test('the networks of kp and va are those that another reader finds', async () => {
    const wanted = new Map([
      ['KP', [] as string[]],
      ['VA', []],
    ]);
    const codeOf = (record: unknown) => (record as { country_code: string }).country_code;
    for (const { text, record } of networksIn(await readFile(BUNDLED), (each) => wanted.has(codeOf(each)))) {
      wanted.get(codeOf(record))?.push(text);
    }
    const found = (await openCountries(BUNDLED)).networksOf(['kp', 'va']);
    for (const [code, texts] of wanted) {
      const country = found.get(code.toLowerCase());
      expect(texts.length).toBeGreaterThan(20);
      expect(country?.networks).toBe(texts.length);
      expect(textOf(country?.set ?? IpSet.empty)).toEqual(textOf(IpSet.from(texts)));
    }
  });

  test('the first and the last address of each network is in that country, and none is special', async () => {
    const database = await openCountries(BUNDLED);
    const lastOf = ({ family, words, length }: Prefix) => {
      const last = words.map((word, k) => {
        const host = Math.min(32, Math.max(0, 32 * (k + 1) - length));
        return host === 32 ? 0xffffffff : (word | (2 ** host - 1)) >>> 0;
      });
      return formatAddress(family, last);
    };
    for (const [code, { set }] of database.networksOf(['kp', 'va', 'mc'])) {
      for (const prefix of set.prefixes()) {
        const ends = [formatAddress(prefix.family, prefix.words), lastOf(prefix)];
        expect(ends.map((end) => [end, database.countryOf(parseAddress(end))])).toEqual(ends.map((end) => [end, code]));
      }
    }
  });

  test('countries do not overlap', async () => {
    const found = (await openCountries(BUNDLED)).networksOf(['cn', 'ru', 'us', 'de', 'kp']);
    let all = IpSet.empty;
    for (const { set } of found.values()) {
      expect(all.intersect(set).isEmpty).toBe(true);
      all = all.union(set);
    }
    expect(all.v4.share()).toBeGreaterThan(0.4);
    expect(all.v4.share()).toBeLessThan(0.9);
  });
});

describeSystem('mmdblookup of libmaxminddb', ['mmdblookup'], () => {
  test('has the same opinion on the bundled database', async () => {
    const database = await openCountries(BUNDLED);
    const addresses = Array.from({ length: 40 }, (_, i) => `${1 + i * 5}.${(i * 37) % 256}.${(i * 91) % 256}.7`);
    for (const address of [...addresses, '2a00:1450:4001::1', '2400:da00::1', '2606:4700::1']) {
      const argv = ['sh', '-c', 'mmdblookup --file "$1" --ip "$2" country_code || true', 'sh', BUNDLED, address];
      const theirs = /"([A-Z]{2})"/.exec(await must(argv))?.[1]?.toLowerCase();
      expect([address, database.countryOf(parseAddress(address))]).toEqual([address, theirs]);
    }
  });
});

describe('countrySources', () => {
  async function fileWith(database: Partial<Database>): Promise<string> {
    const file = join(await tempFolder(), 'test.mmdb');
    const networks = [
      ['192.0.2.0/25', { country_code: 'AA' }],
      ['192.0.2.128/25', { country_code: 'AA' }],
      ['2001:db8::/32', { country_code: 'BB' }],
    ] as const;
    await writeFile(file, writeMmdb({ recordSize: 24, ipVersion: 6, networks, built: 1_781_725_900, ...database }));
    return file;
  }

  test('one for each code, in its order', async () => {
    const sources = await countrySources(['bb', 'aa'], await fileWith({}), await tempFolder());
    expect(sources.map(({ id, kind, direction }) => [id, kind, direction])).toEqual([
      ['country-bb', 'country', 'in'],
      ['country-aa', 'country', 'in'],
    ]);
    const [bb, aa] = await Promise.all(sources.map((source) => source.load('avoid')));
    expect([textOf(bb!.set), textOf(aa!.set)]).toEqual([['2001:db8::/32'], ['192.0.2.0/24']]);
    expect(aa).toMatchObject({
      id: 'country-aa',
      kind: 'country',
      direction: 'in',
      counts: { entries: 2, rejected: 0, hostBits: 0, samples: [] },
      date: 1_781_725_900_000,
      state: 'fresh',
    });
  });

  test('a code that no network has', async () => {
    const file = await fileWith({});
    const [known, unknown] = await countrySources(['aa', 'uk'], file, await tempFolder());
    expect(await problemOf(() => unknown!.load('use'))).toMatchObject({
      code: 'source-empty',
      message: "the country database knows no network of 'uk'",
      where: file,
      hint: 'use the two letters of ISO 3166-1, for example gb and not uk',
    });
    expect((await known!.load('use')).counts.entries).toBe(2);
  });

  test('no code, no source, and the database is not even looked for', async () => {
    expect(await countrySources([], '/no/such/file', await tempFolder())).toEqual([]);
  });
});

describe('a file that is no database', () => {
  async function told(file: string): Promise<string> {
    try {
      const database = await openCountries(file);
      return `${database.networksOf(['aa']).size} countries`;
    } catch (error) {
      if (error instanceof BlocklistError) return error.code;
      throw error;
    }
  }

  const GOOD = writeMmdb({
    recordSize: 24,
    ipVersion: 6,
    networks: [
      ['192.0.2.0/24', { country_code: 'AA' }],
      ['2001:db8::/32', { country_code: 'BB' }],
    ],
  });
  const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

  test.each<[what: string, bytes: Uint8Array]>([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('192.0.2.0/24\n')],
    ['a web page', Buffer.from('<!doctype html><html></html>')],
    ['zeros', Buffer.alloc(100_000)],
    ['the marker alone', MARKER],
    ['an empty map behind the marker', Buffer.concat([Buffer.alloc(1000), MARKER, Buffer.from([0xe0])])],
    [
      'text behind the marker',
      Buffer.concat([GOOD.subarray(0, GOOD.lastIndexOf(MARKER)), MARKER, Buffer.from('DNope')]),
    ],
  ])('%s', async (_, bytes) => {
    const file = join(await tempFolder(), 'test.mmdb');
    await writeFile(file, bytes);
    expect(await told(file)).toBe('bad-database');
  });

  test('cut off, wherever', async () => {
    const file = join(await tempFolder(), 'test.mmdb');
    for (let length = 0; length < GOOD.length; length += 7) {
      await writeFile(file, GOOD.subarray(0, length));
      expect([length, await told(file)]).toEqual([length, 'bad-database']);
    }
    await writeFile(file, GOOD);
    expect(await told(file)).toBe('1 countries');
  });

  test('a tree that leads back to its root', async () => {
    const file = join(await tempFolder(), 'test.mmdb');
    const bytes = Buffer.from(GOOD);
    bytes.fill(0, 3, 6);
    await writeFile(file, bytes);
    expect(await told(file)).toBe('bad-database');
  });

  test('missing, or a folder', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'a.mmdb'));
    for (const name of ['a.mmdb', 'none.mmdb']) {
      const [source] = await countrySources(['cn'], join(folder, name), folder);
      expect(await problemOf(() => source!.load('avoid'))).toMatchObject({
        code: 'file-unreadable',
        where: join(folder, name),
      });
    }
  });
});
