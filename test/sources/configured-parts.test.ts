import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import type { Loaded } from '../../src/sources/contract.js';
import { FetchLog } from '../../src/sources/fetch-log.js';
import { Fetcher } from '../../src/sources/fetcher.js';
import { configuredSources, loadSources } from '../../src/sources/index.js';
import { blocklist, projectWith } from '../commands/cli.js';
import { tempFolder } from '../io/temp.js';
import { testProxy } from './proxy.js';
import { refuses, sends, type TestServer, testServer } from './server.js';
import { fetchOptions, HOUR, NOON, textOf } from './specs.js';

/** Two addresses over http, which a proxy leads to the server of the test. */
const FEED = 'uceprotect-2-3';
const [SECOND, THIRD] = ['/rbldnsd-all/dnsbl-2.uceprotect.net.gz', '/rbldnsd-all/dnsbl-3.uceprotect.net.gz'];
/** Zones of rbldnsd. */
const zone = (...entries: string[]) => `$NS 86400 a.example\n:127.0.0.2:listed\n${entries.join('\n')}\n`;

interface Place {
  readonly folder: string;
  readonly server: TestServer;
  readonly bodies: Record<string, string | number>;
  readonly load: (now?: number, network?: 'use' | 'avoid') => Promise<Loaded>;
}

async function place(feed = FEED): Promise<Place> {
  const bodies: Record<string, string | number> = { [SECOND]: zone('45.9.20.0/24'), [THIRD]: zone('91.92.0.0/16') };
  const server = await testServer((request, response) => {
    const body = bodies[request.url ?? ''] ?? 404;
    (typeof body === 'number' ? refuses(body) : sends(body))(request, response);
  });
  const proxy = await testProxy(server, 'to any port');
  const folder = await tempFolder();
  const cache = join(folder, 'cache');
  const load = async (now = NOON, network: 'use' | 'avoid' = 'use') => {
    const env = { http_proxy: `http://127.0.0.1:${proxy.port}` };
    const fetcher = new Fetcher(
      await FetchLog.open(cache),
      fetchOptions(() => now, { env, urgency: 'force' }),
    );
    const progress = { begin: () => undefined, advance: () => undefined, end: () => undefined };
    const environment = {
      cache,
      state: join(folder, 'state'),
      now: () => now,
      fetcher,
      progress,
      accepted: new Set<string>(),
    };
    try {
      const config = parseConfig(`sources: {feeds: [${feed}]}`, join(folder, 'blocklist.yaml'));
      const { block } = await configuredSources(config, environment);
      const { loaded, missing } = await loadSources(block, () => network);
      if (missing[0] !== undefined) throw missing[0].problem;
      return loaded[0]!;
    } finally {
      await fetcher.close();
    }
  };
  return { folder, server, bodies, load };
}

async function metaOf({ folder }: Place, name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, 'cache', 'sources', name, 'meta.json'), 'utf8')) as Record<
    string,
    unknown
  >;
}

describe('a feed of two addresses', () => {
  test('is one source: both bodies, each with a folder of its own', async () => {
    const made = await place();
    const loaded = await made.load();
    expect(textOf(loaded.set)).toEqual(['45.9.20.0/24', '91.92.0.0/16']);
    expect(loaded).toMatchObject({ id: FEED, state: 'fresh', counts: { entries: 2, rejected: 0 }, date: NOON });
    expect((await readdir(join(made.folder, 'cache', 'sources'))).sort()).toEqual([FEED, `${FEED}.2`]);
    expect((await metaOf(made, FEED)).origin).toBe(`http://wget-mirrors.uceprotect.net${SECOND}`);
    expect((await metaOf(made, `${FEED}.2`)).origin).toBe(`http://wget-mirrors.uceprotect.net${THIRD}`);
  });

  test.each([
    ['first', SECOND, FEED, `${FEED}.2`],
    ['second', THIRD, `${FEED}.2`, FEED],
  ])('the %s fails: its last good serves beside the new body of the other', async (_, path, failing, other) => {
    const made = await place();
    await made.load();
    const changed = path === SECOND ? THIRD : SECOND;
    Object.assign(made.bodies, { [path]: 404, [changed]: zone('5.188.10.0/24') });
    const loaded = await made.load(NOON + HOUR);
    const kept = path === SECOND ? ['5.188.10.0/24', '45.9.20.0/24'] : ['5.188.10.0/24', '91.92.0.0/16'];
    expect(textOf(loaded.set)).toEqual(kept);
    expect(loaded).toMatchObject({
      state: 'kept',
      date: NOON,
      problem: { code: 'http-failed' },
      counts: { entries: 2 },
    });
    expect(loaded.problem?.where).toContain(path);
    const before = path === SECOND ? ['45.9.20.0/24', '91.92.0.0/16'] : ['45.9.20.0/24', '91.92.0.0/16'];
    expect(textOf(loaded.before!)).toEqual(before);
    expect((await metaOf(made, failing)).fetched).toBe(NOON);
    expect((await metaOf(made, other)).fetched).toBe(NOON + HOUR);
  });

  test.each([SECOND, THIRD])('%s fails the first time: no half of a feed is used', async (path) => {
    const made = await place();
    const body = made.bodies[path]!;
    made.bodies[path] = 404;
    await expect(made.load()).rejects.toMatchObject({ code: 'http-failed', where: expect.stringContaining(path) });
    made.bodies[path] = body;
    expect(textOf((await made.load(NOON + HOUR)).set)).toEqual(['45.9.20.0/24', '91.92.0.0/16']);
  });

  test('guards judge each body by itself', async () => {
    const made = await place();
    made.bodies[THIRD] = zone('0.0.0.0/4');
    await expect(made.load()).rejects.toMatchObject({ code: 'source-too-wide' });
    const wide = await place(`{id: ${FEED}, guards: {max-prefix-v4: 4}}`);
    wide.bodies[THIRD] = zone('0.0.0.0/4');
    expect(textOf((await wide.load()).set)).toEqual(['0.0.0.0/4', '45.9.20.0/24']);
  });

  test('each has a history of its own', async () => {
    const made = await place();
    await made.load();
    made.bodies[THIRD] = zone('91.93.0.0/16');
    await made.load(NOON + HOUR);
    expect(await readdir(join(made.folder, 'state', 'seen'))).toEqual([`${FEED}.2`]);
  });
});

test('its settings in the configuration hold for both addresses: direction and density', async () => {
  const made = await place(`{id: ${FEED}, direction: both, density: {v4: {at-least: 3}}}`);
  expect(await made.load()).toMatchObject({ direction: 'both', density: { v4: { prefix: 24, 'at-least': 3 } } });
});

test.each([
  ['--accept-change', 'update', "--accept-change: there is no source 'nera'"],
  ['--source', 'update', "--source: there is no source 'nera'"],
])('%s of a source that is not there: exit status 2, and nothing is done', async (option, command, message) => {
  const folder = await projectWith('sources: {custom: [{id: near, file: near.txt}]}', { 'near.txt': '5.6.7.8\n' });
  const { status, stdout, stderr } = await blocklist([command, option, 'nera'], { cwd: folder });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('the sources are near');
  expect(await readdir(folder)).not.toContain('rules');
});
