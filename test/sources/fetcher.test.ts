import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FetchLog } from '../../src/sources/fetch-log.js';
import { type Due, Fetcher, type FetchOptions, type ListRequest } from '../../src/sources/fetcher.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { raw } from './faults.js';
import { type Answer, breaksOff, redirects, refuses, sends, testServer } from './server.js';
import { fetchOptions, HOUR, NOON } from './specs.js';

const LIST = '5.6.7.8\n';
const MINUTE = 60_000;

/** A fetcher with the log of this folder, at this time; its connections end with the test. */
async function fetcherAt(folder: string, now: number | (() => number) = NOON, changes: Partial<FetchOptions> = {}) {
  const clock = typeof now === 'number' ? () => now : now;
  const fetcher = new Fetcher(await FetchLog.open(folder), fetchOptions(clock, changes));
  onTestFinished(() => fetcher.end());
  return fetcher;
}

function request(url: string, changes: Partial<ListRequest> = {}): ListRequest {
  return { url, target: 'any', timeoutMs: 20_000, intervalMs: 0, ...changes };
}

/** What came of a request, in a word or as the text of the body. */
async function get(fetcher: Fetcher, asked: ListRequest, due: Due = 'when-due'): Promise<string> {
  const answer = await fetcher.get(asked, due, { maxBytes: 1 << 20 });
  return answer.kind === 'body' ? answer.body.toString() : answer.kind;
}

async function messageOf(fetcher: Fetcher, asked: ListRequest, due: Due = 'when-due'): Promise<string> {
  const { code, message } = await problemOf(() => get(fetcher, asked, due));
  return `${code}: ${message}`;
}

const retryAfter =
  (value: string, status = 429): Answer =>
  (_, response) => {
    response.writeHead(status, { 'retry-after': value });
    response.end();
  };

/** A run of its own: asks once at this time, and writes the log. */
async function runAt(folder: string, now: number, asked: ListRequest, due: Due = 'when-due', force = false) {
  const fetcher = await fetcherAt(folder, now, force ? { urgency: 'force' } : {});
  const result = await get(fetcher, asked, due).catch((error: Error) => error.message);
  await fetcher.close();
  return result;
}

describe('the interval of a list', () => {
  test('holds across runs, from the answer on, and not a millisecond longer', async () => {
    const server = await testServer(sends(LIST));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`, { intervalMs: HOUR });
    expect(await runAt(folder, NOON, asked)).toBe(LIST);
    expect(await runAt(folder, NOON + 1, asked)).toBe('not-due');
    expect(await runAt(folder, NOON + HOUR - 1, asked)).toBe('not-due');
    expect(server.requests).toHaveLength(1);
    expect(await runAt(folder, NOON + HOUR, asked)).toBe(LIST);
    expect(await runAt(folder, NOON + HOUR + 1, asked)).toBe('not-due');
    expect(server.requests).toHaveLength(2);
  });

  test('is that of one address: another one of the same server is asked', async () => {
    const server = await testServer(sends(LIST));
    const folder = await tempFolder();
    await runAt(folder, NOON, request(`${server.origin}/list`, { intervalMs: HOUR }));
    expect(await runAt(folder, NOON + 1, request(`${server.origin}/list?`, { intervalMs: HOUR }))).toBe(LIST);
    expect(server.requests).toHaveLength(2);
  });

  test.each<[what: string, due: Due, force: boolean, result: string]>([
    ['a list that is there', 'when-due', false, 'not-due'],
    ['a list that is not there', 'unless-refused', false, LIST],
    ['a change that a person accepts', 'now', false, LIST],
    ['a person who forces it', 'when-due', true, LIST],
  ])('for %s', async (_, due, force, result) => {
    const server = await testServer(sends(LIST));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`, { intervalMs: HOUR });
    await runAt(folder, NOON, asked);
    expect(await runAt(folder, NOON + 1, asked, due, force)).toBe(result);
  });

  test('a log that is damaged is an empty one', async () => {
    const server = await testServer(sends(LIST));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`, { intervalMs: HOUR });
    await runAt(folder, NOON, asked);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(folder, 'fetches.json'), '{"version":1,"urls":{');
    expect(await runAt(folder, NOON + 1, asked)).toBe(LIST);
  });

  test('of a log from the future, after a wrong clock was put right: the list is asked for', async () => {
    const server = await testServer(sends(LIST));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`, { intervalMs: HOUR });
    await runAt(folder, NOON + 365 * 24 * HOUR, asked);
    expect(await runAt(folder, NOON, asked)).toBe(LIST);
  });
});

