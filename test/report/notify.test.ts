import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HttpClient } from '../../src/io/http.js';
import { type Channel, notify } from '../../src/report/notify.js';
import { problemOf } from '../io/temp.js';

const MESSAGE = { subject: 'blocklist on web1: a new finding', text: 'HIGH LOGIN-BLOCKED-ADDR …\n' };

/** A server that answers in turn with these; what it got. */
async function webhook(...statuses: readonly number[]) {
  const got: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    got.push(`${request.method} ${request.headers['content-type']} ${body}`);
    const status = statuses[Math.min(got.length, statuses.length) - 1] ?? 200;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {});
    response.end('ok');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const http = new HttpClient('test', {});
  onTestFinished(async () => {
    await http.close();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const channel: Channel = { kind: 'webhook', url: `http://127.0.0.1:${port}/hook/SECRET`, http };
  return { got, channel };
}

test('a webhook gets it once, as JSON', async () => {
  const { got, channel } = await webhook(200);
  await notify(MESSAGE, [channel], [1, 1]);
  expect(got).toEqual([`POST application/json ${JSON.stringify({ text: `${MESSAGE.subject}\n\n${MESSAGE.text}` })}`]);
});

test('it is tried three times', async () => {
  const { got, channel } = await webhook(500, 503, 200);
  await notify(MESSAGE, [channel], [1, 1]);
  expect(got).toHaveLength(3);
});

test.each([
  ['that refuses', 403],
  ['that is broken', 500],
  ['that leads elsewhere', 302],
])('one %s: an error, without the address that lets anybody post; the others are told', async (_, status) => {
  const [broken, whole] = [await webhook(status), await webhook(200)];
  const problem = await problemOf(() => notify(MESSAGE, [broken.channel, whole.channel], [1, 1]));
  expect(problem.code).toBe('notify-failed');
  expect(JSON.stringify([problem.message, problem.where, problem.hint])).not.toContain('SECRET');
  expect([broken.got.length, whole.got.length]).toEqual([3, 1]);
});

test('nobody listens', async () => {
  const http = new HttpClient('test', {});
  const problem = await problemOf(() =>
    notify(MESSAGE, [{ kind: 'webhook', url: 'http://127.0.0.1:1/SECRET', http }], [1, 1]),
  );
  expect(problem).toMatchObject({ code: 'notify-failed' });
  expect(problem.message).not.toContain('SECRET');
  await http.close();
});
