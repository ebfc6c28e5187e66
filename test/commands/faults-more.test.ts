import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificate } from '../sources/certificate.js';
import { floods, hosts, muteServer, NEW, OLD, OWN_ADDRESS, stalls } from '../sources/faults.js';
import { redirects, refuses, sends, type TestServer, testServer } from '../sources/server.js';
import { systemTest } from '../system/requirements.js';
import { blocklist, projectWith } from './cli.js';
import { farProject, lineOf, nodesOf, rulesOf, update, updateJson } from './far.js';

const ALL_WELL = { status: 0, data: 'fresh', problem: undefined };
const NEAR = '5.6.7.10\n';

/** A project whose source has OLD as last good, and then what the server answers from now on. */
async function withLastGood(server: TestServer, answer: TestServer['answer'], keys = ''): Promise<string> {
  const folder = await farProject(`${server.origin}/list`, keys);
  server.answer = sends(OLD);
  expect(await updateJson(folder)).toEqual(ALL_WELL);
  server.requests.length = 0;
  server.answer = answer;
  return folder;
}

describe('the first fetch, without last good', () => {
  test('304: nothing of it, and the reason is told in both forms', async () => {
    const server = await testServer(refuses(304, ''));
    const folder = await farProject(`${server.origin}/list`);
    const { status, stdout } = await update(folder, ['--json']);
    expect(status).toBe(3);
    // A program that reads this must be able to learn which source is missing, and why.
    expect(stdout).toMatch(/"far"/);
    expect(stdout).toMatch(/"http-failed"/);
    const said = await update(folder, ['--force']);
    expect(said.status).toBe(3);
    expect(lineOf(said)).toBe(`far: the server answered 304 (${server.origin}/list); nothing to use`);
    expect(await nodesOf(folder)).toBe(NEAR);
  });

  test.each([
    ['a page', `<!doctype html><p>Your address is\n${OWN_ADDRESS}\n`],
    ['a page behind blank lines', `${'\n'.repeat(600)}<html><p>Your address is\n${OWN_ADDRESS}\n</html>`],
    ['a page behind a comment', `<!-- ${'x'.repeat(600)} -->\n<html>\n${OWN_ADDRESS}\n</html>`],
    ['words', `Access denied.\nYour IP: ${OWN_ADDRESS}\n${OWN_ADDRESS}\n`],
    ['JSON', `{"ip":\n"${OWN_ADDRESS}"\n}\n`],
  ])('a challenge with the address of this host, as %s: it is not blocked', async (_, body) => {
    const server = await testServer(sends(body));
    const folder = await farProject(`${server.origin}/list`);
    expect((await update(folder)).status).toBe(3);
    expect(await nodesOf(folder)).toBe(NEAR);
    expect(JSON.stringify(await rulesOf(folder))).not.toContain(OWN_ADDRESS);
  });
});

describe('a server that wants to be left alone', () => {
  test('429 with Retry-After: not asked again before that, unless a person forces it', async () => {
    const server = await testServer(sends(OLD));
    const folder = await withLastGood(server, (_, response) => {
      response.writeHead(429, { 'retry-after': '7200' });
      response.end();
    });
    const before = await rulesOf(folder);
    const first = await update(folder);
    expect({ status: first.status, line: lineOf(first) }).toEqual({
      status: 3,
      line: `far: the server answered 429 (${server.origin}/list); last good is used`,
    });
    expect(server.requests).toHaveLength(1);

    const from = Date.now();
    const second = await update(folder);
    expect(second.status).toBe(3);
    const until = /^far: the server refused us: not asked again before (\S+ \S+) UTC \(.*\); last good is used$/.exec(
      lineOf(second),
    );
    const waitMs = Date.parse(`${until?.[1]?.replace(' ', 'T')}:00Z`) - from;
    expect(Math.round(waitMs / 3_600_000)).toBe(2);
    expect(server.requests).toHaveLength(1);
    expect(await updateJson(folder)).toEqual({ status: 3, data: 'kept', problem: 'http-failed' });
    expect(server.requests).toHaveLength(1);
    expect(await rulesOf(folder)).toEqual(before);

    server.answer = sends(NEW);
    expect((await update(folder, ['--force'])).status).toBe(0);
    expect(server.requests).toHaveLength(2);
    expect(await nodesOf(folder)).toBe(`${NEAR}${NEW}`);
    expect((await update(folder)).status).toBe(0);
    expect(server.requests).toHaveLength(3);
  });

  test('500 and then the list: asked again within the run, and all is well', async () => {
    const server = await testServer(sends(OLD));
    const folder = await withLastGood(server, (request, response) =>
      (server.requests.length === 1 ? refuses(500) : sends(NEW))(request, response),
    );
    const said = await update(folder);
    expect({ status: said.status, line: lineOf(said) }).toEqual({ status: 0, line: '' });
    expect(server.requests).toHaveLength(2);
    expect(await nodesOf(folder)).toBe(`${NEAR}${NEW}`);
  });
});

