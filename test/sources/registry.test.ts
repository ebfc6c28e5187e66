import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { BlocklistError } from '../../src/errors.js';
import { IpSet } from '../../src/ip/index.js';
import type { Loaded, Source } from '../../src/sources/contract.js';
import { configuredSources, loadSources } from '../../src/sources/index.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { sends, testServer } from './server.js';
import { contentOf, environmentAt, NOON, textOf } from './specs.js';

async function configuredIn(yaml: string, folder: string, accepted: readonly string[] = []) {
  const { now, fetcher, progress } = await environmentAt(join(folder, 'cache'));
  const place = { cache: join(folder, 'cache'), state: join(folder, 'state'), accepted: new Set(accepted) };
  return configuredSources(parseConfig(yaml, join(folder, 'blocklist.yaml')), { ...place, now, fetcher, progress });
}

async function sourcesOf(yaml: string, folder = '/srv/x'): Promise<readonly Source[]> {
  return (await configuredIn(yaml, folder)).block;
}

describe('configuredSources', () => {
  test('none for an empty configuration', async () => {
    expect(await sourcesOf('{}')).toEqual([]);
  });

  test('the order of the configuration: feeds, lists of your own, countries', async () => {
    const sources = await sourcesOf(`
sources:
  countries: {block: [ru, CN]}
  custom:
    - {id: z, file: z.txt, direction: out}
    - {id: a, url: "http://127.0.0.1:1/a"}
  feeds: [{id: ipsum-3, direction: both}]
`);
    expect(sources.map(({ id, kind, direction }) => [id, kind, direction])).toEqual([
      ['ipsum-3', 'feed', 'both'],
      ['z', 'file', 'out'],
      ['a', 'feed', 'in'],
      ['country-ru', 'country', 'in'],
      ['country-cn', 'country', 'in'],
    ]);
  });

  test.each<[id: string, message: string]>([
    ['ipsum-9', "there is no feed 'ipsum-9' in the catalogue, did you mean 'ipsum-1'?"],
    ['ipsun-3', "there is no feed 'ipsun-3' in the catalogue, did you mean 'ipsum-3'?"],
  ])('the feed %s is unknown', async (id, message) => {
    expect(await problemOf(() => sourcesOf(`sources: {feeds: [${id}]}`))).toMatchObject({
      code: 'config-invalid',
      message,
      where: '/srv/x/blocklist.yaml',
      exitStatus: 2,
    });
  });

  test('an unknown feed that is like no other: the way to the list of all', async () => {
    const problem = await problemOf(() => sourcesOf('sources: {feeds: [{id: something-quite-else}]}'));
    expect(problem.message).toBe("there is no feed 'something-quite-else' in the catalogue");
    expect(problem.hint).toContain('blocklist feeds list');
  });

  test('without the network a feed of the catalogue gives its snapshot', async () => {
    const [source] = await sourcesOf('sources: {feeds: [ipsum-3]}', await tempFolder());
    const loaded = await source!.load('avoid');
    expect(loaded).toMatchObject({ id: 'ipsum-3', kind: 'feed', state: 'bundled', date: Date.UTC(2026, 7, 22) });
    expect(loaded.counts.entries).toBeGreaterThan(10_000);
    expect(loaded.counts.rejected).toBe(0);
  });

  test('the limits, the format and the options of the file are those of its sources', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'list.txt'), '192.0.2.1\t9\n192.0.2.9\t1\nexample.org\n');
    const list = 'custom: [{id: a, file: list.txt, format: score, min-score: 2}]';
    const [strict] = await sourcesOf(`sources: {${list}}`, folder);
    expect(await problemOf(() => strict!.load('avoid'))).toMatchObject({ code: 'source-rejects' });
    const [lenient] = await sourcesOf(`sources: {${list}}\nguards: {max-rejects: 50%}`, folder);
    expect(textOf((await lenient!.load('avoid')).set)).toEqual(['192.0.2.1']);
    const [narrow] = await sourcesOf(`sources: {${list.replace('list.txt', 'list.txt, max-bytes: 5')}}`, folder);
    expect(await problemOf(() => narrow!.load('avoid'))).toMatchObject({ code: 'too-large' });
  });

  test('each list has a folder of its own in the cache', async () => {
    const folder = await tempFolder();
    const server = await testServer(sends('192.0.2.1\n'));
    const sources = await sourcesOf(
      `sources: {custom: [{id: a, url: "${server.origin}/a"}, {id: b, url: "${server.origin}/b"}]}`,
      folder,
    );
    await Promise.all(sources.map((source) => source.load('use')));
    expect(Object.keys(await contentOf(join(folder, 'cache', 'sources', 'a')))).toContain('meta.json');
    expect(Object.keys(await contentOf(join(folder, 'cache', 'sources', 'b')))).toContain('meta.json');
  });

  test('timeouts are seconds', async () => {
    const server = await testServer(() => undefined);
    const [source] = await sourcesOf(
      `sources: {custom: [{id: a, url: "${server.origin}/a", timeout: 1}]}`,
      await tempFolder(),
    );
    const { message } = await problemOf(() => source!.load('use'));
    expect(message).toBe('no complete answer within 1 s');
  });

  test('the country database is the one that the file names', async () => {
    const folder = await tempFolder();
    const [source] = await sourcesOf('sources: {countries: {block: [cn]}}\ngeo: {country: none.mmdb}', folder);
    expect(await problemOf(() => source!.load('avoid'))).toMatchObject({ where: join(folder, 'none.mmdb') });
  });
});

