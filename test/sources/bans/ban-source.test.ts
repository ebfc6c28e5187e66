import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { IpSet, parsePrefix } from '../../../src/ip/index.js';
import { writeBanLines } from '../../../src/sources/bans/ban-lines.js';
import { banSource } from '../../../src/sources/bans/ban-source.js';
import type { Ban, BanReader } from '../../../src/sources/bans/contract.js';
import { bansOfFile, bansOfUrl } from '../../../src/sources/bans/shared.js';
import type { Loaded, Network } from '../../../src/sources/contract.js';
import { SeenFile } from '../../../src/sources/seen-file.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { sends, testServer } from '../server.js';
import { contentOf, environmentAt, HOUR, NOON, textOf } from '../specs.js';

const ban = (text: string, hours?: number): Ban => ({
  prefix: parsePrefix(text),
  since: NOON - HOUR,
  until: hours === undefined ? undefined : NOON + hours * HOUR,
});
const exported = (bans: readonly Ban[], at = NOON) => writeBanLines(bans, { host: 'web1', at });

const LIMITS = { maxPrefixV4: 8, maxPrefixV6: 16, maxRejects: 0.05, maxAgeMs: 14 * 24 * HOUR };

async function fleet() {
  const root = await tempFolder();
  const path = join(root, 'web1.jsonl');
  const load = (reader: BanReader, now = NOON, network: Network = 'use'): Promise<Loaded> =>
    banSource(reader, { cache: join(root, 'bans'), seen: join(root, 'seen'), now: () => now, limits: LIMITS }).load(
      network,
    );
  const { fetcher } = await environmentAt(join(root, 'http'));
  const overHttp = (origin: string) => {
    const request = { url: `${origin}/bans`, target: 'any', timeoutMs: 5000, intervalMs: 0 } as const;
    return bansOfUrl('web1', request, fetcher);
  };
  return { root, path, load, overHttp, file: bansOfFile('web1', path) };
}

