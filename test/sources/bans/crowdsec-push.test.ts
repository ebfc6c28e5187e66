import { chmod, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HttpClient } from '../../../src/io/http.js';
import { parsePrefix } from '../../../src/ip/index.js';
import type { Ban } from '../../../src/sources/bans/contract.js';
import { alertOf } from '../../../src/sources/bans/crowdsec-alert.js';
import { readCredentials } from '../../../src/sources/bans/crowdsec-credentials.js';
import { pushBans } from '../../../src/sources/bans/crowdsec-push.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { type Answer, redirects, refuses, sends, testServer } from '../server.js';
import { HOUR, NOON } from '../specs.js';

const PASSWORD = 'Tr0ub4dor-3';
const BAN = { prefix: parsePrefix('45.9.1.7'), since: NOON, until: NOON + 4 * HOUR };
const TOKEN = sends('{"code":200,"token":"abc.def"}');

/** A server that answers each `METHOD /path` of the API with what is given for it, and notes what was asked. */
async function api(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const server = await testServer((request: IncomingMessage, response) => {
    const path = `${request.method} ${request.url?.replace(/\?.*/, '').replace('/v1/', '')}`;
    asked.push(path);
    (answers[path] ?? refuses(500))(request, response);
  });
  return { server, asked };
}

async function push(url: string, deadlineMs = 5000, bans: readonly Ban[] = [BAN]) {
  const http = new HttpClient('blocklist/0.0.0-test', {});
  onTestFinished(() => http.close());
  const environment = { http, now: () => NOON, scenario: 'blocklist/web1', deadlineMs };
  return pushBans(bans, { url, login: 'web1', password: PASSWORD }, environment);
}

/** An alert with one decision, as the API lists it. */
function alert(value: string, duration: string, changes: object = {}) {
  return { machine_id: 'web1', scenario: 'blocklist/web1', decisions: [decisionOf(7, value, duration)], ...changes };
}

function decisionOf(id: number, value: string, duration = '4h') {
  return { id, type: 'ban', value, duration };
}

const lists = (...alerts: object[]) => sends(JSON.stringify(alerts));

