import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { extract } from '../sources/geo/samples.js';
import { refuses, sends, testServer } from '../sources/server.js';
import { blocklist, folderWith, projectWith } from './cli.js';

const COUNTRIES =
  '45.9.0.0,45.9.0.255,CN\n45.10.0.0,45.10.0.255,RU\n45.11.0.0,45.11.0.255,BR\n45.12.0.0,45.12.0.255,IN\n';
const FOUR = 'sources: {countries: {block: [cn, ru, br, in]}}\n';

describe('a database that no source asks for', () => {
  const prepared = async (folder: string) => (await readdir(join(folder, 'cache'), { recursive: true })).sort();

  test('is read by the second build, so that why need not', async () => {
    const yaml = 'sources: {custom: [{id: own, file: own.txt}]}\ngeo: {country: db.csv}\n';
    const folder = await projectWith(yaml, { 'db.csv': COUNTRIES, 'own.txt': '45.9.0.7\n' });
    await blocklist(['build'], { cwd: folder });
    expect((await prepared(folder)).some((name) => name.includes('geo-country'))).toBe(false);
    await blocklist(['build'], { cwd: folder });
    const found = (await prepared(folder)).filter((name) => name.endsWith('.parsed') && name.includes('geo-country'));
    expect(found).toHaveLength(1);
    expect((await blocklist(['why', '45.9.0.7'], { cwd: folder })).stdout).toContain('country cn');
  });

  test('damaged: the build does not mind, why tells it', async () => {
    const yaml = 'sources: {custom: [{id: own, file: own.txt}]}\ngeo: {country: db.csv}\n';
    const folder = await projectWith(yaml, { 'db.csv': 'oops\n', 'own.txt': '45.9.0.7\n' });
    await blocklist(['build'], { cwd: folder });
    expect(await blocklist(['build', '--quiet'], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
    const { status, stderr } = await blocklist(['why', '45.9.0.7'], { cwd: folder });
    expect([status, stderr.includes('country database')]).toEqual([3, true]);
  });
});

describe('a problem of a database', () => {
  test('is told once, not for each of its countries, and on the second night not again', async () => {
    const folder = await projectWith(`${FOUR}geo: {country: db.csv}\n`, { 'db.csv': COUNTRIES });
    const old = Date.now() / 1000 - 400 * 86_400;
    await utimes(join(folder, 'db.csv'), old, old);
    const { status, stderr } = await blocklist(['update', '--quiet'], { cwd: folder });
    expect(status).toBe(3);
    expect(stderr.split('\n')).toEqual([
      `geo-country: the database is 400 days old, older than the 365 days allowed (${folder}/db.csv); used all the same; it serves country-cn, country-ru, country-br and 1 more`,
      '  name a newer one under geo.country, or raise geo.max-age',
      '',
    ]);
    expect(await blocklist(['update', '--quiet'], { cwd: folder })).toMatchObject({ status: 3, stderr: '' });
  });

  test('an address that fails: last good serves, rules as before, one line', async () => {
    const server = await testServer(sends(COUNTRIES, { etag: '"1"' }));
    const folder = await projectWith(`${FOUR}geo: {country: {url: "${server.origin}/db", interval: 0s}}\n`);
    expect((await blocklist(['update'], { cwd: folder })).status).toBe(0);
    const before = await readFile(join(folder, 'rules', 'nets4.txt'), 'utf8');
    expect(before).toBe('45.9.0.0/24\n45.10.0.0/24\n45.11.0.0/24\n45.12.0.0/24\n');
    server.answer = refuses(403);
    const { status, stderr } = await blocklist(['update', '--quiet'], { cwd: folder });
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^geo-country: the server answered 403 .*; last good is used; it serves country-cn, .*\n {2}.*\n$/,
    );
    expect(await readFile(join(folder, 'rules', 'nets4.txt'), 'utf8')).toBe(before);
    const { stdout } = await blocklist(['build', '--json'], { cwd: folder });
    expect(JSON.parse(stdout).sources[0]).toMatchObject({ id: 'country-cn', data: 'kept' });
  });

  test('half of it gone: the command that takes it names the database', async () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `45.9.${i}.0,45.9.${i}.255,CN\n`).join('');
    const server = await testServer(sends(lines(40)));
    const yaml = `sources: {countries: {block: [cn]}}\ngeo: {country: {url: "${server.origin}/db", interval: 0s}}\n`;
    const folder = await projectWith(yaml);
    await blocklist(['update'], { cwd: folder });
    server.answer = sends(lines(5));
    const { status, stderr } = await blocklist(['update'], { cwd: folder });
    expect([status, stderr.includes('update --accept-change geo-country\n')]).toEqual([3, true]);
    expect((await blocklist(['update', '--accept-change', 'geo-country'], { cwd: folder })).status).toBe(0);
    expect(await readFile(join(folder, 'rules', 'nets4.txt'), 'utf8')).toBe('45.9.0.0/22\n45.9.4.0/24\n');
  });

  test('never there: nothing to use, and rules that stood are not opened', async () => {
    const server = await testServer(sends(COUNTRIES));
    const folder = await projectWith(`${FOUR}geo: {country: "${server.origin}/db"}\n`);
    await blocklist(['update'], { cwd: folder });
    const before = await readFile(join(folder, 'rules', 'nets4.txt'), 'utf8');
    const yaml = await readFile(join(folder, 'blocklist.yaml'), 'utf8');
    await writeFile(join(folder, 'blocklist.yaml'), yaml.replace('/db', '/other'));
    server.answer = refuses(500);
    const { status, stderr } = await blocklist(['update'], { cwd: folder });
    expect([status, stderr]).toEqual([4, expect.stringContaining('nothing to use; it serves country-cn')]);
    expect(await readFile(join(folder, 'rules', 'nets4.txt'), 'utf8')).toBe(before);
  });
});

