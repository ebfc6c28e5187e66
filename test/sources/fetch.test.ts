import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { problemOf, tempFolder } from '../io/temp.js';
import { type Answer, redirects, refuses, sends, testServer } from './server.js';
import { HOUR, keptIn, loadSpec, NOON, textOf, urlSpec } from './specs.js';

const LIST = '192.0.2.1\n192.0.2.2\n';

describe('bodies that are lists', () => {
  test.each<[what: string, answer: Answer]>([
    ['plain', sends(LIST)],
    [
      'in chunks of one byte',
      (_, response) => {
        for (const char of LIST) response.write(char);
        response.end();
      },
    ],
    ['gzip, sent as a file', sends(gzipSync(LIST), { 'content-type': 'application/gzip' })],
    ['gzip, as content encoding', sends(gzipSync(LIST), { 'content-encoding': 'gzip' })],
    ['gzip, sent as text', sends(gzipSync(LIST), { 'content-type': 'text/plain' })],
    ['two members of gzip', sends(Buffer.concat([gzipSync('192.0.2.1\n'), gzipSync('192.0.2.2\n')]))],
    ['behind a byte order mark', sends(`\ufeff${LIST}`)],
    ['with CRLF', sends('192.0.2.1\r\n192.0.2.2\r\n')],
    ['with CR alone', sends('192.0.2.1\r192.0.2.2\r')],
    ['without a last line end', sends('192.0.2.1\n192.0.2.2')],
    ['called HTML by the server', sends(LIST, { 'content-type': 'text/html' })],
    ['with rejects of 5 %', sends(`${LIST.repeat(10).trimEnd()}\nexample.org\n`.replace('192.0.2.1\n', ''))],
  ])('%s', async (_, answer) => {
    const server = await testServer(answer);
    const loaded = await loadSpec(urlSpec(`${server.origin}/list`), await tempFolder());
    expect(textOf(loaded.set)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(loaded).toMatchObject({ id: 's', kind: 'feed', direction: 'in', state: 'fresh', date: NOON });
    expect(loaded.problem).toBeUndefined();
  });

  test('what is counted and what is shown of rejects', async () => {
    const text = `${Array.from({ length: 30 }, (_, i) => `192.0.2.${i}`).join('\n')}\nexample.org\n198.51.100.7/24\n`;
    const server = await testServer(sends(text));
    const { counts } = await loadSpec(urlSpec(`${server.origin}/list`), await tempFolder());
    expect(counts).toEqual({
      entries: 31,
      rejected: 1,
      hostBits: 1,
      samples: [{ line: 31, text: 'example.org', reason: 'not an address' }],
    });
  });

  test('the cap is on the body: at it all is well, and one byte more is too large', async () => {
    const server = await testServer(sends(LIST));
    const at = (maxBytes: number) => urlSpec(`${server.origin}/list`, { maxBytes });
    expect(await loadSpec(at(LIST.length), await tempFolder())).toMatchObject({ state: 'fresh' });
    const cache = await tempFolder();
    expect(await problemOf(() => loadSpec(at(LIST.length - 1), cache))).toMatchObject({ code: 'too-large' });
  });
});

describe('what is asked', () => {
  test('the first time: everything, with our name', async () => {
    const server = await testServer(sends(LIST));
    await loadSpec(urlSpec(`${server.origin}/list`), await tempFolder());
    const [headers] = server.requests;
    expect(headers).toMatchObject({ 'user-agent': 'blocklist/0.0.0-test', 'accept-encoding': 'gzip' });
    expect(Object.keys(headers ?? {})).not.toContain('if-none-match');
    expect(Object.keys(headers ?? {})).not.toContain('if-modified-since');
  });

  test('without the network nothing is asked', async () => {
    const server = await testServer(sends(LIST));
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/list`);
    expect(await problemOf(() => loadSpec(spec, cache, 'avoid'))).toMatchObject({
      code: 'source-never-fetched',
      where: `${server.origin}/list`,
      hint: 'run: blocklist update',
    });
    expect(server.requests).toEqual([]);
  });

  test.each<[header: string, sent: string, asked: string]>([
    ['etag', '"abc"', 'if-none-match'],
    ['etag', 'W/"abc"', 'if-none-match'],
    ['last-modified', 'Sat, 22 Aug 2026 10:00:00 GMT', 'if-modified-since'],
  ])('with last good: only what is newer than %s %s', async (header, sent, asked) => {
    const server = await testServer(sends(LIST, { [header]: sent }));
    const cache = join(await tempFolder(), 'cache');
    const spec = urlSpec(`${server.origin}/list`);
    await loadSpec(spec, cache);
    const { 'meta.json': metaBefore, ...bodyBefore } = await keptIn(cache);
    server.answer = refuses(304, '');

    const loaded = await loadSpec(spec, cache, 'use', NOON + HOUR);
    expect(server.requests[1]?.[asked]).toBe(sent);
    expect(textOf(loaded.set)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(loaded).toMatchObject({ state: 'unchanged', date: NOON + HOUR });
    expect(loaded.problem).toBeUndefined();

    // It counts as fetched now, and its validators are kept for the next time.
    const { 'meta.json': meta, ...body } = await keptIn(cache);
    expect(body).toEqual(bodyBefore);
    expect(JSON.parse(meta ?? '')).toEqual({ ...JSON.parse(metaBefore ?? ''), fetched: NOON + HOUR });
    expect(await loadSpec(spec, cache, 'avoid')).toMatchObject({ state: 'kept', date: NOON + HOUR });
    await loadSpec(spec, cache);
    expect(server.requests[2]?.[asked]).toBe(sent);
  });

  test('a newer body takes the place of last good, with its own validators', async () => {
    const server = await testServer(sends(LIST, { etag: '"1"' }));
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/list`);
    await loadSpec(spec, cache);
    server.answer = sends('198.51.100.1\n', { etag: '"2"' });
    const loaded = await loadSpec(spec, cache, 'use', NOON + HOUR);
    expect(textOf(loaded.set)).toEqual(['198.51.100.1']);
    expect(loaded).toMatchObject({ state: 'fresh', date: NOON + HOUR });
    expect(Object.values(await keptIn(cache))).toContain('198.51.100.1\n');
    expect(Object.values(await keptIn(cache))).not.toContain(LIST);
    await loadSpec(spec, cache);
    expect(server.requests.map((headers) => headers['if-none-match'])).toEqual([undefined, '"1"', '"2"']);
  });

  test('a server without validators is asked for everything each time', async () => {
    const server = await testServer(sends(LIST));
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/list`);
    await loadSpec(spec, cache);
    await loadSpec(spec, cache);
    expect(server.requests[1]).not.toHaveProperty('if-none-match');
    expect(server.requests[1]).not.toHaveProperty('if-modified-since');
  });
});

describe('redirects', () => {
  test('five are followed, relative and absolute', async () => {
    const server = await testServer((request, response) => {
      const path = request.url ?? '';
      if (path === '/5') return sends(LIST)(request, response);
      const next = `/${Number(path.slice(1)) + 1}`;
      redirects(() => (path === '/2' ? `${server.origin}${next}` : next))(request, response);
    });
    const loaded = await loadSpec(urlSpec(`${server.origin}/0`), await tempFolder());
    expect(textOf(loaded.set)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(server.requests).toHaveLength(6);
  });

  test.each([301, 302, 303, 307, 308])('status %i leads on', async (status) => {
    const server = await testServer((request, response) => {
      if (request.url === '/there') return sends(LIST)(request, response);
      response.writeHead(status, { location: '/there' });
      response.end();
    });
    expect(await loadSpec(urlSpec(`${server.origin}/here`), await tempFolder())).toMatchObject({ state: 'fresh' });
  });

  test('last good belongs to the address of the configuration, wherever it led', async () => {
    const server = await testServer((request, response) => {
      if (request.url === '/there') return sends(LIST, { etag: '"1"' })(request, response);
      redirects(() => '/there')(request, response);
    });
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/here`);
    await loadSpec(spec, cache);
    expect(await loadSpec(spec, cache, 'avoid')).toMatchObject({ state: 'kept' });
    await loadSpec(spec, cache);
    expect(server.requests[2]?.['if-none-match']).toBe('"1"');
  });
});
