import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { redirects, sends, type TestServer, testServer } from '../sources/server.js';
import { blocklist, projectWith } from './cli.js';

const LIST = '5.6.7.8\n5.6.7.12\n';

function project({ origin }: TestServer): Promise<string> {
  return projectWith(`sources: {custom: [{id: far, url: "${origin}/list", timeout: 20}, {id: near, file: near.txt}]}`, {
    'near.txt': '5.6.7.10\n',
  });
}

function nodes(folder: string): Promise<string> {
  return readFile(join(folder, 'rules', 'nodes4.txt'), 'utf8');
}

/** What `--json` tells of the source `far`. */
async function update(folder: string, command = 'update') {
  const { status, stdout } = await blocklist([command, '--json'], { cwd: folder });
  const { sources } = JSON.parse(stdout) as { sources: Record<string, unknown>[] };
  const { data, problem, entries } = sources[0] ?? {};
  return { status, data, problem, entries };
}

describe('update', () => {
  test('fetches, the second time only what is newer, and serves last good when the server is gone', async () => {
    const server = await testServer((request, response) => {
      if (request.headers['if-none-match'] === '"1"') {
        response.writeHead(304);
        response.end();
      } else sends(LIST, { etag: '"1"' })(request, response);
    });
    const folder = await project(server);

    expect(await update(folder)).toEqual({ status: 0, data: 'fresh', problem: undefined, entries: 2 });
    expect(await nodes(folder)).toBe('5.6.7.8\n5.6.7.10\n5.6.7.12\n');
    expect(server.requests[0]?.['user-agent']).toMatch(/^blocklist\/\d+\.\d+\.\d+$/);

    expect(await update(folder)).toEqual({ status: 0, data: 'unchanged', problem: undefined, entries: 2 });
    expect(server.requests.map((headers) => headers['if-none-match'])).toEqual([undefined, '"1"']);

    expect(await update(folder, 'build')).toEqual({ status: 0, data: 'kept', problem: undefined, entries: 2 });
    expect(server.requests).toHaveLength(2);

    await server.stop();
    expect(await update(folder)).toEqual({ status: 3, data: 'kept', problem: 'http-failed', entries: 2 });
    expect(await nodes(folder)).toBe('5.6.7.8\n5.6.7.10\n5.6.7.12\n');
    const { status, stderr } = await blocklist(['update'], { cwd: folder });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^far: .*\(http:\/\/127\.0\.0\.1:\d+\/list\); last good is used\n/);
  });

  test('a new body changes the rules', async () => {
    const server = await testServer(sends(LIST));
    const folder = await project(server);
    await update(folder);
    server.answer = sends('5.6.7.14\n');
    expect(await update(folder)).toMatchObject({ status: 0, data: 'fresh', entries: 1 });
    expect(await nodes(folder)).toBe('5.6.7.10\n5.6.7.14\n');
  });

  test.each<[what: string, answer: TestServer['answer'], problem: string]>([
    ['a challenge page', sends('<!doctype html><p>Your address is 203.0.113.77'), 'source-html'],
    ['nothing', sends(''), 'source-empty'],
    ['half of the internet', sends('0.0.0.0/1\n'), 'source-too-wide'],
    ['a redirect to a file', redirects(() => 'file:///etc/passwd'), 'http-refused'],
  ])('%s in place of the list: last good serves, exit status 3', async (_, answer, problem) => {
    const server = await testServer(sends(LIST));
    const folder = await project(server);
    await update(folder);
    server.answer = answer;
    expect(await update(folder)).toEqual({ status: 3, data: 'kept', problem, entries: 2 });
    expect(await nodes(folder)).toBe('5.6.7.8\n5.6.7.10\n5.6.7.12\n');
  });

  test('the first time without last good: the others are rendered, exit status 3', async () => {
    const server = await testServer(sends(''));
    const folder = await project(server);
    const { status, stderr } = await blocklist(['update'], { cwd: folder });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^far: no entry: the list holds nothing \(.*\); nothing to use\n/);
    expect(await nodes(folder)).toBe('5.6.7.10\n');
  });

  test('nothing at all: refused with exit status 4', async () => {
    const server = await testServer(sends(''));
    const folder = await projectWith(`sources: {custom: [{id: far, url: "${server.origin}/list"}]}`);
    const { status, stderr } = await blocklist(['update'], { cwd: folder });
    expect(status).toBe(4);
    expect(stderr).toContain('blocklist: no address is left to block: nothing is rendered\n');
  });

  test('text of a feed cannot reach the terminal as it is', async () => {
    const server = await testServer(sends(`${LIST}\x1b]0;owned\x07\x1b[2J\n`));
    const folder = await project(server);
    const { status, stderr } = await blocklist(['update', '--verbose'], { cwd: folder });
    expect(status).toBe(3);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });
});