test('lines of a database that are left out are counted, with --verbose the first of them, and not at night', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `45.9.${i}.0,45.9.${i}.255,7,Seven\n`).join('');
  const yaml = 'sources: {asns: [7]}\ngeo: {asn: asn.csv}\n';
  const folder = await projectWith(yaml, { 'asn.csv': `${rows}oops\u001b[31m\n45.9.0.0,45.9.0.9,8,Eight\n` });
  const line = 'geo-asn: 2 of 63 lines left out: unreadable, or they contradict another\n';
  for (let night = 0; night < 2; night++) {
    const { status, stderr } = await blocklist(['build'], { cwd: folder });
    expect([status, stderr.startsWith(line), stderr.includes('oops')]).toEqual([0, true, false]);
  }
  const { stderr } = await blocklist(['build', '--verbose'], { cwd: folder });
  expect(stderr).toContain(`${line}geo-asn:61: missing field: oops\\x1b[31m\n`);
  expect(await blocklist(['update', '--quiet'], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
});

test('a country or network that the database does not know: the next step is told', async () => {
  const yaml = 'sources: {countries: {block: [cn, uk]}, asns: [7]}\ngeo: {country: db.csv, asn: asn.csv}\n';
  const folder = await projectWith(yaml, { 'db.csv': COUNTRIES, 'asn.csv': '45.9.0.0,45.9.0.9,8,Eight\n' });
  const { status, stderr } = await blocklist(['build'], { cwd: folder });
  expect([status, stderr.split('\n').slice(0, 4)]).toEqual([
    3,
    [
      `country-uk: the country database knows no network of 'uk' (${folder}/db.csv); nothing to use`,
      '  use the two letters of ISO 3166-1, for example gb and not uk',
      `asn-7: the database of networks knows no address of AS7 (${folder}/asn.csv); nothing to use`,
      '  see blocklist feeds asn NAME; a network that announces nothing has no addresses',
    ],
  ]);
});

