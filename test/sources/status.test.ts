import { expect, test } from 'vitest';
import { problemOf, tempFolder } from '../io/temp.js';
import { refuses, testServer } from './server.js';
import { keptIn, loadSpec, urlSpec } from './specs.js';
import { describeTroubles } from './troubles.js';

const LIST = '198.51.100.1\n'.repeat(200);

/** Every status but 200, 304 and redirects ends the same way, whatever comes with it. */
describeTroubles([
  { what: '404', answer: refuses(404), code: 'http-failed', message: 'the server answered 404' },
  {
    what: '403',
    answer: refuses(403, '<!DOCTYPE html><title>Just a moment...</title>'),
    code: 'http-failed',
    message: 'the server answered 403',
  },
  { what: '410 with a list', answer: refuses(410, LIST), code: 'http-failed', message: 'the server answered 410' },
  { what: '429', answer: refuses(429), code: 'http-failed', message: 'the server answered 429' },
  { what: '500', answer: refuses(500), code: 'http-failed', message: 'the server answered 500' },
  {
    what: '503 that never ends its text',
    answer: refuses(503, 'x'.repeat(1 << 23)),
    code: 'http-failed',
    message: 'the server answered 503',
  },
  { what: '204', answer: refuses(204), code: 'http-failed', message: 'the server answered 204' },
]);

test('304 to a request without condition', async () => {
  const server = await testServer(refuses(304, ''));
  const cache = await tempFolder();
  const problem = await problemOf(() => loadSpec(urlSpec(`${server.origin}/list`), cache));
  expect(problem).toMatchObject({ code: 'http-failed', message: 'the server answered 304' });
  expect(await keptIn(cache)).toEqual({});
});