describe('what is there already', () => {
  test.each<[what: string, there: Answer, asked: readonly string[]]>([
    ['nothing', sends('null'), ['POST alerts']],
    ['an empty list', sends('[]'), ['POST alerts']],
    ['the same', lists(alert('45.9.1.7', '4h0m0s')), []],
    ['the same, by a clock that is 50 s ahead', lists(alert('45.9.1.7', '3h59m10s')), []],
    ['one that ends sooner', lists(alert('45.9.1.7', '3h')), ['POST alerts', 'DELETE decisions/7']],
    ['one that ends later', lists(alert('45.9.1.7', '5h')), ['POST alerts', 'DELETE decisions/7']],
    ['one that is over', lists(alert('45.9.1.7', '-1s')), ['POST alerts']],
    ['another', lists(alert('45.9.1.8', '4h'), alert('45.9.1.7', '4h')), ['DELETE decisions/7']],
    ['the same twice', lists(alert('45.9.1.7', '4h'), alert('45.9.1.7', '4h')), ['DELETE decisions/7']],
    ['that of another machine', lists(alert('45.9.1.8', '4h', { machine_id: 'web2' })), ['POST alerts']],
    ['that of another scenario', lists(alert('45.9.1.8', '4h', { scenario: 'blocklist/web10' })), ['POST alerts']],
    ['an alert without decisions', lists(alert('', '', { decisions: null })), ['POST alerts']],
  ])('%s', async (_, there, changes) => {
    const answers = { 'POST watchers/login': TOKEN, 'GET alerts': there };
    const { server, asked } = await api({
      ...answers,
      'POST alerts': sends('["1"]'),
      'DELETE decisions/7': sends('{}'),
    });
    await push(server.origin);
    expect(asked).toEqual(['POST watchers/login', 'GET alerts', ...changes]);
    expect(server.requests.slice(1).map(({ authorization }) => authorization)).toEqual(
      Array(changes.length + 1).fill('Bearer abc.def'),
    );
  });

  test('what is over in a moment is not sent; of two bans of one address the longer is', async () => {
    const { server, asked } = await api({ 'POST watchers/login': TOKEN, 'GET alerts': lists(alert('45.9.1.7', '4h')) });
    const soon = { ...BAN, prefix: parsePrefix('45.9.1.8'), until: NOON + 59_000 };
    await push(server.origin, 5000, [{ ...BAN, until: NOON + HOUR }, BAN, { ...BAN, until: NOON + 2 * HOUR }, soon]);
    expect(asked).toEqual(['POST watchers/login', 'GET alerts']);
  });

  test.each([
    ['for good', undefined, '315360000s'],
    ['for 317 years, which no duration of Go holds', NOON + 9_999_999_999_000, '315360000s'],
    ['for 11 years', NOON + 11 * 8760 * HOUR, '315360000s'],
    ['for 9 years', NOON + 9 * 8760 * HOUR, '283824000s'],
  ])('a ban %s ends there in ten years at most', async (_, until, duration) => {
    const sent: string[] = [];
    const answers = { 'POST watchers/login': TOKEN, 'GET alerts': sends('null') };
    const taken: Answer = async (request, response) => {
      for await (const chunk of request) sent.push(String(chunk));
      sends('["1"]')(request, response);
    };
    const { server } = await api({ ...answers, 'POST alerts': taken });
    await push(server.origin, 5000, [{ ...BAN, until }]);
    const alerts = JSON.parse(sent.join('')) as { decisions: { duration: string }[] }[];
    expect(alerts.flatMap(({ decisions }) => decisions.map((decision) => decision.duration))).toEqual([duration]);
  });

  test.each([undefined, NOON + 9_999_999_999_000, NOON + 11 * 8760 * HOUR])(
    'a ban until %s is there when it has nine years left there',
    async (until) => {
      const answers = (hours: string) => ({
        'POST watchers/login': TOKEN,
        'GET alerts': lists(alert('45.9.1.7', hours)),
        'POST alerts': sends('["1"]'),
        'DELETE decisions/7': sends('{}'),
      });
      const pushed = async (hours: string) =>
        push((await api(answers(hours))).server.origin, 5000, [{ ...BAN, until }]);
      expect(await pushed('78900h')).toEqual({ added: 0, deleted: 0 });
      expect(await pushed('78800h')).toEqual({ added: 1, deleted: 1 });
    },
  );

  test('what is said of a ban has room in every database of CrowdSec: 255 characters', async () => {
    const ban = { ...BAN, reason: 'r'.repeat(200), by: 'b'.repeat(200) };
    const { message } = alertOf(ban, 'blocklist/web1', NOON) as { message: string };
    expect(message).toBe(`${'r'.repeat(200)} (${'b'.repeat(53)}`);
  });

  test('many go in requests of a hundred', async () => {
    const sizes: number[] = [];
    const taken: Answer = async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      sizes.push((JSON.parse(body) as unknown[]).length);
      sends('["1"]')(request, response);
    };
    const { server } = await api({
      'POST watchers/login': TOKEN,
      'GET alerts': sends('null'),
      'POST alerts': taken,
    });
    const bans = Array.from({ length: 201 }, (_, i) => ({ ...BAN, prefix: parsePrefix(`45.9.${i}.1`) }));
    expect(await push(server.origin, 5000, bans)).toEqual({ added: 201, deleted: 0 });
    expect(sizes).toEqual([100, 100, 1]);
  });

  test('a decision that cannot be deleted keeps none of the others back', async () => {
    const there = lists(alert('45.9.1.8', '4h'), alert('45.9.1.9', '4h', { decisions: [decisionOf(8, '45.9.1.9')] }));
    const answers = { 'POST watchers/login': TOKEN, 'GET alerts': there, 'POST alerts': sends('["1"]') };
    const { server, asked } = await api({ ...answers, 'DELETE decisions/8': sends('{}') });
    expect(await problemOf(() => push(server.origin))).toMatchObject({ message: 'the server answered 500' });
    expect(asked.slice(-2)).toEqual(['DELETE decisions/7', 'DELETE decisions/8']);
  });

  test('a decision that somebody deleted in the meantime is no failure', async () => {
    const there = lists(alert('45.9.1.8', '4h'), alert('45.9.1.7', '4h'));
    const answers = { 'POST watchers/login': TOKEN, 'GET alerts': there, 'DELETE decisions/7': refuses(404) };
    expect(await push((await api(answers)).server.origin)).toEqual({ added: 0, deleted: 1 });
  });
});

