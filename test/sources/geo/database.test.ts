import { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Loaded, Network } from '../../../src/sources/contract.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { refuses, sends, type TestServer, testServer } from '../server.js';
import { HOUR, NOON, textOf } from '../specs.js';
import { configuredAt } from './open.js';

/** Lines of an ASN database: `count` networks of AS1, one of AS2. */
const lines = (count: number) =>
  `${Array.from({ length: count }, (_, i) => `45.9.${i}.0,45.9.${i}.255,1,"One, Ltd"\n`).join('')}45.10.0.0,45.10.0.255,2,Two\n`;

const CONFIG = 'sources: {asns: [2]}\ngeo: {asn: DB}\n';

/** Loads the one source of a configuration. */
async function load(folder: string, database: string, network: Network = 'use', now = NOON): Promise<Loaded> {
  const { block } = await configuredAt(CONFIG.replace('DB', database), folder, now);
  return block[0]!.load(network);
}

const BOTH = 'sources: {asns: [2], countries: {block: [asia]}}\ngeo: {country: DB, asn: DB}\n';

const parsedIn = async (folder: string) =>
  (await readdir(join(folder, 'cache', 'databases', 'geo-asn'))).filter((name) => name.endsWith('.parsed'));

describe('a database that is a file', () => {
  async function project(text = lines(30)) {
    const folder = await tempFolder();
    const file = join(folder, 'asn.csv');
    await writeFile(file, text);
    await utimes(file, NOON / 1000 - 3600, NOON / 1000 - 3600);
    return { folder, file };
  }

  test('is as old as the file, and is read again only when the file changes', async () => {
    const { folder, file } = await project();
    expect(await load(folder, 'asn.csv')).toMatchObject({ id: 'asn-2', state: 'fresh', date: NOON - HOUR });
    const [name] = await parsedIn(folder);
    // What is in the cache now is not what the file says: whoever reads the file sees the difference.
    const kept = await readFile(join(folder, 'cache', 'databases', 'geo-asn', name!));
    await writeFile(file, lines(30).replace('45.10.0.0,45.10.0.255', '45.11.0.0,45.11.0.255'));
    const changed = await load(folder, 'asn.csv');
    expect(textOf(changed.set)).toEqual(['45.11.0.0/24']);
    expect(textOf(changed.before!)).toEqual(['45.10.0.0/24']);
    const [other, ...more] = await parsedIn(folder);
    expect([other === name, more]).toEqual([false, []]);
    await writeFile(join(folder, 'cache', 'databases', 'geo-asn', other!), kept);
    expect(textOf((await load(folder, 'asn.csv')).set)).toEqual(['45.10.0.0/24']);
  });

  test.each<[what: string, damage: (file: string) => Promise<unknown>, code: string]>([
    ['damaged', (file) => writeFile(file, 'oops\n'), 'bad-database'],
    ['empty', (file) => writeFile(file, ''), 'bad-database'],
    ['gone', (file) => rm(file), 'file-unreadable'],
    ['a folder', async (file) => [await rm(file), await mkdir(file)], 'file-unreadable'],
    ['with a tenth of its lines', (file) => writeFile(file, lines(2)), 'source-shrunk'],
    ['with ten times as many', (file) => writeFile(file, lines(250)), 'source-grown'],
    ['with lines that are none', (file) => appendFile(file, 'x\ny,z\n'), 'bad-database'],
  ])('%s: last good serves, and the problem is told', async (_, damage, code) => {
    const { folder, file } = await project();
    await load(folder, 'asn.csv');
    await damage(file);
    for (const network of ['use', 'avoid'] as const) {
      const loaded = await load(folder, 'asn.csv', network);
      expect(textOf(loaded.set)).toEqual(['45.10.0.0/24']);
      expect(loaded).toMatchObject({ state: 'kept', problem: { code, where: file } });
    }
  });

  test('damaged the first time: no set, and the line is named', async () => {
    const { folder, file } = await project(`${lines(30)}45.12.0.9,45.12.0.1,3,X\n1.2.3.4,x,4,Y\n`);
    const problem = await problemOf(() => load(folder, 'asn.csv'));
    expect(problem).toMatchObject({ code: 'bad-database', where: file });
    expect(problem.message).toContain(
      '2 of 33 lines are unreadable or contradict another, the first in line 32: range runs backwards',
    );
  });

  test('a few bad lines among many are passed over', async () => {
    const { folder } = await project(`${lines(60)}oops\n`);
    expect(textOf((await load(folder, 'asn.csv')).set)).toEqual(['45.10.0.0/24']);
  });

  test('another file in its place is no change of the first one', async () => {
    const { folder } = await project();
    await load(folder, 'asn.csv');
    await writeFile(join(folder, 'other.csv'), lines(2));
    const loaded = await load(folder, 'other.csv');
    expect([loaded.problem, loaded.before]).toEqual([undefined, undefined]);
  });

  test('the same file written anew, as npm does, is no change', async () => {
    const { folder, file } = await project();
    await load(folder, 'asn.csv');
    await rm(file);
    await writeFile(file, lines(30));
    const [loaded, again] = [await load(folder, 'asn.csv'), await load(folder, 'asn.csv')];
    expect([textOf(loaded.set), loaded.before, again.before]).toEqual([['45.10.0.0/24'], undefined, undefined]);
    expect(await parsedIn(folder)).toHaveLength(1);
  });

  test('a file of the same length, renamed into place, is seen', async () => {
    const { folder, file } = await project();
    await load(folder, 'asn.csv');
    await writeFile(`${file}.new`, lines(30).replace('45.10.0.0,45.10.0.255', '45.11.0.0,45.11.0.255'));
    await utimes(`${file}.new`, NOON / 1000 - 3600, NOON / 1000 - 3600);
    await rename(`${file}.new`, file);
    expect(textOf((await load(folder, 'asn.csv')).set)).toEqual(['45.11.0.0/24']);
  });

  test('what a killed run left goes with the next change', async () => {
    const { folder, file } = await project();
    await load(folder, 'asn.csv');
    const place = join(folder, 'cache', 'databases', 'geo-asn');
    await writeFile(join(place, '.x.parsed.tmp'), 'begun');
    await appendFile(file, '45.12.0.0,45.12.0.255,3,X\n');
    await load(folder, 'asn.csv');
    expect(await readdir(place)).toEqual(await parsedIn(folder));
  });

  test('a parsed form that is damaged is made again', async () => {
    const { folder } = await project();
    await load(folder, 'asn.csv');
    const [name] = await parsedIn(folder);
    const path = join(folder, 'cache', 'databases', 'geo-asn', name!);
    const sound = await readFile(path);
    await writeFile(path, sound.subarray(1));
    expect(textOf((await load(folder, 'asn.csv')).set)).toEqual(['45.10.0.0/24']);
    expect((await readFile(path)).equals(sound)).toBe(true);
  });
});