describe('a server that refuses', () => {
  test('is left alone for 5 minutes, doubling to a day, less a quarter by chance; an answer ends that', async () => {
    const server = await testServer(refuses(403));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`);
    let now = NOON;
    for (const wait of [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440].map((minutes) => minutes * MINUTE)) {
      expect(await runAt(folder, now, asked)).toBe('the server answered 403');
      expect(await runAt(folder, now + 0.75 * wait - 1, asked)).toMatch(/not asked again before/);
      now += wait;
    }
    expect(server.requests).toHaveLength(11);
    server.answer = sends(LIST);
    expect(await runAt(folder, now, asked)).toBe(LIST);
    server.answer = refuses(403);
    expect(await runAt(folder, now + 1, asked)).toBe('the server answered 403');
    expect(await runAt(folder, now + 1 + 5 * MINUTE, asked)).toBe('the server answered 403');
  });

  test.each<[what: string, due: Due, force: boolean, count: number]>([
    ['though the list is not there', 'unless-refused', false, 1],
    ['unless a person accepts a change', 'now', false, 2],
    ['unless a person forces it', 'when-due', true, 2],
  ])('is not asked, %s', async (_, due, force, count) => {
    const server = await testServer(refuses(404));
    const folder = await tempFolder();
    await runAt(folder, NOON, request(`${server.origin}/list`));
    await runAt(folder, NOON + 1, request(`${server.origin}/list`), due, force);
    expect(server.requests).toHaveLength(count);
  });

  test('says how often, and until when', async () => {
    const server = await testServer(retryAfter('7200'));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`);
    await runAt(folder, NOON, asked);
    expect(await runAt(folder, NOON + HOUR, asked)).toBe(
      'the server refused us: not asked again before 2026-08-22 14:00 UTC',
    );
    await runAt(folder, NOON + 2 * HOUR, asked);
    expect(await runAt(folder, NOON + 3 * HOUR, asked)).toBe(
      'the server refused us 2 times: not asked again before 2026-08-22 16:00 UTC',
    );
    expect(server.requests).toHaveLength(2);
  });

  test.each<[what: string, value: () => string, hours: number]>([
    ['seconds', () => '7200', 2],
    ['seconds with blanks', () => ' 7200 ', 2],
    ['a date', () => new Date(Date.now() + 3 * HOUR).toUTCString(), 3],
    ['a year: a week at most', () => String(365 * 86_400), 168],
  ])('Retry-After as %s', async (_, value, hours) => {
    const server = await testServer(retryAfter(value()));
    const folder = await tempFolder();
    const asked = request(`${server.origin}/list`);
    const begun = Date.now();
    await runAt(folder, begun, asked);
    expect(await runAt(folder, begun + hours * HOUR - MINUTE, asked)).toMatch(/not asked again before/);
    expect(await runAt(folder, begun + hours * HOUR + MINUTE, asked)).toBe('the server answered 429');
  });

  test.each(['-1', '1e9', 'soon', '0', '0x7200', '99999999999999999999', new Date(0).toUTCString()])(
    'Retry-After that makes no sense, %s: the 5 minutes hold',
    async (value) => {
      const server = await testServer(retryAfter(value));
      const folder = await tempFolder();
      await runAt(folder, NOON, request(`${server.origin}/list`));
      expect(await runAt(folder, NOON + 3 * MINUTE, request(`${server.origin}/list`))).toMatch(/not asked again/);
      expect(await runAt(folder, NOON + 5 * MINUTE, request(`${server.origin}/list`))).toBe('the server answered 429');
    },
  );
});

describe('how often one run asks', () => {
  const failing: [what: string, answer: Answer, count: number][] = [
    ...[500, 502, 503, 504].map((status): [string, Answer, number] => [String(status), refuses(status), 3]),
    ...[400, 401, 403, 404, 410, 429, 501].map((status): [string, Answer, number] => [
      String(status),
      refuses(status),
      1,
    ]),
    ['a reset', raw('', 'reset'), 3],
    ['a reset within the body', breaksOff(LIST, 'reset'), 3],
    ['an end before the end', breaksOff(LIST, 'end'), 3],
    ['a body beyond the cap', sends('x'.repeat(2 << 20)), 1],
    ['a redirect to a file', redirects(() => 'file:///etc/passwd'), 1],
    ['503 for longer than the run lasts', retryAfter('3600', 503), 1],
  ];
  test.each(failing)('%s', async (_, answer, count) => {
    const server = await testServer(answer);
    const fetcher = await fetcherAt(await tempFolder());
    await problemOf(() => get(fetcher, request(`${server.origin}/list`)));
    expect(server.requests).toHaveLength(count);
  });

  test('no answer within the time of the source: once', async () => {
    const server = await testServer(() => undefined);
    const fetcher = await fetcherAt(await tempFolder());
    const asked = request(`${server.origin}/list`, { timeoutMs: 200 });
    expect(await messageOf(fetcher, asked)).toBe('http-failed: no complete answer within 0.2 s');
    expect(server.requests).toHaveLength(1);
  });

  test.each<[what: string, first: Answer]>([
    ['500', refuses(500)],
    ['a reset within the body', breaksOff(LIST, 'reset')],
  ])('%s twice and then the list: it is taken, and nothing is held against the server', async (_, first) => {
    const server = await testServer((asking, response) =>
      (server.requests.length < 3 ? first : sends(LIST))(asking, response),
    );
    const folder = await tempFolder();
    expect(await runAt(folder, NOON, request(`${server.origin}/list`))).toBe(LIST);
    expect(server.requests).toHaveLength(3);
    expect(await runAt(folder, NOON + 1, request(`${server.origin}/list`))).toBe(LIST);
  });

  test('503 with Retry-After within the run: asked again after that, not before', async () => {
    const times: number[] = [];
    const server = await testServer((asking, response) => {
      times.push(performance.now());
      (times.length === 1 ? retryAfter('1', 503) : sends(LIST))(asking, response);
    });
    expect(await get(await fetcherAt(await tempFolder()), request(`${server.origin}/list`))).toBe(LIST);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('the pauses grow fourfold, give or take half', async () => {
    const times: number[] = [];
    const server = await testServer((asking, response) => {
      times.push(performance.now());
      refuses(500)(asking, response);
    });
    const fetcher = await fetcherAt(await tempFolder(), NOON, { pauseMs: 200 });
    await problemOf(() => get(fetcher, request(`${server.origin}/list`)));
    const [first = 0, second = 0] = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(first).toBeGreaterThanOrEqual(98);
    expect(first).toBeLessThan(600);
    expect(second).toBeGreaterThanOrEqual(398);
    expect(second).toBeLessThan(1600);
  });
});