describe('a change that a person accepts', () => {
  test.each([
    ['49 %', 49],
    ['four times', 400],
  ])('%s of the entries: taken, and the next night is quiet', async (_, count) => {
    const server = await testServer(sends(OLD));
    const folder = await withLastGood(server, sends(hosts('9.9', count)));
    expect((await update(folder)).status).toBe(3);
    expect(await nodesOf(folder)).toBe(`${OLD}${NEAR}`);

    const accepted = await update(folder, ['--accept-change', 'far']);
    expect({ status: accepted.status, line: lineOf(accepted) }).toEqual({ status: 0, line: '' });
    expect(await nodesOf(folder)).toBe(`${NEAR}${hosts('9.9', count)}`);
    expect(await update(folder, ['--quiet'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await nodesOf(folder)).toBe(`${NEAR}${hosts('9.9', count)}`);
  });

  test('of another source changes nothing for this one', async () => {
    const server = await testServer(sends(OLD));
    const folder = await withLastGood(server, sends(hosts('9.9', 400)));
    expect((await update(folder, ['--accept-change', 'near'])).status).toBe(3);
    expect(await nodesOf(folder)).toBe(`${OLD}${NEAR}`);
  });
});

describe('a server that listens and says nothing', () => {
  test.each(['http', 'https'])('over %s: its time is kept, and so is last good', async (scheme) => {
    const server = await testServer(sends(OLD));
    const folder = await withLastGood(server, sends(OLD), 'timeout: 1');
    const before = await rulesOf(folder);
    const port = await muteServer();
    server.answer = redirects(() => `${scheme}://127.0.0.1:${port}/list`);
    const begun = performance.now();
    const said = await update(folder);
    expect(said.status).toBe(3);
    expect(lineOf(said)).toMatch(/^far: no complete answer within 1 s \(.+\); last good is used$/);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(await rulesOf(folder)).toEqual(before);
  });
});

describe('redirects', () => {
  systemTest('from https to http: refused, and not asked', ['openssl'], async () => {
    const { file, ...tls } = await certificate();
    const [plain, secure] = [await testServer(sends(NEW)), await testServer(sends(OLD), tls)];
    const folder = await farProject(`${secure.origin}/list`);
    const env = { NODE_EXTRA_CA_CERTS: file };
    expect(await updateJson(folder, env)).toEqual(ALL_WELL);
    const before = await rulesOf(folder);
    secure.answer = redirects(() => `${plain.origin}/list`);
    expect(await updateJson(folder, env)).toEqual({ status: 3, data: 'kept', problem: 'http-refused' });
    const said = await update(folder, [], env);
    expect(said.status).toBe(3);
    expect(lineOf(said)).toBe(
      `far: refused the redirect from https: to http: (${secure.origin}/list); last good is used`,
    );
    expect(await rulesOf(folder)).toEqual(before);
    expect(plain.requests).toEqual([]);
  });

  systemTest('a certificate that nobody signed is refused: last good serves', ['openssl'], async () => {
    const { file, ...tls } = await certificate();
    const server = await testServer(sends(OLD), tls);
    const folder = await farProject(`${server.origin}/list`, '', 'fetch: {deadline: 3s}');
    expect(await updateJson(folder, { NODE_EXTRA_CA_CERTS: file })).toEqual(ALL_WELL);
    server.answer = sends(NEW);
    const said = await update(folder);
    expect(said.status).toBe(3);
    expect(lineOf(said)).toMatch(/^far: self-signed certificate \(https:.+\); last good is used$/);
    expect(await nodesOf(folder)).toBe(`${OLD}${NEAR}`);
    expect(server.requests).toHaveLength(1);
  });

  test.each(['127.0.0.2', '[::ffff:127.0.0.2]', '0x7f.2', '127.0.0.2.', 'localhost', '2130706434'])(
    'to another address of this host, written %s: refused, and not asked',
    async (host) => {
      const server = await testServer(sends(OLD));
      // Every address of the loopback, so that whatever is asked is seen.
      let asked = 0;
      const other = createServer((_, response) => {
        asked++;
        response.end(NEW);
      });
      await new Promise<void>((resolve) => void other.listen(0, '0.0.0.0', resolve));
      onTestFinished(() => new Promise<void>((resolve) => void other.close(() => resolve())));
      const { port } = other.address() as AddressInfo;
      const folder = await withLastGood(
        server,
        redirects(() => `http://${host}:${port}/list`),
      );
      expect(await updateJson(folder)).toEqual({ status: 3, data: 'kept', problem: 'http-refused' });
      expect(asked).toBe(0);
      expect(await nodesOf(folder)).toBe(`${OLD}${NEAR}`);
      // The counter works.
      await (await fetch(`http://127.0.0.2:${port}/`)).text();
      expect(asked).toBe(1);
    },
  );

  test('with a name and password in the address: they are not sent on, and not shown', async () => {
    const server = await testServer(sends(OLD));
    const answer: TestServer['answer'] = (request, response) => {
      if (request.url === '/there') sends(NEW)(request, response);
      else redirects(() => server.origin.replace('//', '//admin:hunter2@').concat('/there'))(request, response);
    };
    const folder = await withLastGood(server, answer);
    const said = await update(folder);
    expect(said.status).toBe(0);
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    expect(`${said.stdout}${said.stderr}`).not.toContain('hunter2');
    expect(await nodesOf(folder)).toBe(`${NEAR}${NEW}`);
  });

  test('with line ends, as percent signs, in Location: they stay what they are', async () => {
    const server = await testServer(sends(OLD));
    const asked: (string | undefined)[] = [];
    const folder = await withLastGood(server, (request, response) => {
      asked.push(request.url);
      if (request.url !== '/list') sends(NEW)(request, response);
      else redirects(() => '/a%0d%0aX-Evil:%20yes%0d%0a%0d%0aGET%20/b')(request, response);
    });
    expect((await update(folder)).status).toBe(0);
    expect(asked).toEqual(['/list', '/a%0d%0aX-Evil:%20yes%0d%0a%0d%0aGET%20/b']);
    expect(server.requests[1]).not.toHaveProperty('x-evil');
  });
});

describe('one source beside another', () => {
  function both(first: string, second: string): Promise<string> {
    const rows = `{id: far, url: "${first}", timeout: 1}, {id: next, url: "${second}", timeout: 6}`;
    return projectWith(`sources: {custom: [${rows}]}`);
  }

  test.each<[what: string, answer: TestServer['answer']]>([
    ['a redirect to nowhere that never ends', stalls(302, {}, 'x')],
    ['a redirect to a file that never ends', stalls(302, { location: 'file:///etc/passwd' }, 'x')],
    ['a redirect to a file that floods', floods(302, { location: 'file:///etc/passwd' })],
    ['a refusal that floods', floods(403, {})],
    ['a body that floods', floods(200, {})],
  ])('%s, and its time passes while the other is fetched: the other is used', async (_, answer) => {
    const slow = await testServer((__, response) => void setTimeout(() => response.end(NEW), 2500));
    const folder = await both(`${(await testServer(answer)).origin}/list`, `${slow.origin}/list`);
    const { status, stderr } = await blocklist(['update', '--quiet'], { cwd: folder });
    expect(stderr).toMatch(/^far: .+; nothing to use\n$/);
    expect(status).toBe(3);
    expect(await nodesOf(folder)).toBe(NEW);
  });

  test.each<[what: string, answer: TestServer['answer']]>([
    ['a redirect to nowhere', floods(302, {})],
    ['a redirect to a file', floods(302, { location: 'file:///etc/passwd' })],
    ['a refusal', floods(403, {})],
    ['a body beyond the cap', floods(200, {})],
  ])('%s without end does not hold up the next address of the same server', async (_, answer) => {
    const server = await testServer((request, response) =>
      (request.url === '/next' ? sends(NEW) : answer)(request, response),
    );
    const folder = await both(`${server.origin}/list`, `${server.origin}/next`);
    const { status, stderr } = await blocklist(['update', '--quiet'], { cwd: folder });
    expect(stderr).toMatch(/^far: .+; nothing to use\n$/);
    expect(status).toBe(3);
    expect(await nodesOf(folder)).toBe(NEW);
  });
});
