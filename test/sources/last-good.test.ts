import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readList } from '../../src/ip/index.js';
import { digestOf, LastGood } from '../../src/sources/last-good.js';
import type { ListSpec } from '../../src/sources/list-source.js';
import { LIST_FORM } from '../../src/sources/parsed-form.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { refuses, sends, testServer } from './server.js';
import { contentOf, HOUR, keptIn, LIMITS, loadSpec, NOON, specOf, textOf, urlSpec } from './specs.js';

const ORIGIN = 'http://example.org/list';
const BODY = Buffer.from('192.0.2.1\n');
/** as sha256sum prints it */
const DIGEST = 'd1aa74fdddc060ca4e2e10401f2f4e0ef37f94b0d8b25137e8c530d59f4aba75';
const NAME = `${DIGEST}.body`;
const PARSED = `${DIGEST}.parsed`;

/** Reads plain lists, and counts how often. */
function reading(key = 'plain') {
  const made = {
    key,
    reads: 0,
    read: async (body: Buffer) => {
      made.reads++;
      const { set, report } = readList(body);
      return { set, nodes: set, report, trailing: 0 };
    },
  };
  return made;
}
const CONTENT = { ...readList(BODY), nodes: readList(BODY).set, trailing: 0 };
const taken = (body: Buffer) => ({ body, digest: digestOf(body), content: CONTENT, key: 'plain' });

describe('what is on disk', () => {
  test('the body under its digest, and meta.json that names it', async () => {
    const folder = join(await tempFolder(), 'a', 'b');
    const lastGood = new LastGood(folder, LIST_FORM);
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON, etag: '"1"', lastModified: 'yesterday' });
    const { 'meta.json': text, ...bodies } = await contentOf(folder);
    expect(bodies).toEqual({ [NAME]: '192.0.2.1\n', [PARSED]: expect.any(String) });
    const dates = { fetched: NOON, changed: NOON };
    const meta = { version: 2, origin: ORIGIN, digest: DIGEST, ...dates, etag: '"1"', lastModified: 'yesterday' };
    expect(JSON.parse(text ?? '')).toEqual(meta);
    expect((await lastGood.read(ORIGIN, reading()))?.meta).toEqual(meta);
    expect(textOf((await lastGood.read(ORIGIN, reading()))!.content.set)).toEqual(['192.0.2.1']);
  });

  test('what was read once is not read again, unless in another way', async () => {
    const lastGood = new LastGood(await tempFolder(), LIST_FORM);
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON });
    const [same, other] = [reading(), reading('score')];
    await lastGood.read(ORIGIN, same);
    expect(same.reads).toBe(0);
    await lastGood.read(ORIGIN, other);
    await lastGood.read(ORIGIN, other);
    expect(other.reads).toBe(1);
  });

  test('nothing is kept before the first time', async () => {
    expect(await new LastGood(join(await tempFolder(), 'none'), LIST_FORM).read(ORIGIN, reading())).toBeUndefined();
  });

  test('an older body, and what a crash left, go with the next one', async () => {
    const folder = await tempFolder();
    const lastGood = new LastGood(folder, LIST_FORM);
    await lastGood.keep(ORIGIN, taken(Buffer.from('older\n')), { fetched: NOON });
    await writeFile(join(folder, `${NAME}.123456`), 'begun');
    await writeFile(join(folder, 'meta.json.99'), 'begun');
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON + HOUR });
    expect(Object.keys(await contentOf(folder))).toEqual([NAME, PARSED, 'meta.json']);
  });

  test('the same body again is not written again, its date is', async () => {
    const folder = await tempFolder();
    const lastGood = new LastGood(folder, LIST_FORM);
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON });
    const { ino } = await stat(join(folder, NAME));
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON + HOUR });
    expect((await stat(join(folder, NAME))).ino).toBe(ino);
    expect((await lastGood.read(ORIGIN, reading()))?.meta).toMatchObject({ fetched: NOON + HOUR });
  });

  test('confirm changes the date alone', async () => {
    const lastGood = new LastGood(await tempFolder(), LIST_FORM);
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON, etag: '"1"' });
    const meta = (await lastGood.read(ORIGIN, reading()))?.meta;
    if (meta === undefined) throw new Error('nothing kept');
    await lastGood.confirm(meta, NOON + HOUR);
    expect((await lastGood.read(ORIGIN, reading()))?.meta).toEqual({ ...meta, fetched: NOON + HOUR });
  });
});

