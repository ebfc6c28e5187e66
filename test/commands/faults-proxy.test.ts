import { describe, expect, test } from 'vitest';
import { OLD } from '../sources/faults.js';
import { testProxy } from '../sources/proxy.js';
import { redirects, sends, testServer } from '../sources/server.js';
import { farProject, lineOf, nodesOf, rulesOf, update, updateJson } from './far.js';

const ALL_WELL = { status: 0, data: 'fresh', problem: undefined };
const FAILED = { status: 3, data: 'kept', problem: 'http-failed' };
const FAR = 'http://feeds.example.test/list';

test('a name that DNS does not know: last good serves', async () => {
  const server = await testServer(sends(OLD));
  const proxy = await testProxy(server, 'to any port');
  const folder = await farProject('http://far.invalid/list');
  // The proxy knows the name, this host does not.
  expect(await updateJson(folder, { http_proxy: `http://127.0.0.1:${proxy.port}` })).toEqual(ALL_WELL);
  const before = await rulesOf(folder);

  expect(await updateJson(folder)).toEqual(FAILED);
  const said = await update(folder);
  expect(said.status).toBe(3);
  expect(lineOf(said)).toMatch(
    /^far: getaddrinfo E(NOTFOUND|AI_AGAIN) far\.invalid \(http:\/\/far\.invalid\/list\); last good is used$/,
  );
  expect(await rulesOf(folder)).toEqual(before);
});

