import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { problemOf, tempFolder } from '../io/temp.js';
import { must } from '../system/processes.js';
import { systemTest } from '../system/requirements.js';
import { redirects, sends, testServer } from './server.js';
import { keptIn, loadSpec, textOf, urlSpec } from './specs.js';

const LIST = '192.0.2.1\n';

/** A certificate for 127.0.0.1 that nobody signed. */
async function certificate() {
  const folder = await tempFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await must(['openssl', 'req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert]);
  return { key: await readFile(key), cert: await readFile(cert) };
}

/** For one test, certificates are taken as they come: node reads this variable at each handshake. */
function trustEverything(): void {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  onTestFinished(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
}

systemTest('a certificate that nobody signed is refused', ['openssl'], async () => {
  const server = await testServer(sends(LIST), await certificate());
  const problem = await problemOf(async () => loadSpec(urlSpec(`${server.origin}/list`), await tempFolder()));
  expect(problem).toMatchObject({ code: 'http-failed', where: `${server.origin}/list` });
  expect(problem.message).toMatch(/certificate/);
  expect(server.requests).toEqual([]);
});

systemTest('https stays https: a redirect to http is refused, and not asked', ['openssl'], async () => {
  trustEverything();
  const plain = await testServer(sends(LIST));
  const server = await testServer(
    redirects(() => `${plain.origin}/list`),
    await certificate(),
  );
  const cache = join(await tempFolder(), 'cache');
  const problem = await problemOf(() => loadSpec(urlSpec(`${server.origin}/list`), cache));
  expect(problem).toMatchObject({
    code: 'http-refused',
    message: 'refused the redirect from https: to http:',
    where: `${server.origin}/list`,
  });
  expect(plain.requests).toEqual([]);
  expect(await keptIn(cache)).toEqual({});
});

systemTest('from http to https, and on within https, is followed', ['openssl'], async () => {
  trustEverything();
  const server = await testServer(
    (request, response) => {
      if (request.url === '/list') sends(LIST)(request, response);
      else redirects(() => '/list')(request, response);
    },
    await certificate(),
  );
  const plain = await testServer(redirects(() => `${server.origin}/here`));
  const loaded = await loadSpec(urlSpec(`${plain.origin}/list`), await tempFolder());
  expect(textOf(loaded.set)).toEqual(['192.0.2.1']);
  expect(server.requests).toHaveLength(2);
});

systemTest('http in the middle of https is refused', ['openssl'], async () => {
  trustEverything();
  const server = await testServer(sends(LIST), await certificate());
  const plain = await testServer(redirects(() => `${server.origin}/list`));
  server.answer = redirects(() => `${plain.origin}/list`);
  const problem = await problemOf(async () => loadSpec(urlSpec(`${server.origin}/list`), await tempFolder()));
  expect(problem.code).toBe('http-refused');
  expect(plain.requests).toEqual([]);
});