describe('a database that keeps its size and loses a country or network', () => {
  /** 60 networks, of which so many are of CN and AS2. */
  const text = (count: number) =>
    `network,country_code,asn\n${Array.from({ length: 60 }, (_, i) => `45.9.${i}.0/24,${i < count ? 'CN,2' : 'US,1'}\n`).join('')}`;

  test.each<[count: number, problem: string | undefined]>([
    [20, undefined],
    [19, 'country-cn: 19 entries came, last good has 40: fewer than the 50.00 % allowed'],
    [1, 'country-cn: 1 entry came, last good has 40: fewer than the 50.00 % allowed'],
    [0, 'country-cn: 0 entries came, last good has 40: fewer than the 50.00 % allowed'],
  ])('%i of 40 are left', async (count, problem) => {
    const folder = await tempFolder();
    const file = join(folder, 'db.csv');
    const load = async (yaml: string) => {
      const { block } = await configuredAt(yaml.replaceAll('DB', 'db.csv'), folder);
      return Promise.all(block.map((source) => source.load('avoid')));
    };
    await writeFile(file, text(40));
    await load(BOTH);
    await writeFile(file, text(count));
    for (const loaded of await load(BOTH)) expect(loaded.problem?.message).toBe(problem);
    // Whom nobody names may come and go.
    const [other] = await load(BOTH.replace('[2]', '[1]').replace('asia', 'us'));
    expect(other!.problem).toBeUndefined();
  });
});