describe('a server that is something else', () => {
  test.each<[what: string, answers: Readonly<Record<string, Answer>>, code: string, message: string]>([
    ['a web page', { 'POST watchers/login': sends('<html>') }, 'source-format', 'is not CrowdSec'],
    ['no token', { 'POST watchers/login': sends('{"code":200}') }, 'source-format', 'is not CrowdSec'],
    [
      'a token with a line break',
      { 'POST watchers/login': sends('{"token":"a\\nb"}') },
      'source-format',
      'is not Crowd',
    ],
    ['wrong password', { 'POST watchers/login': refuses(401) }, 'http-failed', 'the server answered 401'],
    ['unvalidated machine', { 'POST watchers/login': refuses(403) }, 'http-failed', 'the server answered 403'],
    ['broken alerts', { 'POST watchers/login': TOKEN, 'GET alerts': sends('{}') }, 'source-format', 'is not CrowdSec'],
    ['half of the alerts', { 'POST watchers/login': TOKEN, 'GET alerts': sends('[{') }, 'source-format', 'is not Crow'],
    [
      'a time that is none',
      { 'POST watchers/login': TOKEN, 'GET alerts': lists(alert('45.9.1.7', '4 hours')) },
      'source-format',
      'is not CrowdSec',
    ],
    [
      'an id that is a path',
      { 'POST watchers/login': TOKEN, 'GET alerts': lists(alert('x', '4h', { decisions: [{ id: '../machines' }] })) },
      'source-format',
      'is not CrowdSec',
    ],
    [
      'alerts are refused',
      { 'POST watchers/login': TOKEN, 'GET alerts': sends('[]'), 'POST alerts': refuses(500) },
      'http-failed',
      'the server answered 500',
    ],
    ['another address', { 'POST watchers/login': refuses(404) }, 'http-failed', 'the server answered 404'],
    ['silence', { 'POST watchers/login': () => undefined }, 'http-failed', 'no complete answer within'],
  ])('%s', async (_, answers, code, message) => {
    const { server } = await api(answers);
    const problem = await problemOf(() => push(server.origin, 700));
    expect(problem).toMatchObject({ code, where: server.origin, message: expect.stringContaining(message) });
    expect(`${problem.message}${problem.hint}`).not.toContain(PASSWORD);
    expect(problem.hint).toMatch(code === 'source-format' || message.endsWith('404') ? /check the url/ : /cscli|next/);
  });

  test('is not followed elsewhere with the password', async () => {
    const other = await testServer(TOKEN);
    const { server } = await api({ 'POST watchers/login': redirects(() => `${other.origin}/v1/watchers/login`) });
    expect(await problemOf(() => push(server.origin))).toMatchObject({ code: 'http-failed' });
    expect(other.requests).toEqual([]);
  });

  test('is not waited for without end', async () => {
    const { server } = await api({ 'POST watchers/login': TOKEN });
    expect(await problemOf(() => push(server.origin, 0))).toMatchObject({
      message: 'not all of them within 0 s',
    });
    expect(server.requests).toEqual([]);
  });
});

describe('credentials', () => {
  async function file(text: string, mode = 0o640): Promise<string> {
    const path = join(await tempFolder(), 'machine.yaml');
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  }

  test('as cscli writes them; more keys are none of ours', async () => {
    const path = await file('url: http://127.0.0.1:8080/\nlogin: web1\npassword: "a: b"\npapi_url: https://x\n');
    expect(await readCredentials(path)).toEqual({ url: 'http://127.0.0.1:8080', login: 'web1', password: 'a: b' });
  });

  test.each([
    '',
    'text',
    '[]',
    'url: http://127.0.0.1:8080\nlogin: web1\n',
    'url: ftp://127.0.0.1\nlogin: a\npassword: b\n',
    'url: /run/crowdsec.sock\nlogin: a\npassword: b\n',
    'url: http://u:p@127.0.0.1\nlogin: a\npassword: b\n',
    'url: http://127.0.0.1\nlogin: a\npassword: 7\n',
    'url: http://127.0.0.1\nlogin: &a x\npassword: *a\n: {',
    `url: http://127.0.0.1\nlogin: a\npassword: b\n#${'x'.repeat(5000)}`,
  ])('%j: refused', async (text) => {
    expect(await problemOf(async () => readCredentials(await file(text)))).toMatchObject({ code: 'source-key' });
  });

  test('that others may read are refused, as are those that are not there', async () => {
    const good = 'url: http://127.0.0.1:8080\nlogin: a\npassword: b\n';
    expect(await problemOf(async () => readCredentials(await file(good, 0o644)))).toMatchObject({ code: 'source-key' });
    expect(await problemOf(() => readCredentials('/nonexistent/x'))).toMatchObject({ code: 'file-unreadable' });
  });
});