describe('a damaged meta.json is as if nothing was kept', () => {
  const meta = { version: 2, origin: ORIGIN, digest: DIGEST, fetched: NOON, changed: NOON };
  const json = (changes: object) => JSON.stringify({ ...meta, ...changes });
  test.each<[what: string, text: string]>([
    ['empty', ''],
    ['cut off', json({}).slice(0, -2)],
    ['zeros', '\0'.repeat(100)],
    ['null', 'null'],
    ['a list', '[]'],
    ['of another version', json({ version: 1 })],
    ['without a body', json({ digest: undefined })],
    ['with a path for its body', json({ digest: '../../../../etc/passwd' })],
    ['with a name that is no digest', json({ digest: 'x' })],
    ['with a word for its date', json({ fetched: 'today' })],
    ['with a number for its validator', json({ etag: 1 })],
    ['of another origin', json({ origin: 'http://example.org/other' })],
  ])('%s', async (_, text) => {
    const folder = await tempFolder();
    const lastGood = new LastGood(folder, LIST_FORM);
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON });
    await writeFile(join(folder, 'meta.json'), text);
    expect((await lastGood.read(ORIGIN, reading()))?.meta).toBeUndefined();
    await lastGood.keep(ORIGIN, taken(BODY), { fetched: NOON });
    expect((await lastGood.read(ORIGIN, reading()))?.meta).toEqual(meta);
  });

  test('so the next fetch asks for everything and heals it', async () => {
    const server = await testServer(sends(BODY, { etag: '"1"' }));
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/list`);
    await loadSpec(spec, cache);
    await writeFile(join(cache, 's', 'meta.json'), '{');
    expect(await problemOf(() => loadSpec(spec, cache, 'avoid'))).toMatchObject({ code: 'source-never-fetched' });
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'fresh' });
    expect(server.requests[1]).not.toHaveProperty('if-none-match');
    expect(await loadSpec(spec, cache, 'avoid')).toMatchObject({ state: 'kept' });
  });
});

describe('last good and a changed configuration', () => {
  const SCORED = '192.0.2.1\t9\n192.0.2.2\t3\n192.0.2.3\t1\n';

  test.each<[minScore: number, prefixes: string[]]>([
    [9, ['192.0.2.1']],
    [3, ['192.0.2.1', '192.0.2.2']],
    [1, ['192.0.2.1', '192.0.2.2/31']],
  ])('it is read anew with min-score %i, without the network', async (minScore, prefixes) => {
    const server = await testServer(sends(SCORED));
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/list`, { format: 'score', options: { 'min-score': 5 } });
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1']);
    expect(textOf((await loadSpec({ ...spec, options: { 'min-score': minScore } }, cache, 'avoid')).set)).toEqual(
      prefixes,
    );
  });

  test.each<[what: string, changes: Partial<ListSpec>, code: string]>([
    ['a narrower widest prefix', { limits: { ...LIMITS, maxPrefixV4: 17 } }, 'source-too-wide'],
    ['fewer rejects', { limits: { ...LIMITS, maxRejects: 0 } }, 'source-rejects'],
    ['a smaller cap', { maxBytes: 100 }, 'too-large'],
  ])('%s: judged by the limits of today, and still there when they are lifted', async (_, changes, code) => {
    const text = `${'192.0.2.1\n'.repeat(40)}example.org\n198.18.0.0/16\n`;
    const server = await testServer(sends(text));
    const cache = await tempFolder();
    const spec = urlSpec(`${server.origin}/list`);
    await loadSpec(spec, cache);
    const before = await keptIn(cache);
    await server.stop();
    expect(await problemOf(() => loadSpec({ ...spec, ...changes }, cache, 'avoid'))).toMatchObject({ code });
    expect(await keptIn(cache)).toEqual(before);
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'kept', problem: { code: 'http-failed' } });
    expect(await keptIn(cache)).toEqual(before);
  });

  test('another address makes it worthless: no fallback, no validators of the old one', async () => {
    const server = await testServer(sends(BODY, { etag: '"1"' }));
    const cache = await tempFolder();
    await loadSpec(urlSpec(`${server.origin}/old`), cache);
    const moved = urlSpec(`${server.origin}/new`);
    expect(await problemOf(() => loadSpec(moved, cache, 'avoid'))).toMatchObject({ code: 'source-never-fetched' });
    server.answer = sends('198.51.100.1\n');
    expect(textOf((await loadSpec(moved, cache)).set)).toEqual(['198.51.100.1']);
    expect(server.requests[1]).not.toHaveProperty('if-none-match');
    expect(textOf((await loadSpec(moved, cache, 'avoid')).set)).toEqual(['198.51.100.1']);
  });

  test('so does another file, and a file in place of an address', async () => {
    const server = await testServer(sends(BODY));
    const folder = await tempFolder();
    const cache = join(folder, 'cache');
    await loadSpec(urlSpec(`${server.origin}/list`), cache);
    const spec = specOf({ kind: 'file', path: join(folder, 'none.txt') });
    expect(await problemOf(() => loadSpec(spec, cache))).toMatchObject({ code: 'file-unreadable' });
  });
});