describe('a database that is an address', () => {
  const far = (server: TestServer, more = '') => `{url: "${server.origin}/asn.csv.gz", interval: 0s${more}}`;

  test('is fetched once however many sources need it, and not at all where it must not be', async () => {
    const server = await testServer(sends(gzipSync(lines(30)), { etag: '"1"' }));
    const folder = await tempFolder();
    const { block } = await configuredAt(CONFIG.replace('[2]', '[2, 1]').replace('DB', far(server)), folder);
    const loaded = await Promise.all(block.map((source) => source.load('use')));
    expect(loaded.map(({ id, state, date }) => [id, state, date])).toEqual([
      ['asn-2', 'fresh', NOON],
      ['asn-1', 'fresh', NOON],
    ]);
    expect(server.requests).toHaveLength(1);
    expect(await load(folder, far(server), 'avoid')).toMatchObject({ state: 'kept', date: NOON });
    expect(server.requests).toHaveLength(1);
  });

  test('named for countries and networks it is one database, fetched once', async () => {
    const text = 'network,country_code,asn,as_name\n45.9.0.0/24,CN,AS1,One\n45.10.0.0/24,RU,AS2,Two\n';
    const server = await testServer(sends(text));
    const folder = await tempFolder();
    const yaml = `sources: {asns: [2], countries: {block: [cn]}}\ngeo: {country: DB, asn: DB}\n`;
    const { block, databases } = await configuredAt(yaml.replaceAll('DB', far(server)), folder);
    const sets = await Promise.all(block.map(async (source) => textOf((await source.load('use')).set)));
    expect(sets).toEqual([['45.9.0.0/24'], ['45.10.0.0/24']]);
    expect([server.requests.length, databases.map(({ id }) => id)]).toEqual([1, ['geo-country']]);
  });

  test('never fetched: the next step is named', async () => {
    const server = await testServer(refuses(500));
    expect(await problemOf(async () => load(await tempFolder(), far(server), 'avoid'))).toMatchObject({
      code: 'source-never-fetched',
      where: `${server.origin}/asn.csv.gz`,
      hint: 'run: blocklist update',
    });
  });

  test('304: it was confirmed, and is as old as that', async () => {
    const server = await testServer(sends(lines(30), { etag: '"1"' }));
    const folder = await tempFolder();
    await load(folder, far(server));
    server.answer = (_, response) => response.writeHead(304).end();
    const later = await load(folder, far(server), 'use', NOON + HOUR);
    expect(later).toMatchObject({ state: 'unchanged', date: NOON + HOUR });
    expect(server.requests[1]).toMatchObject({ 'if-none-match': '"1"' });
  });

  test.each<[what: string, answer: TestServer['answer'], code: string]>([
    ['500', refuses(500), 'http-failed'],
    ['403', refuses(403), 'http-failed'],
    ['a web page', sends('<!doctype html><html>45.9.1.1</html>'), 'source-html'],
    ['an empty body', sends(''), 'bad-database'],
    ['gzip cut off', sends(gzipSync(lines(30)).subarray(0, -20)), 'bad-gzip'],
    ['half of the lines gone', sends(lines(5)), 'source-shrunk'],
    ['ten times as many lines', sends(lines(250)), 'source-grown'],
    ['another kind of database', sends('45.9.0.0,45.9.0.255,CN\n'), 'bad-database'],
    ['JSON', sends('{"error": "quota"}'), 'bad-database'],
  ])('%s: last good serves, and the problem is told', async (_, answer, code) => {
    const server = await testServer(sends(lines(30)));
    const folder = await tempFolder();
    await load(folder, far(server));
    server.answer = answer;
    const loaded = await load(folder, far(server), 'use', NOON + HOUR);
    expect(textOf(loaded.set)).toEqual(['45.10.0.0/24']);
    expect(loaded).toMatchObject({ state: 'kept', date: NOON, problem: { code } });
    server.answer = sends(lines(31));
    expect((await load(folder, far(server), 'use', NOON + 2 * HOUR)).problem).toBeUndefined();
  });

  test('what changed is told, with the sets of before', async () => {
    const server = await testServer(sends(lines(30)));
    const folder = await tempFolder();
    await load(folder, far(server));
    server.answer = sends(lines(30).replace('45.10.0.0,45.10.0.255', '45.11.0.0,45.11.0.255'));
    const loaded = await load(folder, far(server), 'use', NOON + HOUR);
    expect([textOf(loaded.set), textOf(loaded.before!)]).toEqual([['45.11.0.0/24'], ['45.10.0.0/24']]);
  });

  test('the key goes where the configuration says, and nowhere else', async () => {
    const server = await testServer(sends(lines(30)));
    const folder = await tempFolder();
    await writeFile(join(folder, 'key'), 's3cret\n', { mode: 0o600 });
    await load(folder, far(server, ', key-file: key, key-header: X-Key'));
    expect(server.requests[0]).toMatchObject({ 'x-key': 's3cret' });
    const kept = await readFile(join(folder, 'cache', 'databases', 'geo-asn', 'meta.json'), 'utf8');
    expect(kept).not.toContain('s3cret');
    expect(await problemOf(() => load(folder, far(server, ', key-file: key')))).toMatchObject({
      code: 'config-invalid',
      exitStatus: 2,
    });
  });
});