describe('the proxy of the environment', () => {
  test.each(['http_proxy', 'HTTP_PROXY'])('%s is asked for addresses of http', async (variable) => {
    const server = await testServer(sends(OLD));
    const proxy = await testProxy(server, 'to any port');
    const folder = await farProject(FAR);
    expect(await updateJson(folder, { [variable]: `http://127.0.0.1:${proxy.port}` })).toEqual(ALL_WELL);
    expect(proxy.asked.map(({ host }) => host.replace(/:80$/, ''))).toEqual(['feeds.example.test']);
    expect(server.requests.map(({ host }) => host)).toEqual(['feeds.example.test']);
    expect(await nodesOf(folder)).toBe(`${OLD}5.6.7.10\n`);
  });

  test('one that lets tunnels through to https alone, as most do, serves http all the same', async () => {
    const server = await testServer(sends(OLD));
    const proxy = await testProxy(server, 'to 443');
    const folder = await farProject(FAR, '', 'fetch: {deadline: 3s}');
    expect(await updateJson(folder, { http_proxy: `http://127.0.0.1:${proxy.port}` })).toEqual(ALL_WELL);
    expect(proxy.asked).toEqual([{ how: 'request', host: 'feeds.example.test' }]);
  });

  test.each(['no_proxy', 'NO_PROXY'])('%s is honoured', async (variable) => {
    const server = await testServer(sends(OLD));
    const proxy = await testProxy(server, 'to any port');
    const env = { http_proxy: `http://127.0.0.1:${proxy.port}`, [variable]: 'example.org,feeds.example.test' };
    const said = await update(await farProject(FAR), [], env);
    // Only the proxy knows the name.
    expect(lineOf(said)).toMatch(/^far: getaddrinfo E/);
    expect(proxy.asked).toEqual([]);
    const other = { ...env, [variable]: 'example.org' };
    expect(await updateJson(await farProject(FAR), other)).toEqual(ALL_WELL);
  });

  test.each(['127.0.0.1', 'localhost', '127.1.2.3'])(
    'is not asked for this host itself, by the name of %s',
    async (name) => {
      const server = await testServer(sends(OLD));
      const proxy = await testProxy(server, 'to any port');
      const env = { http_proxy: `http://127.0.0.1:${proxy.port}` };
      const folder = await farProject(`${server.origin.replace('127.0.0.1', name)}/list`, '', 'fetch: {deadline: 3s}');
      await update(folder, [], env);
      expect(proxy.asked).toEqual([]);
      // The server listens on the first of these alone.
      expect(server.requests).toHaveLength(name === '127.1.2.3' ? 0 : 1);
    },
  );

  test('one with a name, as most have: it may be private, since the operator named it', async () => {
    const server = await testServer((request, response) => {
      if (request.headers.host === 'other.example.test') sends(OLD)(request, response);
      else redirects(() => 'http://other.example.test/list')(request, response);
    });
    const proxy = await testProxy(server, 'to any port');
    const folder = await farProject(FAR);
    // What a redirect leads to must be public; the way there need not be.
    expect(await updateJson(folder, { http_proxy: `http://localhost:${proxy.port}` })).toEqual(ALL_WELL);
    expect(server.requests.map(({ host }) => host)).toEqual(['feeds.example.test', 'other.example.test']);
  });

  test('a redirect to a private address is refused behind a proxy, too', async () => {
    const server = await testServer(redirects(() => 'http://10.255.255.1/list'));
    const proxy = await testProxy(server, 'to any port');
    const said = await update(await farProject(FAR), [], { http_proxy: `http://127.0.0.1:${proxy.port}` });
    expect(said.status).toBe(3);
    expect(lineOf(said)).toBe(
      'far: refused to ask 10.255.255.1: not an address of the public internet (http://10.255.255.1/list); nothing to use',
    );
    expect(proxy.asked.map(({ host }) => host.replace(/:80$/, ''))).toEqual(['feeds.example.test']);
  });

  test.each<[what: string, proxy: (port: number) => string]>([
    ['without a scheme', (port) => `127.0.0.1:${port}`],
    ['with a name and without a scheme', (port) => `localhost:${port}`],
    ['with a password and without a scheme', (port) => `night:watch-Word@127.0.0.1:${port}`],
    ['that is no address', () => 'http://'],
    ['of another kind', (port) => `ftp://127.0.0.1:${port}`],
  ])('one written %s: the sources that need it fail, and nothing else does', async (_, written) => {
    const server = await testServer(sends(OLD));
    const proxy = await testProxy(server, 'to any port');
    const folder = await farProject(FAR, '', 'fetch: {deadline: 3s}');
    await updateJson(folder, { http_proxy: `http://127.0.0.1:${proxy.port}` });
    const before = await rulesOf(folder);
    const said = await update(folder, [], { http_proxy: written(proxy.port) });
    expect(said.stderr).not.toContain('defect');
    expect(`${said.stdout}${said.stderr}`).not.toContain('watch-Word');
    // It may as well be understood, as curl does.
    expect([0, 3]).toContain(said.status);
    expect(await rulesOf(folder)).toEqual(before);
  });

  test('one that says nothing: last good serves after the time of the source', async () => {
    const server = await testServer(sends(OLD));
    const [well, mute] = [await testProxy(server, 'to any port'), await testProxy(server, 'to nowhere')];
    const folder = await farProject(FAR, 'timeout: 1');
    expect(await updateJson(folder, { http_proxy: `http://127.0.0.1:${well.port}` })).toEqual(ALL_WELL);
    const begun = performance.now();
    expect(await updateJson(folder, { http_proxy: `http://127.0.0.1:${mute.port}` })).toEqual(FAILED);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(mute.asked).toHaveLength(1);
  });

  test('its password is sent to it and to nobody else, and is never shown', async () => {
    const server = await testServer(sends(OLD));
    const proxy = await testProxy(server, 'to any port');
    const folder = await farProject(FAR, '', 'fetch: {deadline: 3s}');
    const env = { http_proxy: `http://night:watch-Word@127.0.0.1:${proxy.port}` };
    expect(await updateJson(folder, env)).toEqual(ALL_WELL);
    // base64 of night:watch-Word
    expect(proxy.headers.map((sent) => sent['proxy-authorization'])).toEqual(['Basic bmlnaHQ6d2F0Y2gtV29yZA==']);
    expect(server.requests.map((sent) => sent.authorization)).toEqual([undefined]);
    const gone = await update(folder, ['--verbose'], { http_proxy: 'http://night:watch-Word@127.0.0.1:1' });
    expect(gone.status).toBe(3);
    expect(`${gone.stdout}${gone.stderr}`).not.toMatch(/watch-Word|bmlnaHQ6d2F0Y2gtV29yZA/);
  });
});
