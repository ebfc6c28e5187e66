import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.js';
import { BlocklistError } from '../../../src/errors.js';
import { HttpClient } from '../../../src/io/http.js';
import { tryCrowdsec } from '../../../src/sources/bans/crowdsec-trial.js';
import { tempFolder } from '../../io/temp.js';
import { type Answer, breaksOff, redirects, refuses, sends, testServer } from '../server.js';

const KEY = 'Tr0ub4dor-3';

/** What a trial says of a server that answers so. */
async function trial(answer: Answer, { mode = 0o600, more = '' } = {}) {
  const folder = await tempFolder();
  await writeFile(join(folder, 'key'), `${KEY}\n`, { mode });
  const asked: (string | undefined)[] = [];
  const server = await testServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${String(request.headers['x-api-key'])}`);
    answer(request, response);
  });
  const yaml = `sources: {crowdsec: {url: "${server.origin}/", key-file: key, timeout: 1${more}}}`;
  const entry = parseConfig(yaml, join(folder, 'blocklist.yaml')).sources.crowdsec!;
  const http = new HttpClient('blocklist/0.0.0-test', {});
  onTestFinished(() => http.close());
  return { ...(await tryCrowdsec(entry, http)), asked, folder };
}

test.each(['null', '[]', '[{"id":1,"value":"192.0.0.0/16","type":"ban"}]', ' null\n'])(
  '%s is an answer of CrowdSec; it is asked once, for one address',
  async (body) => {
    const { key, credentials, answer, asked } = await trial(sends(body));
    expect({ key, credentials, answer }).toEqual({ key: undefined, credentials: undefined, answer: 'good' });
    expect(asked).toEqual([`GET /v1/decisions?ip=192.0.2.1 ${KEY}`]);
  },
);

describe('anything else is a problem, with what to do', () => {
  test.each<[what: string, answer: Answer, message: RegExp, hint: RegExp]>([
    ['403', refuses(403), /answered 403/, /cscli bouncers add/],
    ['404', refuses(404), /answered 404/, /sources.crowdsec.url/],
    ['500', refuses(500), /answered 500/, /journalctl/],
    ['a web page', sends('<html></html>'), /not CrowdSec/, /cscli lapi status/],
    ['another service', sends('{"status":"up"}'), /not CrowdSec/, /cscli lapi status/],
    ['a list of something else', sends('[1]'), /not CrowdSec/, /cscli lapi status/],
    ['half a body', breaksOff('null', 'end'), /./, /./],
    ['silence', () => undefined, /within 1 s/, /timeout/],
    ['too much', sends(' '.repeat(2 << 20)), /larger than/, /origins/],
    ['a redirect to a file', redirects(() => 'file:///etc/passwd'), /refused the redirect/, /./],
  ])('%s', async (_, fault, message, hint) => {
    const { answer } = await trial(fault);
    expect(answer).toBeInstanceOf(BlocklistError);
    const { message: said, hint: todo } = answer as BlocklistError;
    expect([said, todo]).toEqual([expect.stringMatching(message), expect.stringMatching(hint)]);
    expect(`${said}${todo}`).not.toContain(KEY);
  });

  test('a key that everybody may read is not sent', async () => {
    const { key, answer, asked } = await trial(sends('null'), { mode: 0o644 });
    expect([key?.code, answer, asked]).toEqual(['source-key', 'not asked', []]);
  });

  test('credentials are read, and not tried', async () => {
    const { credentials, answer, asked } = await trial(sends('null'), { more: ', push: {credentials-file: none}' });
    expect([credentials?.code, answer, asked.length]).toEqual(['file-unreadable', 'good', 1]);
  });

  test('the key does not follow a redirect to another server', async () => {
    const other = await testServer(sends('null'));
    await trial(redirects(() => `${other.origin}/`));
    expect(other.requests.map((headers) => headers['x-api-key'])).toEqual([undefined]);
  });
});