describe('age', () => {
  const DAY = 24 * HOUR;

  test.each<[days: number, code: string | undefined]>([
    [365, undefined],
    [366, 'source-stale'],
  ])('a file of %i days: %s', async (days, code) => {
    const folder = await tempFolder();
    const file = join(folder, 'asn.csv');
    await writeFile(file, lines(30));
    await utimes(file, (NOON - days * DAY) / 1000, (NOON - days * DAY) / 1000);
    const { problem } = await load(folder, 'asn.csv');
    expect(problem?.code).toBe(code);
    if (problem !== undefined) {
      expect(problem.message).toBe('the database is 366 days old, older than the 365 days allowed');
      expect(problem.hint).toContain('geo.asn');
    }
  });

  test('an mmdb is as old as it says itself, whenever it was fetched; the bundled one tells the way out', async () => {
    const folder = await tempFolder();
    const yaml = 'sources: {countries: {block: [cn]}}\n';
    const young = await configuredAt(yaml, folder, Date.UTC(2026, 8, 1));
    expect((await young.block[0]!.load('avoid')).problem).toBeUndefined();
    const old = await configuredAt(yaml, folder, Date.UTC(2027, 8, 1));
    const { problem, date } = await old.block[0]!.load('avoid');
    expect(problem).toMatchObject({ code: 'source-stale', hint: expect.stringContaining('geo: {country: "https://') });
    expect(date).toBeLessThan(Date.UTC(2026, 8, 1));
  });

  test('geo.max-age is the limit', async () => {
    const folder = await tempFolder();
    const yaml = 'sources: {countries: {block: [cn]}}\ngeo: {max-age: 30d}\n';
    const { block } = await configuredAt(yaml, folder, Date.UTC(2026, 8, 1));
    expect((await block[0]!.load('avoid')).problem?.message).toContain('older than the 30 days allowed');
  });
});
