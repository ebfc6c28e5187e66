import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FetchLog } from '../../src/sources/fetch-log.js';
import { Fetcher, type FetchOptions, type ListRequest } from '../../src/sources/fetcher.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { muteServer } from './faults.js';
import { testProxy } from './proxy.js';
import { type Answer, redirects, refuses, sends, testServer } from './server.js';
import { fetchOptions, NOON } from './specs.js';

const LIST = '5.6.7.8\n';

async function newFetcher(changes: Partial<FetchOptions> = {}): Promise<Fetcher> {
  const fetcher = new Fetcher(
    await FetchLog.open(await tempFolder()),
    fetchOptions(() => NOON, changes),
  );
  onTestFinished(() => fetcher.end());
  return fetcher;
}

function request(url: string, changes: Partial<ListRequest> = {}): ListRequest {
  return { url, target: 'any', timeoutMs: 20_000, intervalMs: 0, ...changes };
}

async function get(fetcher: Fetcher, asked: ListRequest, known = {}): Promise<string> {
  const answer = await fetcher.get(asked, 'when-due', { maxBytes: 1 << 20, known });
  return answer.kind === 'body' ? answer.body.toString() : answer.kind;
}

async function messageOf(fetcher: Fetcher, asked: ListRequest): Promise<string> {
  return (await problemOf(() => get(fetcher, asked))).message;
}

/** Servers that take their time, and how many requests and connections there were at once, by port and in all. */
async function slowServers(count: number, answer: Answer = sends(LIST)) {
  let open = 0;
  const seen = { all: 0, each: 0, sockets: [] as number[] };
  const servers = [];
  for (let i = 0; i < count; i++) {
    let here = 0;
    const sockets = new Set<Socket>();
    const server = await testServer((asking, response) => {
      sockets.add(asking.socket);
      seen.sockets[i] = sockets.size;
      seen.all = Math.max(seen.all, ++open);
      seen.each = Math.max(seen.each, ++here);
      setTimeout(() => {
        open--;
        here--;
        answer(asking, response);
      }, 100);
    });
    servers.push(server);
  }
  return { servers, seen };
}