describe('a database that no source needs', () => {
  test('is fetched by update all the same, not before its interval, and never by build', async () => {
    const server = await testServer(sends(extract('asn-ipv4.csv')));
    const yaml = `sources: {custom: [{id: a, file: a.txt}]}\ngeo: {asn: "${server.origin}/asn"}\n`;
    const folder = await projectWith(yaml, { 'a.txt': '45.9.1.1\n' });
    expect((await blocklist(['build'], { cwd: folder })).status).toBe(0);
    expect(server.requests).toHaveLength(0);
    expect((await blocklist(['update'], { cwd: folder })).status).toBe(0);
    expect((await blocklist(['update'], { cwd: folder })).status).toBe(0);
    expect(server.requests).toHaveLength(1);
    const { sources } = JSON.parse(await readFile(join(folder, 'state', 'last-build.json'), 'utf8'));
    expect(sources.map(({ id, state }: Record<string, string>) => [id, state])).toEqual([
      ['a', 'fresh'],
      ['geo-asn', 'not-due'],
    ]);
  });

  test('its failure is told once, though a build in between does not look at it', async () => {
    const server = await testServer(refuses(403));
    const yaml = `sources: {custom: [{id: a, file: a.txt}]}\ngeo: {asn: {url: "${server.origin}/asn", interval: 0s}}\n`;
    const folder = await projectWith(yaml, { 'a.txt': '45.9.1.1\n' });
    const first = await blocklist(['update', '--quiet'], { cwd: folder });
    expect([first.status, first.stderr]).toEqual([3, expect.stringContaining('geo-asn: the server answered 403')]);
    expect(await blocklist(['build', '--quiet'], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
    expect(await blocklist(['update', '--quiet'], { cwd: folder })).toMatchObject({ status: 3, stderr: '' });
  });

  test('--source fetches it alone, and with it whatever else comes from databases', async () => {
    const server = await testServer(sends(extract('asn-ipv4.csv')));
    const yaml = `sources: {custom: [{id: a, url: "${server.origin}/a"}, {id: b, file: b.txt}]}\ngeo: {asn: "${server.origin}/asn"}\n`;
    const folder = await projectWith(yaml, { 'b.txt': '45.9.1.1\n' });
    await blocklist(['update', '--source', 'geo-asn'], { cwd: folder });
    expect(server.requests).toHaveLength(1);
    const { status, stderr } = await blocklist(['update', '--source', 'geo-country'], { cwd: folder });
    expect([status, stderr]).toEqual([2, expect.stringContaining("there is no source 'geo-country'")]);
  });
});

describe('feeds asn', () => {
  const files = { 'asn4.csv': extract('asn-ipv4.csv'), 'asn6.csv': extract('asn-ipv6.csv') };
  const project = () => projectWith('geo: {asn: [asn4.csv, asn6.csv]}', files);

  test('all words, in any case; where most of the addresses are; the largest first; a line to paste', async () => {
    const { status, stdout, stderr } = await blocklist(['feeds', 'asn', 'CHINA mobile', 'international'], {
      cwd: await project(),
    });
    expect([status, stderr]).toEqual([0, '']);
    const rows = stdout.split('\n');
    expect(rows[0]?.split(/ {2,}/)).toEqual([
      'network',
      'name',
      'country',
      'IPv4 prefixes',
      'addresses',
      'IPv6 prefixes',
      '/48s',
    ]);
    expect(rows[1]).toMatch(/^AS58453 +China Mobile International Limited +hk +\d+ +[\d,]+ +\d+ +[\d,]+$/);
    const numbers = stdout.match(/^AS\d+/gm)!;
    expect(numbers).toHaveLength(8);
    expect(rows.at(-2)).toMatch(
      new RegExp(
        `^asns: \\[${numbers.join(', ')}\\] {3}# CHINA mobile international: 8 networks, [\\d,]+ IPv4 addresses$`,
      ),
    );
    const pasted = await projectWith(`geo: {asn: [asn4.csv, asn6.csv]}\nsources:\n  ${rows.at(-2)}\n`, files);
    expect((await blocklist(['build'], { cwd: pasted })).status).toBe(0);
  });

  test('a number, as data: counts that awk and hand find in the extract', async () => {
    const { stdout } = await blocklist(['feeds', 'asn', 'as139619', '--json'], { cwd: await project() });
    expect(JSON.parse(stdout)).toEqual({
      schema: 'blocklist/networks',
      version: 1,
      words: ['as139619'],
      networks: [
        {
          asn: 139_619,
          name: 'China Mobile International Limited',
          country: 'my',
          prefixes: { v4: 1, v6: 0 },
          addresses: { v4: '256', v6: '0' },
        },
      ],
    });
  });

  test('none: exit status 1, and as data an empty list', async () => {
    const cwd = await project();
    const none = await blocklist(['feeds', 'asn', 'no', 'such', '\u001b[31mname'], { cwd });
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toBe('none of 18 networks has no such \\x1b[31mname in its name\n');
    const { status, stdout } = await blocklist(['feeds', 'asn', 'nosuch', '--json'], { cwd });
    expect([status, JSON.parse(stdout).networks]).toEqual([1, []]);
  });

  test('names are escaped', async () => {
    const cwd = await projectWith('geo: {asn: a.csv}', {
      'a.csv': '45.9.0.0,45.9.0.255,7,"evil \u001b[2J\u202e name"\n',
    });
    const { stdout } = await blocklist(['feeds', 'asn', 'evil'], { cwd });
    expect(stdout).toContain('evil \\x1b[2J\\u202e name');
  });

  test.each<[what: string, yaml: string, args: string[], status: number, words: string]>([
    ['no database', '{}', ['x'], 2, 'geo: {asn: asn.mmdb}'],
    ['never fetched', 'geo: {asn: "http://127.0.0.1:1/x"}', ['x'], 5, 'run: blocklist update'],
    ['a file that is not there', 'geo: {asn: none.csv}', ['x'], 5, 'none.csv'],
    ['no word', 'geo: {asn: a.csv}', [' '], 2, 'expected a part of a name'],
  ])('%s: an error with the next step', async (_, yaml, args, status, words) => {
    const cwd = await folderWith({ 'blocklist.yaml': `${yaml}\n`, 'a.csv': '45.9.0.0,45.9.0.255,7,X\n' });
    const env = { HOME: cwd, BLOCKLIST_CACHE_DIR: join(cwd, 'c'), BLOCKLIST_STATE_DIR: join(cwd, 's') };
    const ran = await blocklist(['feeds', 'asn', ...args], { cwd, env });
    expect([ran.status, ran.stderr]).toEqual([status, expect.stringContaining(words)]);
  });
});

test('the table tells what share of the internet each country and network is, as data too', async () => {
  const folder = await projectWith(
    'geo: {country: db.csv, asn: asn.csv}\nsources: {custom: [{id: a, file: a.txt}], countries: {block: [cn]}, asns: [7]}',
    {
      'db.csv': '45.0.0.0,45.127.255.255,CN\n2a00::,2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff,RU\n',
      'asn.csv': '45.192.0.0,45.255.255.255,7,Seven\n2a00::,2a00:3fff:ffff:ffff:ffff:ffff:ffff:ffff,7,Seven\n',
      'a.txt': '45.9.1.1\n',
    },
  );
  const { stdout } = await blocklist(['build'], { cwd: folder });
  expect(
    stdout
      .split('\n')
      .slice(0, 4)
      .map((line) => line.replaceAll(/ {2,}/g, '|')),
  ).toEqual([
    'source|entries|rejected|IPv4 addresses|of IPv4|of IPv6|only here|age|data',
    expect.stringMatching(/^a\|1\|0\|1\|0 %\|now\|fresh$/),
    expect.stringMatching(/^country-cn\|1\|0\|8,388,608\|0\.19 %\|0 %\|/),
    expect.stringMatching(/^asn-7\|2\|0\|4,194,304\|0\.09 %\|25\.00 %\|/),
  ]);
  const { sources } = JSON.parse((await blocklist(['build', '--json'], { cwd: folder })).stdout);
  expect(sources.map(({ coverage }: { coverage?: object }) => coverage)).toEqual([
    undefined,
    { v4: 2 ** 23 / 2 ** 32, v6: 0 },
    { v4: 2 ** 22 / 2 ** 32, v6: 0.25 },
  ]);
});

test('only, by a database of IPv4: that nobody comes in by IPv6 is told before it is loaded', async () => {
  const yaml = 'geo: {country: db.csv}\nsources: {countries: {only: [cn]}}';
  const line = async (text: string) => {
    const { status, stdout } = await blocklist(['build'], { cwd: await projectWith(yaml, { 'db.csv': text }) });
    return [status, stdout.split('\n').find((each) => each.startsWith('only country-cn'))];
  };
  const told = 'only country-cn may connect: 13.80 % of IPv4, with special-purpose addresses and what is allowed';
  const both = `${COUNTRIES}2a00:1000::,2a00:1000::ff,CN\n`;
  expect(await line(both)).toEqual([0, told]);
  const shut = `${told}; nobody by IPv6, of which the country database has nothing there`;
  expect(await line(COUNTRIES)).toEqual([0, shut]);
  expect(await line(both.replace(/00:1000::ff,CN/, '00:1000::ff,RU'))).toEqual([0, shut]);
});

test('why: what is special, and IPv6 that nobody is given, is no unknown country', async () => {
  const yaml = 'geo: {country: db.csv}\nsources: {countries: {block: [cn], unknown: drop}}';
  const text = '11.0.0.0,45.8.255.255,US\n45.9.0.0,45.9.0.255,CN\n46.0.0.0,255.255.255.255,US\n2600::,2600:ffff::,US\n';
  const folder = await projectWith(yaml, { 'db.csv': text });
  expect((await blocklist(['build'], { cwd: folder })).status).toBe(0);
  const asked = ['10.0.0.1', 'fd00::1', '64:ff9b::1', '4000::1', '45.9.0.1', '45.9.1.1', '2a00::1'];
  const { status, stdout } = await blocklist(['why', ...asked, '--json'], { cwd: folder });
  const { answers } = JSON.parse(stdout);
  const listed = answers.map(({ sources }: { sources: ReadonlyArray<{ id: string }> }) => sources.map(({ id }) => id));
  expect([status, listed]).toEqual([0, [[], [], [], [], ['country-cn'], ['country-unknown'], ['country-unknown']]]);
});
