import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Answer, breaksOff, neverEnds, redirects, refuses, sends, testServer } from '../sources/server.js';
import { projectWith } from './cli.js';
import { lineOf, nodesOf, rulesOf, update } from './far.js';

const KEY = 'Tr0ub4dor-3';

function answer(...addresses: readonly string[]): string {
  const decisions = addresses.map((value, i) => ({
    ...{ duration: '3h59m55.1s', id: i + 1, origin: 'crowdsec', scenario: 'crowdsecurity/ssh-bf', scope: 'Ip' },
    ...{ type: 'ban', value },
  }));
  return JSON.stringify({ deleted: null, new: decisions });
}

const GOOD = answer('45.9.1.7', '45.9.1.8');

async function project(url: string, more = ''): Promise<string> {
  const crowdsec = `crowdsec: {url: "${url}", key-file: key, timeout: 1${more}}`;
  const yaml = `sources: {custom: [{id: near, file: near.txt}], ${crowdsec}}\nfetch: {deadline: 2s}`;
  const folder = await projectWith(yaml, { key: `${KEY}\n`, 'near.txt': '5.6.7.10\n' });
  await chmod(join(folder, 'key'), 0o600);
  return folder;
}

describe('CrowdSec answers with something else: last good serves, exit status 3', () => {
  test.each<[what: string, answer: Answer, line: RegExp]>([
    ['401', refuses(401), /the server answered 401 /],
    ['403', refuses(403, '{"message":"access forbidden"}'), /the server answered 403 /],
    ['404', refuses(404), /the server answered 404 /],
    ['429', refuses(429), /the server answered 429 /],
    ['500', refuses(500, '{"message":"database is locked"}'), /the server answered 500 /],
    ['502 of a proxy', refuses(502, '<html>bad gateway</html>'), /the server answered 502 /],
    ['a web page', sends('<!doctype html><html><body>Welcome</body></html>'), /a web page came in place of a list/],
    ['nothing', sends(''), /this is no list of decisions/],
    ['another service', sends('{"status":"up"}'), /this is no list of decisions/],
    ['an error with status 200', sends('{"message":"access forbidden"}'), /this is no list of decisions/],
    ['half an answer that says it is whole', sends(GOOD.slice(0, 150)), /this is no list of decisions/],
    ['half a body, then a reset', breaksOff(GOOD, 'reset'), /./],
    ['half a body, then the end', breaksOff(GOOD, 'end'), /./],
    ['half of a gzip', sends(gzipSync(GOOD).subarray(0, -9), { 'content-encoding': 'gzip' }), /cut off/],
    ['silence', () => undefined, /no complete answer within/],
    ['a body without end, slowly', neverEnds('{"new":[', 50), /no complete answer within/],
    ['a redirect to a file', redirects(() => 'file:///etc/passwd'), /refused the redirect/],
    ['redirects without end', redirects((path) => `${path}x`), /more than 5 redirects/],
    ['more than 5 % rubbish', sends(answer(...Array(18).fill('45.9.1.7'), 'x')), /1 of 19 bans are unreadable/],
    ['the whole internet', sends(answer('0.0.0.0/0')), /wider than the \/8 allowed/],
  ])('%s', async (_, fault, line) => {
    const server = await testServer(sends(GOOD));
    const folder = await project(server.origin);
    expect(await update(folder)).toMatchObject({ status: 0 });
    const before = await rulesOf(folder);
    server.answer = fault;
    const ran = await update(folder);
    expect(ran.status).toBe(3);
    expect(lineOf(ran, 'crowdsec')).toMatch(line);
    expect(lineOf(ran, 'crowdsec')).toMatch(/; last good(, .* old,)? is used$/);
    expect(await rulesOf(folder)).toEqual(before);
  });

  test.each<[what: string, answer: Answer, hint: string]>([
    ['403', refuses(403), 'cscli bouncers add blocklist'],
    ['404', refuses(404), 'check sources.crowdsec.url'],
    ['500', refuses(500), 'journalctl -u crowdsec'],
    ['silence', () => undefined, 'raise sources.crowdsec.timeout'],
    ['half an answer', sends(GOOD.slice(0, 150)), 'cscli lapi status'],
    ['the whole internet', sends(answer('0.0.0.0/0')), 'take that ban back'],
  ])('%s: below it stands what to do', async (_, fault, hint) => {
    const server = await testServer(fault);
    const { stderr } = await update(await project(server.origin));
    const lines = stderr.split('\n');
    expect(lines[lines.findIndex((line) => line.startsWith('crowdsec: ')) + 1]).toMatch(new RegExp(`^ {2}.*${hint}`));
  });

  test.each([429, 500])('after %i it is asked again with the next update: a deletion must not wait', async (status) => {
    const server = await testServer(refuses(status));
    const folder = await project(server.origin);
    await update(folder);
    server.answer = sends(answer('45.9.1.9'));
    expect(await update(folder)).toMatchObject({ status: 0 });
    expect(await nodesOf(folder)).toBe('5.6.7.10\n45.9.1.9\n');
  });

  test('nobody listens', async () => {
    const server = await testServer(sends(GOOD));
    const folder = await project(server.origin);
    await update(folder);
    await server.stop();
    const ran = await update(folder);
    expect(ran.status).toBe(3);
    expect(lineOf(ran, 'crowdsec')).toMatch(/ECONNREFUSED.*; last good/);
    expect(await nodesOf(folder)).toBe('5.6.7.10\n45.9.1.7\n45.9.1.8\n');
  });

  test('without last good: nothing to use, and the other sources are', async () => {
    const server = await testServer(refuses(403));
    const folder = await project(server.origin);
    const ran = await update(folder);
    expect(ran.status).toBe(3);
    expect(lineOf(ran, 'crowdsec')).toMatch(/; nothing to use$/);
    expect(await nodesOf(folder)).toBe('5.6.7.10\n');
  });
});

