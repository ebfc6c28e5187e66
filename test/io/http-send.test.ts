import { describe, expect, onTestFinished, test } from 'vitest';
import { HttpClient, type SendOptions } from '../../src/io/http.js';
import { type Answer, neverEnds, redirects, refuses, sends, testServer } from '../sources/server.js';
import { problemOf } from './temp.js';

const BODY = '{"token":"abc"}';

async function send(answer: Answer, options: Partial<SendOptions> = {}): Promise<Buffer> {
  const server = await testServer(answer);
  const client = new HttpClient('blocklist/0.0.0-test', {});
  onTestFinished(() => client.close());
  const all = { method: 'POST', headers: {}, maxBytes: BODY.length, timeoutMs: 3000, ...options } as const;
  return client.send(`${server.origin}/v1/alerts`, all);
}

test('what is sent arrives, with method, headers and body; any answer of 2xx is one', async () => {
  const arrived: unknown[] = [];
  const answer: Answer = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { 'user-agent': agent, 'x-test': header } = request.headers;
    arrived.push([request.method, request.url, agent, header, body]);
    response.writeHead(201);
    response.end(BODY);
  };
  expect(String(await send(answer, { headers: { 'x-test': 'a' }, body: '[1]' }))).toBe(BODY);
  expect(arrived).toEqual([['POST', '/v1/alerts', 'blocklist/0.0.0-test', 'a', '[1]']]);
  expect(await send((_, response) => void response.writeHead(204).end(), { method: 'DELETE' })).toHaveLength(0);
});

describe('what is no answer', () => {
  test.each<[what: string, answer: Answer, failure: object]>([
    ['one byte more than the cap', sends(`${BODY} `), { code: 'too-large' }],
    ['a body without end', neverEnds('x'), { code: 'too-large' }],
    ['a redirect', redirects((path) => path), { code: 'http-failed', status: 302 }],
    ['304', refuses(304, ''), { code: 'http-failed', status: 304 }],
    ['500', refuses(500), { code: 'http-failed', status: 500 }],
  ])('%s', async (_, answer, failure) => {
    expect(await problemOf(() => send(answer))).toMatchObject(failure);
  });

  test('silence, or a body that does not end in time', async () => {
    const failure = { code: 'http-failed', network: 'timeout' };
    expect(await problemOf(() => send(() => undefined, { timeoutMs: 200 }))).toMatchObject(failure);
    const slow = { timeoutMs: 300, maxBytes: 1 << 20 };
    expect(await problemOf(() => send(neverEnds('x', 20), slow))).toMatchObject(failure);
  });
});