describe('last good of another format', () => {
  test.each(['url', 'file'] as const)('a %s is read anew, though the body that is kept cannot be', async (kind) => {
    const server = await testServer(sends('192.0.2.1\n', { etag: '"1"' }));
    const folder = await tempFolder();
    const [path, cache] = [join(folder, 'list'), join(folder, 'cache')];
    await writeFile(path, '192.0.2.1\n');
    const plain = kind === 'url' ? urlSpec(`${server.origin}/list`) : specOf({ kind: 'file', path });
    await loadSpec(plain, cache);
    const json: ListSpec = { ...plain, format: 'json', options: { paths: ['ips[]'] } };
    const body = '{"ips":["198.51.100.1"]}';
    server.answer = sends(body, { etag: '"2"' });
    await writeFile(path, body);
    const loaded = await loadSpec(json, cache);
    expect(textOf(loaded.set)).toEqual(['198.51.100.1']);
    expect(loaded.problem).toBeUndefined();
    expect(server.requests[1] ?? {}).not.toHaveProperty('if-none-match');
  });
});

describe('the snapshot of the package', () => {
  async function withSnapshot() {
    const server = await testServer(sends(BODY));
    const folder = await tempFolder();
    const path = join(folder, 'snapshot.txt');
    await writeFile(path, '203.0.113.9\n');
    const snapshot = { path, date: NOON - 48 * HOUR };
    const request = { url: `${server.origin}/list`, target: 'any', timeoutMs: 20_000, intervalMs: 0 } as const;
    return { server, spec: specOf({ kind: 'url', request, snapshot }), cache: join(folder, 'cache') };
  }

  test('serves a host that never had the network, with its own date', async () => {
    const { spec, cache } = await withSnapshot();
    const loaded = await loadSpec(spec, cache, 'avoid');
    expect(textOf(loaded.set)).toEqual(['203.0.113.9']);
    expect(loaded).toMatchObject({ state: 'bundled', date: NOON - 48 * HOUR });
    expect(loaded.problem).toBeUndefined();
    expect(await keptIn(cache)).toEqual({});
  });

  test('serves when the first fetch fails, and the problem is told', async () => {
    const { server, spec, cache } = await withSnapshot();
    server.answer = sends('');
    expect(await loadSpec(spec, cache)).toMatchObject({ state: 'bundled', problem: { code: 'source-empty' } });
  });

  test('steps back behind what was fetched', async () => {
    const { server, spec, cache } = await withSnapshot();
    expect(textOf((await loadSpec(spec, cache)).set)).toEqual(['192.0.2.1']);
    server.answer = refuses(200, '');
    const loaded = await loadSpec(spec, cache);
    expect(textOf(loaded.set)).toEqual(['192.0.2.1']);
    expect(loaded.state).toBe('kept');
  });
});