describe('what is asked', () => {
  test.each([
    ['', 'scopes=ip,range'],
    [', scopes: [ip, country, as]', 'scopes=ip,country,as'],
    [', origins: [CAPI, "lists:a b", "lists:c"]', 'scopes=ip,range&origins=CAPI,lists'],
  ])('%s', async (more, filter) => {
    const asked: (string | undefined)[] = [];
    const server = await testServer((request, response) => {
      asked.push(request.url);
      sends(GOOD)(request, response);
    });
    expect(await update(await project(`${server.origin}/`, more))).toMatchObject({ status: 0 });
    expect(asked).toEqual([`/v1/decisions/stream?startup=true&dedup=false&${filter}`]);
    expect(server.requests[0]?.['x-api-key']).toBe(KEY);
  });

  test('a build asks nobody', async () => {
    const server = await testServer(sends(GOOD));
    const folder = await project(server.origin);
    await update(folder);
    expect(await update(folder, ['--offline'])).toMatchObject({ status: 0 });
    expect(server.requests).toHaveLength(1);
    expect(await nodesOf(folder)).toBe('5.6.7.10\n45.9.1.7\n45.9.1.8\n');
  });
});

describe('the key', () => {
  test('does not follow a redirect to another server, and is shown and kept nowhere', async () => {
    const other = await testServer(sends(GOOD));
    const server = await testServer(redirects(() => `${other.origin}/`));
    const folder = await project(server.origin);
    const ran = await update(folder, ['--verbose']);
    expect(server.requests.map((headers) => headers['x-api-key'])).toEqual([KEY]);
    expect(other.requests.map((headers) => headers['x-api-key'])).toEqual([undefined]);
    expect(`${ran.stdout}${ran.stderr}`).not.toContain(KEY);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const { name, parentPath } of entries.filter((entry) => entry.isFile() && entry.name !== 'key')) {
      expect(await readFile(join(parentPath, name), 'latin1')).not.toContain(KEY);
    }
  });

  test('that others may read is refused', async () => {
    const server = await testServer(sends(GOOD));
    const folder = await project(server.origin);
    await chmod(join(folder, 'key'), 0o644);
    expect(await update(folder)).toMatchObject({ status: 2, stderr: expect.stringContaining('chmod o= ') });
    expect(server.requests).toEqual([]);
  });
});

test('another address of the API, or other scopes, do not fall back to what was kept of the first', async () => {
  const server = await testServer(sends(GOOD));
  const folder = await project(server.origin);
  await update(folder);
  const yaml = await readFile(join(folder, 'blocklist.yaml'), 'utf8');
  await writeFile(join(folder, 'blocklist.yaml'), yaml.replace('timeout: 1', 'timeout: 1, scopes: [range]'));
  await server.stop();
  expect(await update(folder)).toMatchObject({ status: 4, stderr: expect.stringContaining('nothing was changed') });
});
