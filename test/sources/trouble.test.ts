import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { problemOf, tempFolder } from '../io/temp.js';
import { breaksOff, neverEnds, redirects, sends, testServer } from './server.js';
import { loadSpec, textOf, urlSpec } from './specs.js';
import { describeTroubles } from './troubles.js';

const LIST = '198.51.100.1\n'.repeat(200);

const CHALLENGE =
  '\n\n<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body>\n' +
  'Your address is\n203.0.113.77\n</body></html>\n';

describeTroubles([
  // redirects
  { what: 'a loop', answer: redirects((path) => path), code: 'http-refused', message: 'more than 5 redirects' },
  {
    what: 'a chain of six',
    answer: redirects((path) => `${path}x`),
    code: 'http-refused',
    message: 'more than 5 redirects',
  },
  {
    what: 'to nowhere',
    answer: redirects(() => undefined),
    code: 'http-failed',
    message: 'the server redirects to nowhere',
  },
  {
    what: 'to no address',
    answer: redirects(() => 'http://'),
    code: 'http-failed',
    message: 'the server redirects to nowhere',
  },
  {
    what: 'to a file of this host',
    answer: redirects(() => 'file:///etc/passwd'),
    code: 'http-refused',
    message: 'refused the redirect from http: to file:',
  },
  // the connection
  { what: 'reset in the middle', answer: breaksOff(LIST, 'reset'), code: 'http-failed', message: '' },
  { what: 'ended before the length it promised', answer: breaksOff(LIST, 'end'), code: 'http-failed', message: '' },
  {
    what: 'no answer at all',
    answer: () => undefined,
    code: 'http-failed',
    message: 'no complete answer within 1 s',
    timeoutMs: 1000,
  },
  {
    what: 'a body that drips',
    answer: neverEnds('198.51.100.1\n', 50),
    code: 'http-failed',
    message: 'no complete answer within 1 s',
    timeoutMs: 1000,
  },
  {
    what: 'a body without end',
    answer: neverEnds(LIST),
    code: 'too-large',
    message: 'the body is larger than 1,048,576 bytes',
  },
  // gzip
  {
    what: 'gzip, cut off',
    answer: sends(gzipSync(LIST).subarray(0, -9)),
    code: 'bad-gzip',
    message: 'the gzip data is damaged or cut off',
  },
  {
    what: 'a bomb of 10 MB of zeros',
    answer: sends(gzipSync(Buffer.alloc(10_000_000))),
    code: 'too-large',
    message: 'the list is larger than 1,048,576 bytes',
  },
  {
    what: 'a bomb of 10 MB of lines',
    answer: sends(gzipSync('198.51.100.1\n'.repeat(800_000)), { 'content-encoding': 'gzip' }),
    code: 'too-large',
    message: 'the list is larger than 1,048,576 bytes',
  },
  // the text
  {
    what: 'a web page',
    answer: sends('<html><body>hello</body></html>'),
    code: 'source-html',
    message: 'a web page came in place of a list',
  },
  {
    what: 'a challenge that holds our address',
    answer: sends(CHALLENGE),
    code: 'source-html',
    message: 'a web page came in place of a list',
  },
  {
    what: 'a packed web page',
    answer: sends(gzipSync(CHALLENGE)),
    code: 'source-html',
    message: 'a web page came in place of a list',
  },
  {
    what: 'a page behind a byte order mark',
    answer: sends(`\ufeff<!doctype html>\n${LIST}`),
    code: 'source-html',
    message: 'a web page came in place of a list',
  },
  { what: 'no byte', answer: sends(''), code: 'source-empty', message: 'no entry: the list holds nothing' },
  {
    what: 'blank lines',
    answer: sends('\n \n\t\n'),
    code: 'source-empty',
    message: 'no entry: the list holds nothing',
  },
  {
    what: 'a banner only',
    answer: sends('# This feed is deprecated since 2025-01-03.\n# See https://example.org\n;\n'),
    code: 'source-empty',
    message: 'no entry: the list holds nothing',
  },
  {
    what: 'JSON',
    answer: sends('{"error":\n"try later"}\n'),
    code: 'source-empty',
    message: 'no entry: the list holds 2 lines, none of them readable',
  },
  {
    what: 'more than 5 % of rejects',
    answer: sends(`${'198.51.100.1\n'.repeat(18)}example.org\n`),
    code: 'source-rejects',
    message: '1 of 19 lines are unreadable, the first in line 19: not an address',
  },
  {
    what: 'half of IPv4',
    answer: sends(`${LIST}0.0.0.0/1\n`),
    code: 'source-too-wide',
    message: 'it holds a /1, wider than the /8 allowed',
  },
  {
    what: 'all of IPv4 as a range',
    answer: sends(`${LIST}0.0.0.0-255.255.255.255\n`),
    code: 'source-too-wide',
    message: 'it holds a /0, wider than the /8 allowed',
  },
  {
    what: 'a wide block of IPv6',
    answer: sends(`${LIST}2000::/15\n`),
    code: 'source-too-wide',
    message: 'it holds a /15, wider than the /16 allowed',
  },
  {
    what: 'UTF-16, little end first',
    answer: sends(Buffer.from(`\ufeff${LIST}`, 'utf16le')),
    code: 'bad-encoding',
    message: '',
  },
  {
    what: 'UTF-16, big end first',
    answer: sends(Buffer.from(`\ufeff${LIST}`, 'utf16le').swap16()),
    code: 'bad-encoding',
    message: '',
  },
]);

test('gzip with an error text behind it: the list is used, and the source is suspect', async () => {
  const server = await testServer(sends(Buffer.concat([gzipSync(LIST), Buffer.from('Internal Server Error\n')])));
  const cache = join(await tempFolder(), 'cache');
  const loaded = await loadSpec(urlSpec(`${server.origin}/list`), cache);
  expect(textOf(loaded.set)).toEqual(['198.51.100.1']);
  expect(loaded).toMatchObject({ state: 'fresh', problem: { code: 'source-suspect' } });
  expect(loaded.problem?.message).toBe('22 bytes of something else stand behind the packed list, which is used');
  expect((await loadSpec(urlSpec(`${server.origin}/list`), cache, 'avoid')).problem?.code).toBe('source-suspect');
});

describe('connection refused', () => {
  test('without and with last good', async () => {
    const server = await testServer(sends('192.0.2.1\n192.0.2.2\n'));
    const [full, empty] = [join(await tempFolder(), 'cache'), join(await tempFolder(), 'cache')];
    const spec = urlSpec(`${server.origin}/list`);
    await loadSpec(spec, full);
    await server.stop();
    expect(await problemOf(() => loadSpec(spec, empty))).toMatchObject({
      code: 'http-failed',
      where: `${server.origin}/list`,
      hint: 'try again later; last good is kept',
    });
    const kept = await loadSpec(spec, full);
    expect(textOf(kept.set)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(kept).toMatchObject({ state: 'kept', problem: { code: 'http-failed' } });
  });
});