describe('bans as a source', () => {
  test('nodes and nets of both families; single addresses count as such', async () => {
    const { path, load, file } = await fleet();
    await writeFile(path, exported([ban('45.9.1.7'), ban('45.9.2.0/24'), ban('2a00:1::/48'), ban('2a00:2::1')]));
    const loaded = await load(file);
    expect(textOf(loaded.set)).toEqual(['45.9.1.7', '45.9.2.0/24', '2a00:1::/48', '2a00:2::1']);
    expect(textOf(loaded.nodes)).toEqual(['45.9.1.7', '2a00:2::1']);
    expect(loaded).toMatchObject({ id: 'web1', kind: 'bans', direction: 'in', state: 'fresh', counts: { entries: 4 } });
    expect(loaded.problem).toBeUndefined();
  });

  test('a file that is copied here every night is as old as the copy', async () => {
    const { path, load, file } = await fleet();
    await writeFile(path, exported([ban('45.9.1.7')], NOON - 30 * 24 * HOUR));
    await utimes(path, (NOON - HOUR) / 1000, (NOON - HOUR) / 1000);
    const copied = await load(file);
    expect([copied.date, copied.problem]).toEqual([NOON - HOUR, undefined]);
    await utimes(path, 0, (NOON - 15 * 24 * HOUR) / 1000);
    expect((await load(file)).problem?.code).toBe('source-stale');
  });

  test('from a host whose clock is ahead they are as old as the reading', async () => {
    const { load, overHttp } = await fleet();
    const server = await testServer(sends(exported([ban('45.9.1.7')], NOON + 400 * 24 * HOUR)));
    expect((await load(overHttp(server.origin))).date).toBe(NOON);
    const later = await load(overHttp(server.origin), NOON + 20 * 24 * HOUR, 'avoid');
    expect(later).toMatchObject({ state: 'kept', problem: { code: 'source-stale' } });
  });

  test('a ban ends with its time, to the millisecond, also where last good serves', async () => {
    const { path, load, file } = await fleet();
    await writeFile(path, exported([ban('45.9.1.7', 2), ban('45.9.1.8')]));
    expect(textOf((await load(file, NOON + 2 * HOUR - 1)).set)).toEqual(['45.9.1.7', '45.9.1.8']);
    expect(textOf((await load(file, NOON + 2 * HOUR)).set)).toEqual(['45.9.1.8']);
    await rm(path);
    const kept = await load(file, NOON + 2 * HOUR);
    expect(textOf(kept.set)).toEqual(['45.9.1.8']);
    expect(kept).toMatchObject({ state: 'kept', problem: { code: 'file-unreadable' } });
  });

  test('no bans is an answer: the last one was taken back', async () => {
    const { path, load, file } = await fleet();
    await writeFile(path, exported([ban('45.9.1.7')]));
    await load(file);
    await writeFile(path, exported([]));
    const loaded = await load(file, NOON + HOUR);
    expect(loaded.set.isEmpty).toBe(true);
    expect(loaded.problem).toBeUndefined();
    expect(textOf(loaded.before!)).toEqual(['45.9.1.7']);
  });

  test('the days on which an address came and went are written down', async () => {
    const { root, path, load, file } = await fleet();
    const put = async (bans: readonly Ban[], at: number) => {
      await writeFile(path, exported(bans, at));
      await utimes(path, at / 1000, at / 1000);
    };
    await put([ban('45.9.1.7')], NOON - 48 * HOUR);
    await load(file, NOON - 48 * HOUR);
    await put([ban('45.9.1.8')], NOON);
    const { set } = await load(file, NOON);
    const day = Math.floor(NOON / (24 * HOUR));
    const seen = new SeenFile(join(root, 'seen', 'web1'));
    const of = (text: string) => seen.days({ set, at: NOON }, IpSet.from([text]))(parsePrefix(text));
    expect(of('45.9.1.8')).toEqual({ first: day, last: day });
    expect(of('45.9.1.7')).toEqual({ first: day - 2, last: day - 2 });
  });

  const GOOD = exported([ban('45.9.1.7')]);
  const DAMAGE: ReadonlyArray<readonly [what: string, body: string | undefined, code: string]> = [
    ['gone', undefined, 'file-unreadable'],
    ['empty', '', 'source-format'],
    ['cut off', GOOD.slice(0, GOOD.indexOf('\n') + 1), 'source-records'],
    ['a web page', '<!doctype html><html>', 'source-html'],
    ['a ban of half of the internet', exported([ban('0.0.0.0/1')]), 'source-too-wide'],
    ['a ban of a /15 of IPv6', exported([ban('2a00::/15')]), 'source-too-wide'],
    ['lines that are no bans', `${GOOD.replace('"records":1', '"records":2')}{"address":"x"}\n`, 'source-rejects'],
  ];
  test.each(DAMAGE)('%s: last good serves; without it there is nothing', async (_, body, code) => {
    const { path, load, file } = await fleet();
    const damage = () => (body === undefined ? rm(path, { force: true }) : writeFile(path, body));
    await damage();
    expect(await problemOf(() => load(file))).toMatchObject({ code, where: path });
    await writeFile(path, GOOD);
    await load(file);
    await damage();
    const loaded = await load(file);
    expect(loaded).toMatchObject({ state: 'kept', problem: { code } });
    expect(textOf(loaded.set)).toEqual(['45.9.1.7']);
  });

  test('bans that nobody renewed for long are used and told', async () => {
    const { path, load, file } = await fleet();
    await writeFile(path, exported([ban('45.9.1.7')], NOON - 15 * 24 * HOUR));
    await utimes(path, 0, 0);
    const loaded = await load(file);
    expect(loaded).toMatchObject({
      state: 'fresh',
      problem: { code: 'source-stale', message: 'its bans are 15 days old' },
    });
    expect(textOf(loaded.set)).toEqual(['45.9.1.7']);
  });

  test('what is kept for another file is not used for this one, and what was damaged is as if nothing was kept', async () => {
    const { root, path, load, file } = await fleet();
    await writeFile(path, GOOD);
    await load(file);
    await rm(path);
    expect(await problemOf(() => load(bansOfFile('web1', join(root, 'other'))))).toMatchObject({
      code: 'file-unreadable',
    });
    const kept = join(root, 'bans', 'web1.jsonl');
    await writeFile(kept, (await readFile(kept, 'utf8')).replace('45.9.1.7', '45.9'));
    expect(await problemOf(() => load(file))).toMatchObject({ code: 'file-unreadable' });
  });
});

describe('bans from a server', () => {
  test('are asked with validators; 304 counts as read now', async () => {
    const { load, overHttp } = await fleet();
    const server = await testServer(sends(gzipSync(exported([ban('45.9.1.7')])), { etag: '"1"' }));
    expect((await load(overHttp(server.origin))).state).toBe('fresh');
    server.answer = (_, response) => response.writeHead(304).end();
    const again = await load(overHttp(server.origin), NOON + HOUR);
    expect(server.requests[1]).toMatchObject({ 'if-none-match': '"1"' });
    expect(again).toMatchObject({ state: 'unchanged', date: NOON + HOUR });
    expect(textOf(again.set)).toEqual(['45.9.1.7']);
  });

  test('without the network last good is all there is', async () => {
    const { root, load, overHttp } = await fleet();
    const server = await testServer(sends(exported([ban('45.9.1.7')])));
    const reader = overHttp(server.origin);
    expect(await problemOf(() => load(reader, NOON, 'avoid'))).toMatchObject({ code: 'source-never-fetched' });
    expect(server.requests).toHaveLength(0);
    await load(reader);
    const loaded = await load(reader, NOON, 'avoid');
    expect(loaded).toMatchObject({ state: 'kept' });
    expect(loaded.problem).toBeUndefined();
    expect(Object.keys(await contentOf(join(root, 'bans')))).toEqual(['web1.jsonl']);
  });

  test.each([403, 500])('%i: last good serves', async (status) => {
    const { load, overHttp } = await fleet();
    const server = await testServer(sends(exported([ban('45.9.1.7')])));
    await load(overHttp(server.origin));
    server.answer = (_, response) => response.writeHead(status).end('no');
    expect(await load(overHttp(server.origin))).toMatchObject({ state: 'kept', problem: { code: 'http-failed' } });
  });
});
