import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OLD } from '../sources/faults.js';
import { testProxy } from '../sources/proxy.js';
import { type Answer, redirects, refuses, sends, testServer } from '../sources/server.js';
import type { Ran } from '../system/processes.js';
import { farProject, nodesOf, update } from './far.js';

const KEY = 'Tr0ub4dor-3';

async function keyProject(url: string, keys = ''): Promise<string> {
  const folder = await farProject(url, `key-file: key${keys}`, 'fetch: {deadline: 3s}', { key: `${KEY}\n` });
  await chmod(join(folder, 'key'), 0o600);
  return folder;
}

/** The files below the folder that hold the key, but for the file that is there to hold it. */
async function leaksIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'latin1')));
  return paths.filter((path, i) => path !== join(folder, 'key') && texts[i]?.includes(KEY) === true);
}

async function requireSecret(folder: string, ...runs: readonly Ran[]): Promise<void> {
  for (const { stdout, stderr } of runs) expect(`${stdout}${stderr}`).not.toContain(KEY);
  expect(await leaksIn(folder)).toEqual([]);
}

test('what looks for leaks finds one', async () => {
  const folder = await keyProject('http://127.0.0.1:1/list?key={key}');
  await writeFile(join(folder, 'leak'), `x${KEY}x`);
  expect(await leaksIn(folder)).toEqual([join(folder, 'leak')]);
});

describe('a key in the address', () => {
  test('is sent, and shown nowhere: not when all is well, and not in the words of a failure', async () => {
    const asked: (string | undefined)[] = [];
    const server = await testServer((request, response) => {
      asked.push(request.url);
      sends(OLD)(request, response);
    });
    const folder = await keyProject(`${server.origin}/list?key={key}`);
    const well = await update(folder, ['--verbose']);
    expect(well.status).toBe(0);
    expect(asked).toEqual([`/list?key=${KEY}`]);
    const rest = [];
    for (const answer of [refuses(403), sends(''), sends('<html>'), redirects(() => 'file:///x'), () => undefined]) {
      server.answer = answer as Answer;
      rest.push(await update(folder, ['--verbose', '--force']), await update(folder, ['--force', '--json']));
    }
    await server.stop();
    rest.push(await update(folder, ['--verbose', '--force']));
    expect(rest.map(({ status }) => status)).toEqual(Array(11).fill(3));
    await requireSecret(folder, well, ...rest);
  });

  test.each<[what: string, location: (path: string, origin: string) => string, then: Answer]>([
    ['to a page that names it, which is refused', (path) => `/login?next=${path}`, refuses(403)],
    ['to a page that names it in another writing', () => `/login?next=%54r0ub4dor-3`, refuses(403)],
    ['to a page that names it, which is empty', (path) => `/login?next=${path}`, sends('')],
    ['to a private address', (path) => `http://10.255.255.1${path}`, refuses(500)],
    ['to a file', (path) => `file://${path}`, refuses(500)],
    ['round and round', (path) => `${path}1`, redirects((path) => `${path}1`)],
    ['where nobody listens', (path) => `http://127.0.0.1:1${path}`, refuses(500)],
  ])('is not shown when the server repeats it and leads on %s', async (_, location, then) => {
    const server = await testServer((request, response) => {
      const { url = '' } = request;
      if (url.startsWith('/list?')) redirects(() => location(url, server.origin))(request, response);
      else then(request, response);
    });
    const folder = await keyProject(`${server.origin}/list?key={key}`);
    const ran = [await update(folder, ['--verbose']), await update(folder, ['--json', '--force'])];
    expect(ran.map(({ status }) => status)).toEqual([3, 3]);
    expect(ran[0]?.stderr).toMatch(/^far: .+; nothing to use$/m);
    await requireSecret(folder, ...ran);
    expect(`${ran[0]?.stderr}`).not.toContain('%54r0ub4dor-3');
  });
});

describe('a key in a header', () => {
  const HEADER = ', key-header: X-Api-Key';

  test('is sent, and shown nowhere', async () => {
    const server = await testServer(sends(OLD));
    const folder = await keyProject(`${server.origin}/list`, HEADER);
    const well = await update(folder, ['--verbose']);
    expect(well.status).toBe(0);
    expect(server.requests.map((headers) => headers['x-api-key'])).toEqual([KEY]);
    server.answer = refuses(401, KEY);
    const refused = await update(folder, ['--verbose']);
    expect(refused.status).toBe(3);
    await requireSecret(folder, well, refused);
  });

  test('is sent again on the same server, and not to another name', async () => {
    const server = await testServer(({ headers: { host }, url }, response) => {
      const to = url === '/list' ? '/here' : 'http://other.example.test/list';
      if (host === 'other.example.test') sends(OLD)({} as never, response);
      else redirects(() => to)({} as never, response);
    });
    const { port } = await testProxy(server, 'to any port');
    const folder = await keyProject('http://feeds.example.test/list', HEADER);
    const ran = await update(folder, ['--verbose'], { http_proxy: `http://127.0.0.1:${port}` });
    expect(ran.status).toBe(0);
    expect(server.requests.map(({ host, 'x-api-key': key }) => [host, key])).toEqual([
      ['feeds.example.test', KEY],
      ['feeds.example.test', KEY],
      ['other.example.test', undefined],
    ]);
    expect(await nodesOf(folder)).toBe(`${OLD}5.6.7.10\n`);
    await requireSecret(folder, ran);
  });

  test.each(['feeds.example.test.evil.test', 'evil-feeds.example.test', 'example.test', 'feeds.example.test.'])(
    'is not sent to %s, which only looks alike',
    async (name) => {
      const server = await testServer((request, response) => {
        if (request.headers.host === 'feeds.example.test') redirects(() => `http://${name}/list`)(request, response);
        else sends(OLD)(request, response);
      });
      const { port } = await testProxy(server, 'to any port');
      const folder = await keyProject('http://feeds.example.test/list', HEADER);
      expect((await update(folder, [], { http_proxy: `http://127.0.0.1:${port}` })).status).toBe(0);
      expect(server.requests.map(({ host, 'x-api-key': key }) => [host, key])).toEqual([
        ['feeds.example.test', KEY],
        [name, undefined],
      ]);
    },
  );

  test('is not sent to another server on the same machine: another port is another owner', async () => {
    const other = await testServer(sends(OLD));
    const server = await testServer(redirects(() => `${other.origin}/list`));
    const folder = await keyProject(`${server.origin}/list`, HEADER);
    await update(folder);
    expect(server.requests.map((headers) => headers['x-api-key'])).toEqual([KEY]);
    expect(other.requests.map((headers) => headers['x-api-key'])).toEqual([undefined]);
  });
});
