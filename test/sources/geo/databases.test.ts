import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { zipped } from '../../io/archives.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { refuses, sends, type TestServer, testServer } from '../server.js';
import { HOUR, NOON, textOf } from '../specs.js';
import { configuredAt } from './open.js';

/** The one source of a configuration that names a network. */
async function load(folder: string, asn: string, now = NOON) {
  const { block } = await configuredAt(`sources: {asns: [2]}\ngeo: {asn: ${asn}}\n`, folder, now);
  return block[0]!.load('use');
}

describe('two databases as one', () => {
  const ROWS = { '/a': '45.9.0.0,45.9.0.255,2,Two\n', '/b': '45.20.0.0,45.20.0.255,2,Two\n' };

  /** Answers each path with its rows, but for those that are named here. */
  const answering =
    (others: Readonly<Record<string, TestServer['answer']>>): TestServer['answer'] =>
    (request, response) => {
      const path = request.url as keyof typeof ROWS;
      (others[path] ?? sends(ROWS[path]))(request, response);
    };

  test.each(['/a', '/b'] as const)(
    '%s fails: as old as it is, with its problem, and in the state that tells least',
    async (path) => {
      const server = await testServer(answering({}));
      const folder = await tempFolder();
      const both = `[{url: "${server.origin}/a", interval: 0s}, {url: "${server.origin}/b", interval: 0s}]`;
      expect(await load(folder, both)).toMatchObject({ state: 'fresh', date: NOON });
      server.answer = answering({ [path]: refuses(403) });
      const loaded = await load(folder, both, NOON + HOUR);
      expect(loaded).toMatchObject({ state: 'kept', date: NOON, problem: { code: 'http-failed' } });
      expect(loaded.before).toBeUndefined();
    },
  );

  test('one becomes another: before it was both, as it is now', async () => {
    const server = await testServer(answering({}));
    const folder = await tempFolder();
    const both = `[{url: "${server.origin}/a", interval: 0s}, {url: "${server.origin}/b", interval: 0s}]`;
    await load(folder, both);
    server.answer = answering({ '/a': sends('45.10.0.0,45.10.0.255,2,Two\n') });
    const { set, before } = await load(folder, both, NOON + HOUR);
    expect([textOf(set), textOf(before!)]).toEqual([
      ['45.10.0.0/24', '45.20.0.0/24'],
      ['45.9.0.0/24', '45.20.0.0/24'],
    ]);
  });
});

test('max-bytes is the cap of a file, too', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'asn.csv'), '45.9.0.0,45.9.0.255,2,Two\n');
  expect((await load(folder, '{file: asn.csv, max-bytes: 26}')).set.isEmpty).toBe(false);
  await writeFile(join(folder, 'asn2.csv'), '45.9.0.0,45.9.0.255,2,Two\n');
  expect(await problemOf(() => load(folder, '{file: asn2.csv, max-bytes: 25}'))).toMatchObject({ code: 'too-large' });
});

test('another member of the same file is another database', async () => {
  const folder = await tempFolder();
  const [one, other] = ['45.9.0.0,45.9.0.255,2,Two\n', '45.10.0.0,45.10.0.255,2,Two\n'].map((text) =>
    Buffer.from(text),
  );
  const packed = zipped({ name: 'one.csv', content: one! }, { name: 'other.csv', content: other! });
  await writeFile(join(folder, 'asn.zip'), packed);
  expect(textOf((await load(folder, '{file: asn.zip, member: one.csv}')).set)).toEqual(['45.9.0.0/24']);
  expect(textOf((await load(folder, '{file: asn.zip, member: other.csv}')).set)).toEqual(['45.10.0.0/24']);
});