describe('loadSources', () => {
  const sourceThat = (id: string, load: Source['load']): Source => ({ id, kind: 'file', direction: 'in', load });
  const counts = { entries: 0, rejected: 0, hostBits: 0, samples: [] };
  const emptyAs = (id: string): Loaded => {
    return {
      id,
      kind: 'file',
      direction: 'in',
      set: IpSet.empty,
      nodes: IpSet.empty,
      counts,
      date: NOON,
      state: 'fresh',
    };
  };

  test('one that fails does not stop the others, and the order stays', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a.txt'), '192.0.2.1\n');
    await writeFile(join(folder, 'c.txt'), '192.0.2.3\n');
    const files = ['a', 'b', 'c', 'd'].map((id) => `{id: ${id}, file: ${id}.txt}`).join(', ');
    const sources = await sourcesOf(`sources: {custom: [${files}]}`, folder);
    const { loaded, missing } = await loadSources(sources, () => 'avoid');
    expect(loaded.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(missing.map(({ id, problem }) => [id, problem.code])).toEqual([
      ['b', 'file-unreadable'],
      ['d', 'file-unreadable'],
    ]);
  });

  test('all are asked side by side', async () => {
    let letGo: (value: Loaded) => void = () => undefined;
    const waiting = sourceThat('1', () => new Promise((resolve) => (letGo = resolve)));
    const second = sourceThat('2', async () => {
      letGo(emptyAs('1'));
      return emptyAs('2');
    });
    expect((await loadSources([waiting, second], () => 'use')).loaded.map(({ id }) => id)).toEqual(['1', '2']);
  });

  test('the network is used or avoided as told', async () => {
    const asked: string[] = [];
    const source = sourceThat('a', async (network) => {
      asked.push(network);
      return emptyAs('a');
    });
    await loadSources([source], () => 'avoid');
    await loadSources([source], () => 'use');
    expect(asked).toEqual(['avoid', 'use']);
  });

  test('none', async () => {
    expect(await loadSources([], () => 'use')).toEqual({ loaded: [], missing: [] });
  });

  test('what is no BlocklistError is a defect and comes through', async () => {
    const known = sourceThat('a', () => Promise.reject(new BlocklistError('http-failed', 'x')));
    const defect = sourceThat('b', () => Promise.reject(new TypeError('mine')));
    await expect(loadSources([known, defect], () => 'use')).rejects.toThrow('mine');
  });
});
