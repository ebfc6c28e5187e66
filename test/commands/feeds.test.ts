import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { testProxy } from '../sources/proxy.js';
import { sends, testServer } from '../sources/server.js';
import { run } from '../system/processes.js';
import { CLI, systemTest, WITHOUT_RIGHTS } from '../system/requirements.js';
import { blocklist, type CliOptions, folderWith, projectWith } from './cli.js';

/** In an empty folder: no configuration is found. */
async function bare(args: readonly string[], options: CliOptions = {}) {
  const cwd = options.cwd ?? (await tempFolder());
  return blocklist(['feeds', ...args], {
    ...options,
    cwd,
    env: { BLOCKLIST_CACHE_DIR: join(cwd, 'cache'), BLOCKLIST_STATE_DIR: join(cwd, 'state'), ...options.env },
  });
}

async function json(args: readonly string[], options: CliOptions = {}) {
  const { status, stdout, stderr } = await bare([...args, '--json'], options);
  return { status, stderr, data: JSON.parse(stdout) as Record<string, unknown> };
}

describe('feeds list', () => {
  test('a row a feed and a row a profile, without a configuration', async () => {
    const { status, stdout, stderr } = await bare(['list']);
    expect(status).toBe(0);
    expect(stderr).toContain('46 feeds that are no more are known by name, too');
    const rowOf = (id: string) =>
      stdout
        .split('\n')
        .find((line) => line.startsWith(`${id} `))
        ?.split(/ {2,}/);
    expect(rowOf('ipsum-4')?.slice(0, 7)).toEqual(['ipsum-4', 'block in', 'reputation', '4', '5,354', '1d', 'low']);
    expect(rowOf('ipsum-3')?.at(-1)).toBe('bundled');
    expect(rowOf('azure')?.at(-1)).toBe('not usable');
    expect(rowOf('ipinfo-lite')?.at(-1)).toBe('needs a key, for: country');
    expect(rowOf('server-basic')?.slice(0, 2)).toEqual(['server-basic', '8']);
    expect(stdout).not.toContain('cybercure');
  });

  test('as data', async () => {
    const { status, stderr, data } = await json(['list']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(data).toMatchObject({ schema: 'blocklist/feeds', version: 2 });
    expect(Object.keys(data.profiles as object)).toEqual([
      'server-basic',
      'server-strict',
      'egress',
      'web',
      'tor-policy',
    ]);
    expect(data.feeds).toHaveLength(111);
    expect(data.dead).toHaveLength(46);
  });
});

describe('feeds show', () => {
  test.each<[id: string, lines: string[]]>([
    [
      'ipsum-4',
      ['feed       ipsum-4: IPsum, on 4 or more lists', 'status     alive', 'to use it  sources: {feeds: [ipsum-4]}'],
    ],
    ['cloudflare', ['to use it  allow: {feeds: [cloudflare]}', 'use        allow, in and out; cloud']],
    ['ipdeny', ['to use it  sources: {feeds: [{id: ipdeny, for: […]}]}']],
    ['abuseipdb-api', ['key        needed: https://www.abuseipdb.com/account/api']],
    ['feodo', ['status     degraded', 'limits     1,048,576 bytes; may be empty']],
    [
      'dragon-research',
      ['status   no more: Not updated since 2016.', 'instead  dataplane-sshpwauth, dataplane-vncrfb'],
    ],
    ['jigsaw', ['instead  nothing like it']],
    ['egress', ['to use it  sources: {profile: egress}', '           malware-filter-botnet']],
  ])('%s', async (id, lines) => {
    const { status, stdout, stderr } = await bare(['show', id]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const line of lines) expect(stdout.split('\n')).toContain(line);
  });

  test('a refused feed says why, and not how it is used', async () => {
    const { stdout } = await bare(['show', 'azure']);
    expect(stdout).toContain('the address of its file changes every week');
    expect(stdout).not.toContain('to use it');
  });

  test.each<[id: string, expected: object]>([
    ['ipsum-4', { kind: 'feed', id: 'ipsum-4', format: 'plain', profiles: ['server-basic', 'server-strict', 'web'] }],
    ['jigsaw', { kind: 'dead', id: 'jigsaw', instead: [] }],
    ['tor-policy', { kind: 'profile', id: 'tor-policy', feeds: ['tor-bulk-exits'] }],
  ])('%s as data', async (id, expected) => {
    const { status, data } = await json(['show', id]);
    expect(status).toBe(0);
    expect(data).toMatchObject({ schema: 'blocklist/feed', version: 1, ...expected });
  });

  test.each<[id: string, message: string]>([
    ['ipsun-4', "there is no feed or profile 'ipsun-4', did you mean 'ipsum-4'?"],
    ['jigsav', "there is no feed or profile 'jigsav', did you mean 'jigsaw'?"],
    ['server-strikt', "there is no feed or profile 'server-strikt', did you mean 'server-strict'?"],
    ['something-quite-else', "there is no feed or profile 'something-quite-else'"],
    ['constructor', "there is no feed or profile 'constructor'"],
    ['__proto__', "there is no feed or profile '__proto__'"],
    ['\u001b[31mred', "there is no feed or profile '\\x1b[31mred'"],
  ])('%s is not known', async (id, message) => {
    const { status, stdout, stderr } = await bare(['show', id]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(`blocklist: ${message}\n  do: see feeds list\n`);
  });
});

describe('feeds test', () => {
  test('a file: what it took, and the guard that trips', async () => {
    const cwd = await folderWith({ 'list.txt': '45.9.20.1\n10.0.0.1\nexample.org\n' });
    const { status, stdout } = await bare(['test', 'list.txt'], { cwd });
    expect(status).toBe(1);
    const lines = stdout.split('\n');
    expect(lines).toContain('accepted      2 entries');
    expect(lines).toContain('              line 3: not an address: example.org');
    expect(lines).toContain('never blocked 1 addresses of it are private or special');
    expect(lines).toContain(
      'guards        source-rejects: 1 of 3 lines are unreadable, the first in line 3: not an address',
    );
    expect((await readdir(cwd)).sort()).toEqual(['list.txt']);
  });

  test('the same as data', async () => {
    const cwd = await folderWith({ 'list.txt': '45.9.20.1\n10.0.0.1/8\nexample.org\n' });
    const { status, data } = await json(['test', 'list.txt', '--as', '{guards: {max-rejects: 50%}}'], { cwd });
    expect(status).toBe(0);
    expect(data).toEqual({
      schema: 'blocklist/feed-test',
      version: 1,
      id: 'test',
      format: 'plain',
      direction: 'in',
      lists: [
        {
          where: join(cwd, 'list.txt'),
          bytes: 33,
          entries: 2,
          addresses: { v4: '16777217', v6: '0' },
          examples: ['10.0.0.0/8', '45.9.20.1'],
          rejected: 1,
          reasons: { 'not an address': 1 },
          samples: [{ line: 3, text: 'example.org', reason: 'not an address' }],
          leftOut: 0,
          hostBits: 1,
          special: '16777216',
          trailing: 0,
          guard: null,
        },
      ],
    });
  });

  test('hostile text is escaped: the sample, the name of the file', async () => {
    const name = 'a\u001b[31m.txt';
    const cwd = await folderWith({ [name]: '45.9.20.1\n\u001b]0;title\u0007\u202e\u009b31mred\n' });
    const { status, stdout, stderr } = await bare(['test', name], { cwd });
    expect(status).toBe(1);
    expect(stdout).toContain('line 2: ');
    expect(stdout).toContain('\\x1b]0;title');
    expect(stdout).toContain('a\\x1b[31m.txt');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(`${stdout}${stderr}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });

  test.each<[what: string, as: string, message: string]>([
    ['an unknown key', '{formt: csv}', "--as:1: unknown key sources.custom[0].formt, did you mean 'format'?"],
    ['an unknown format', '{format: cvs}', '--as:1: sources.custom[0].format: expected one of'],
    ['a key that is missing', '{format: csv}', '--as:1: sources.custom[0].column: expected, since format csv needs it'],
    [
      'a key of another format',
      '{column: 1}',
      '--as:1: sources.custom[0].column: expected no such key with format plain',
    ],
    ['a bad guard', '{guards: {max-rejects: 5}}', '--as:1: sources.custom[0].guards.max-rejects: expected'],
    ['the file again', '{file: b.txt}', '--as:1: '],
    ['no YAML', '{format: [}', '--as:1: '],
    ['half a map', '{', '--as'],
    ['no map', 'csv', '--as'],
  ])('wrong --as: %s', async (_, as, message) => {
    const cwd = await folderWith({ 'list.txt': '45.9.20.1\n' });
    const { status, stdout, stderr } = await bare(['test', 'list.txt', '--as', as], { cwd });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test.each([
    ['in braces', '{format: csv, column: 2, where: {"1": x}}'],
    ['without braces', 'format: csv, column: 2, where: {"1": x}'],
    ['in lines', 'format: csv\ncolumn: 2\nwhere: {"1": x}'],
  ])('--as %s', async (_, as) => {
    const cwd = await folderWith({ 'list.csv': 'x,45.9.20.1\ny,45.9.20.2\n' });
    const { status, data } = await json(['test', 'list.csv', '--as', as], { cwd });
    expect(status).toBe(0);
    expect(data.lists).toMatchObject([{ entries: 1, leftOut: 1, examples: ['45.9.20.1'] }]);
  });

  test('--as beside a feed of the catalogue or of the configuration says that it does nothing', async () => {
    const cwd = await projectWith('sources: {custom: [{id: near, file: near.txt}]}', { 'near.txt': '45.9.20.1\n' });
    const { status, stderr } = await bare(['test', 'near', '--as', '{format: nonsense}'], { cwd });
    expect(status).toBe(2);
    expect(stderr).toContain('--as');
  });

  test('an address of the loopback', async () => {
    const server = await testServer(sends('45.9.20.1;5\n45.9.20.2;1\n'));
    const { status, data } = await json([
      'test',
      `${server.origin}/x`,
      '--as',
      '{format: csv, separator: ";", column: 1}',
    ]);
    expect(status).toBe(0);
    expect(data.lists).toMatchObject([{ where: `${server.origin}/x`, bytes: 24, entries: 2, guard: null }]);
    expect(server.requests[0]?.['user-agent']).toMatch(/^blocklist\/\d+\.\d+\.\d+$/);
  });

  test('a page in place of a list: exit status 1, and why', async () => {
    const server = await testServer(sends('<!doctype html>'));
    const { status, stdout } = await bare(['test', server.origin]);
    expect(status).toBe(1);
    expect(stdout).toContain('guards        source-html: a web page came in place of a list\n');
    const { data } = await json(['test', server.origin]);
    expect(data.lists).toEqual([
      {
        where: server.origin,
        bytes: 15,
        guard: { code: 'source-html', message: 'a web page came in place of a list' },
      },
    ]);
  });

  test('a feed of the catalogue, each of its addresses, through a proxy; no configuration is needed', async () => {
    const server = await testServer((request, response) => {
      const net = request.url?.includes('dnsbl-2') ? '45.9.20.0/24' : '0.0.0.0/4';
      sends(`:127.0.0.2:listed\n${net}\n`)(request, response);
    });
    const proxy = await testProxy(server, 'to any port');
    const env = { http_proxy: `http://127.0.0.1:${proxy.port}` };
    const { status, data } = await json(['test', 'uceprotect-2-3'], { env });
    expect(status).toBe(1);
    expect(data).toMatchObject({ id: 'uceprotect-2-3', format: 'rbldnsd' });
    expect(
      (data.lists as { examples: string[]; guard: { code: string } | null }[]).map((list) => [
        list.examples,
        list.guard?.code,
      ]),
    ).toEqual([
      [['45.9.20.0/24'], undefined],
      [['0.0.0.0/4'], 'source-too-wide'],
    ]);
    expect([...new Set(proxy.asked.map(({ host }) => host.replace(/:80$/, '')))]).toEqual([
      'wget-mirrors.uceprotect.net',
    ]);
    expect(server.requests).toHaveLength(2);
    const { stdout } = await bare(['test', 'uceprotect-2-3'], { env });
    expect(stdout.match(/^list {10}uceprotect-2-3, /gm)).toHaveLength(2);
  });

  test('a source of the configuration, with its own format and guards', async () => {
    const yaml =
      'sources: {custom: [{id: near, file: near.csv, format: csv, column: 2, direction: out, guards: {max-prefix-v4: 25}}]}';
    const cwd = await projectWith(yaml, { 'near.csv': 'x,45.9.20.0/24\n' });
    const { status, data } = await json(['test', 'near'], { cwd });
    expect(status).toBe(1);
    expect(data).toMatchObject({
      id: 'near',
      format: 'csv',
      direction: 'out',
      lists: [{ guard: { code: 'source-too-wide' } }],
    });
  });

  test.each<[what: string, message: string]>([
    ['cybercure', 'take threatview-ip instead'],
    ['cins-arny', "did you mean 'cins-army'?"],
    ['ripestat-asn', 'needs the key for: AS numbers'],
    ['spamhaus-asndrop', 'cannot be used'],
  ])('%s is no list: exit status 2, and nothing of --as, which was not given', async (what, message) => {
    const { status, stdout, stderr } = await bare(['test', what]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('--as');
  });

  systemTest(
    'without any right, beside a cache that cannot be written: all that only looks works',
    ['setpriv', 'root'],
    async () => {
      const server = await testServer(sends('45.9.20.1\n'));
      const cwd = await folderWith({ 'list.txt': '45.9.20.1\n' });
      await mkdir(join(cwd, 'cache'));
      await chmod(join(cwd, 'cache'), 0o555);
      const env = ['env', `BLOCKLIST_CACHE_DIR=${cwd}/cache`, `BLOCKLIST_STATE_DIR=${cwd}/cache/state`];
      const rightless = (...args: string[]) =>
        run([...WITHOUT_RIGHTS, ...env, process.execPath, CLI, 'feeds', ...args], { cwd });
      await expect(run([...WITHOUT_RIGHTS, 'touch', join(cwd, 'cache', 'x')])).resolves.toMatchObject({ status: 1 });
      for (const args of [['list'], ['show', 'ipsum-4'], ['test', 'list.txt'], ['test', server.origin]]) {
        const { status, stderr } = await rightless(...args, '--quiet');
        expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' });
      }
      expect(await readdir(join(cwd, 'cache'))).toEqual([]);
    },
  );
});

test('what cannot be read is said: a file that is not there, a folder, a broken configuration', async () => {
  const cwd = await folderWith({ 'blocklist.yaml': 'sources: {feed: []}\n' });
  await writeFile(join(cwd, 'list.txt'), '45.9.20.1\n');
  expect(await bare(['test', 'list.txt'], { cwd })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('unknown key sources.feed'),
  });
  expect(await bare(['test', './nothere'])).toMatchObject({
    status: 5,
    stderr: expect.stringContaining('no such file'),
  });
  expect(await bare(['test', '.'])).toMatchObject({ status: 5, stderr: expect.stringContaining('not a regular file') });
});