describe('side by side', () => {
  test('one request at a time to a host, over one connection', async () => {
    const { servers, seen } = await slowServers(1);
    const fetcher = await newFetcher();
    const urls = ['a', 'b', 'c', 'd', 'e'].map((name) => `${servers[0]?.origin}/${name}`);
    expect(await Promise.all(urls.map((url) => get(fetcher, request(url))))).toEqual(Array(5).fill(LIST));
    expect(seen).toEqual({ all: 1, each: 1, sockets: [1] });
  });

  test('hosts do not wait for one another', async () => {
    const { servers, seen } = await slowServers(4);
    const fetcher = await newFetcher();
    const urls = servers.flatMap(({ origin }) => [`${origin}/a`, `${origin}/b`]);
    await Promise.all(urls.map((url) => get(fetcher, request(url))));
    expect(seen).toEqual({ all: 4, each: 1, sockets: [1, 1, 1, 1] });
  });

  test('the host is the same in capital letters and with another name of the user', async () => {
    const { servers, seen } = await slowServers(1);
    const fetcher = await newFetcher();
    const port = new URL(servers[0]?.origin ?? '').port;
    const urls = [`http://localhost:${port}/a`, `http://LOCALHOST:${port}/b`, `http://me@localhost:${port}/c`];
    await Promise.all(urls.map((url) => get(fetcher, request(url))));
    expect(seen).toEqual({ all: 1, each: 1, sockets: [1] });
  });

  test('a host that fails does not end the line behind it', async () => {
    const { servers, seen } = await slowServers(1, (asking, response) =>
      (asking.url === '/a' ? refuses(404) : sends(LIST))(asking, response),
    );
    const fetcher = await newFetcher();
    const [first, second] = ['a', 'b'].map((name) => request(`${servers[0]?.origin}/${name}`));
    const results = await Promise.allSettled([first, second].map((each) => get(fetcher, each as ListRequest)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(seen.each).toBe(1);
  });

  test('the connections end with the fetcher', async () => {
    const sockets = new Set<Socket>();
    const server = await testServer((asking, response) => {
      sockets.add(asking.socket);
      sends(LIST)(asking, response);
    });
    const fetcher = await newFetcher();
    await get(fetcher, request(`${server.origin}/list`));
    await fetcher.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([...sockets].map(({ destroyed }) => destroyed)).toEqual([true]);
  });
});

describe('time and absence', () => {
  test('the deadline ends what is under way, and what waits is not asked', async () => {
    const server = await testServer(() => undefined);
    const fetcher = await newFetcher({ deadlineMs: 500 });
    const begun = performance.now();
    const messages = await Promise.all(
      ['a', 'b', 'c'].map((name) => messageOf(fetcher, request(`${server.origin}/${name}`))),
    );
    expect(performance.now() - begun).toBeLessThan(1500);
    expect(messages[0]).toMatch(/^no complete answer within 0\.[45]\d* s$/);
    expect(messages.slice(1)).toEqual(Array(2).fill('not fetched: the 0.5 s for all sources are over'));
    expect(server.requests).toHaveLength(1);
  });

  test('no attempt is begun that the deadline would end', async () => {
    const server = await testServer(refuses(503));
    const fetcher = await newFetcher({ deadlineMs: 1000, pauseMs: 5000 });
    const begun = performance.now();
    expect(await messageOf(fetcher, request(`${server.origin}/list`))).toBe('the server answered 503');
    expect(performance.now() - begun).toBeLessThan(900);
    expect(server.requests).toHaveLength(1);
  });

  test.each(['http', 'https'])('a server that never says a word over %s is given its time once', async (scheme) => {
    const fetcher = await newFetcher();
    const begun = performance.now();
    const asked = request(`${scheme}://127.0.0.1:${await muteServer()}/list`, { timeoutMs: 500 });
    expect(await messageOf(fetcher, asked)).toBe('no complete answer within 0.5 s');
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  test('a proxy that never says a word is given the time of the source once', { timeout: 10_000 }, async () => {
    const fetcher = await newFetcher({ env: { http_proxy: `http://127.0.0.1:${await muteServer()}` } });
    const asked = request('http://feeds.example.test/list', { timeoutMs: 500 });
    expect(await messageOf(fetcher, asked)).toBe('no complete answer within 0.5 s');
  });

  test('a host that refuses connections is asked once in a run; others are asked', async () => {
    const [gone, well] = [await testServer(sends(LIST)), await testServer(sends(LIST))];
    await gone.stop();
    const { host } = new URL(gone.origin);
    const fetcher = await newFetcher();
    const [first, second, other] = await Promise.all([
      messageOf(fetcher, request(`${gone.origin}/a`)),
      messageOf(fetcher, request(`${gone.origin}/b`)),
      get(fetcher, request(`${well.origin}/c`)),
    ]);
    expect(first).toBe(`connect ECONNREFUSED ${host}`);
    expect(second).toBe(`not asked, since ${host} did not answer`);
    expect(other).toBe(LIST);
  });

  test('it is not held against the address: the next run asks again', async () => {
    const server = await testServer(sends(LIST));
    const { port } = new URL(server.origin);
    await server.stop();
    const folder = await tempFolder();
    const run = async () => {
      const fetcher = new Fetcher(
        await FetchLog.open(folder),
        fetchOptions(() => NOON),
      );
      const result = await get(fetcher, request(`http://127.0.0.1:${port}/list`)).catch(
        (error: Error) => error.message,
      );
      await fetcher.close();
      return result;
    };
    expect(await run()).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
    expect(await run()).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test('where a redirect leads is not the host that is absent', async () => {
    const server = await testServer((asking, response) =>
      (asking.url === '/a' ? redirects(() => 'http://far.invalid/') : sends(LIST))(asking, response),
    );
    const fetcher = await newFetcher();
    expect(await messageOf(fetcher, request(`${server.origin}/a`))).toMatch(/^getaddrinfo E/);
    expect(await get(fetcher, request(`${server.origin}/b`))).toBe(LIST);
  });
});

describe('what is sent', () => {
  test('the name of the program, and both validators', async () => {
    const server = await testServer(refuses(304, ''));
    const fetcher = await newFetcher({ userAgent: 'blocklist/9.8.7 (+mailto:ops@example.test)' });
    const known = { etag: 'W/"a\xe9"', lastModified: 'Sat, 22 Aug 2026 10:00:00 GMT' };
    expect(await get(fetcher, request(`${server.origin}/list`), known)).toBe('unchanged');
    expect(server.requests[0]).toMatchObject({
      'user-agent': 'blocklist/9.8.7 (+mailto:ops@example.test)',
      'if-none-match': 'W/"a\xe9"',
      'if-modified-since': 'Sat, 22 Aug 2026 10:00:00 GMT',
      'accept-encoding': 'gzip',
    });
    expect(server.requests[0]).not.toHaveProperty('authorization');
  });

  test.each<[what: string, key: ListRequest['key'], header: string, sent: string, path: string]>([
    ['in a header', { value: 'k-1', in: { header: 'X-Api-Key' } }, 'x-api-key', 'k-1', '/list?k={key}'],
    ['as name and password', { value: 'me:k-1', in: 'basic' }, 'authorization', 'Basic bWU6ay0x', '/list?k={key}'],
  ])('a key %s: to the host of the address, and to no other name on the way', async (_, key, header, sent, path) => {
    const server = await testServer(({ url, headers: { host } }, response) => {
      const to = url === '/here' ? 'http://other.example.test/there' : '/here';
      if (host === 'other.example.test') response.end(LIST);
      else response.writeHead(302, { location: to }).end();
    });
    const { port } = await testProxy(server, 'to any port');
    const fetcher = await newFetcher({ env: { http_proxy: `http://127.0.0.1:${port}` } });
    const url = `http://feeds.example.test${path}`;
    expect(await get(fetcher, request(url, key === undefined ? {} : { key }))).toBe(LIST);
    expect(server.requests.map((headers) => [headers.host, headers[header]])).toEqual([
      ['feeds.example.test', sent],
      ['feeds.example.test', sent],
      ['other.example.test', undefined],
    ]);
  });

  test('a key in the address, as it must be written there, and not to where a redirect leads', async () => {
    const asked: string[] = [];
    const server = await testServer(({ url = '', headers: { host } }, response) => {
      asked.push(`${host}${url}`);
      if (host === 'other.example.test') response.end(LIST);
      else response.writeHead(302, { location: 'http://other.example.test/{key}' }).end();
    });
    const { port } = await testProxy(server, 'to any port');
    const fetcher = await newFetcher({ env: { http_proxy: `http://127.0.0.1:${port}` } });
    const key = { value: 'a/b&c=?#d', in: 'url' } as const;
    expect(await get(fetcher, request('http://feeds.example.test/{key}/list?k={key}', { key }))).toBe(LIST);
    expect(asked).toEqual([
      'feeds.example.test/a%2Fb%26c%3D%3F%23d/list?k=a%2Fb%26c%3D%3F%23d',
      'other.example.test/%7Bkey%7D',
    ]);
    expect(server.requests.map(({ referer }) => referer)).toEqual([undefined, undefined]);
  });

  test('only a public address is asked for a feed of the catalogue', async () => {
    const server = await testServer(sends(LIST));
    const fetcher = await newFetcher();
    const asked = request(`${server.origin}/list`, { target: 'public' });
    expect(await messageOf(fetcher, asked)).toBe('refused to ask 127.0.0.1: not an address of the public internet');
    const named = request(server.origin.replace('127.0.0.1', 'localhost'), { target: 'public' });
    expect(await messageOf(fetcher, named)).toMatch(/^refused to ask localhost, which is (127\.0\.0\.1|::1): not an /);
    expect(server.requests).toEqual([]);
  });
});
