import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterRefusal, FetchLog, type FetchRecord } from '../../src/sources/fetch-log.js';
import { problemOf, tempFolder } from '../io/temp.js';

const NOW = Date.UTC(2026, 7, 22, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const URL_A = 'https://a.example/list.txt';
const URL_B = 'https://b.example/{key}/list.txt?x=1';

function failed(failures: number): FetchRecord {
  return { asked: NOW - DAY, failures, notBefore: NOW - HOUR };
}

/** How long the server is left alone. */
function pause(before: FetchRecord | undefined, retryAfter: number | undefined, random: number): number {
  return afterRefusal(before, NOW, retryAfter, random).notBefore - NOW;
}

describe('the time after a refusal', () => {
  test.each<[failures: number, longest: number]>([
    [0, 5 * MINUTE],
    [1, 10 * MINUTE],
    [2, 20 * MINUTE],
    [3, 40 * MINUTE],
    [4, 80 * MINUTE],
    [5, 160 * MINUTE],
    [6, 320 * MINUTE],
    [7, 640 * MINUTE],
    [8, 1280 * MINUTE],
    [9, DAY],
    [10, DAY],
    [50, DAY],
    [5000, DAY],
  ])('after %i before it is at most %i ms, and at least three quarters of that', (failures, longest) => {
    const before = failures === 0 ? undefined : failed(failures);
    expect(pause(before, undefined, 1)).toBe(longest);
    expect(pause(before, undefined, 0)).toBe(longest * 0.75);
    expect(pause(before, undefined, 0.5)).toBe(longest * 0.875);
    expect(afterRefusal(before, NOW, undefined, 0)).toMatchObject({ asked: NOW, failures: failures + 1 });
  });

  test('a record without failures counts as none', () => {
    expect(afterRefusal(failed(0), NOW, undefined, 1)).toEqual({
      asked: NOW,
      failures: 1,
      notBefore: NOW + 5 * MINUTE,
    });
  });

  test.each<[what: string, before: number, retryAfter: number, expected: number]>([
    ['longer', 0, HOUR, HOUR],
    ['shorter', 3, MINUTE, 40 * MINUTE],
    ['zero', 0, 0, 5 * MINUTE],
    ['in the past', 0, -HOUR, 5 * MINUTE],
    ['longer than a day', 0, 3 * DAY, 3 * DAY],
    ['a week', 0, 7 * DAY, 7 * DAY],
    ['a year', 0, 365 * DAY, 7 * DAY],
    ['for ever', 0, Number.POSITIVE_INFINITY, 7 * DAY],
    ['a year, after many refusals', 50, 365 * DAY, 7 * DAY],
  ])('Retry-After %s', (_, before, retryAfter, expected) => {
    expect(pause(failed(before), retryAfter, 1)).toBe(expected);
  });

  test('it is between 225 s and a week, whatever was before', () => {
    const retryAfter = fc.option(fc.integer({ min: -DAY, max: 1000 * DAY }), { nil: undefined });
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.option(fc.nat(2000), { nil: undefined }), retryAfter, random, (failures, seconds, chance) => {
        const wait = pause(failures === undefined ? undefined : failed(failures), seconds, chance);
        expect(wait).toBeGreaterThanOrEqual(225_000);
        expect(wait).toBeLessThanOrEqual(7 * DAY);
        if (seconds !== undefined) expect(wait).toBeGreaterThanOrEqual(Math.min(seconds, 7 * DAY));
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe('the log', () => {
  const record: FetchRecord = { asked: NOW - HOUR, failures: 2, notBefore: NOW + HOUR };

  test('is empty at first', async () => {
    const log = await FetchLog.open(await tempFolder());
    expect(log.of(URL_A)).toBeUndefined();
  });

  test('knows what was set, also in another run', async () => {
    const folder = join(await tempFolder(), 'a', 'b');
    const log = await FetchLog.open(folder);
    log.set(URL_A, record);
    log.set(URL_B, { ...record, failures: 0 });
    log.set(URL_A, { ...record, failures: 3 });
    expect(log.of(URL_A)).toEqual({ ...record, failures: 3 });
    await log.save(NOW);
    const other = await FetchLog.open(folder);
    expect([other.of(URL_A), other.of(URL_B)]).toEqual([
      { ...record, failures: 3 },
      { ...record, failures: 0 },
    ]);
    expect(other.of('https://c.example/')).toBeUndefined();
  });

  test('is JSON, in the order of the addresses, for people and git', async () => {
    const folder = await tempFolder();
    const log = await FetchLog.open(folder);
    log.set(URL_B, record);
    log.set(URL_A, record);
    await log.save(NOW);
    const text = await readFile(join(folder, 'fetches.json'), 'utf8');
    expect(text.endsWith('}\n')).toBe(true);
    expect(JSON.parse(text)).toEqual({ version: 1, urls: { [URL_A]: record, [URL_B]: record } });
    expect(Object.keys(JSON.parse(text).urls)).toEqual([URL_A, URL_B]);
  });

  test('is written only when something changed', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'fetches.json');
    const log = await FetchLog.open(folder);
    await log.save(NOW);
    await expect(readFile(path)).rejects.toThrow('ENOENT');
    log.set(URL_A, record);
    await log.save(NOW);
    await writeFile(path, 'mark');
    await log.save(NOW);
    expect(await readFile(path, 'utf8')).toBe('mark');
    log.set(URL_A, record);
    await log.save(NOW);
    expect(JSON.parse(await readFile(path, 'utf8')).urls).toEqual({ [URL_A]: record });
  });

  test('forgets what was not asked for 60 days, and not a moment before', async () => {
    const folder = await tempFolder();
    const log = await FetchLog.open(folder);
    const asked = (ago: number): FetchRecord => ({ asked: NOW - ago, failures: 1, notBefore: 0 });
    log.set('https://a.example/', asked(60 * DAY - 1));
    log.set('https://b.example/', asked(60 * DAY));
    log.set('https://c.example/', asked(900 * DAY));
    log.set('https://d.example/', asked(-DAY));
    await log.save(NOW);
    const names = Object.keys(JSON.parse(await readFile(join(folder, 'fetches.json'), 'utf8')).urls);
    expect(names).toEqual(['https://a.example/', 'https://d.example/']);
  });

  const valid = { version: 1, urls: { [URL_A]: record } };
  test.each<[what: string, text: string]>([
    ['empty', ''],
    ['blank', ' \n'],
    ['cut off', JSON.stringify(valid).slice(0, -1)],
    ['text', 'x'],
    ['null', 'null'],
    ['a list', '[]'],
    ['of another version', JSON.stringify({ ...valid, version: 2 })],
    ['without addresses', '{"version":1}'],
    ['with a word in place of a time', JSON.stringify({ version: 1, urls: { [URL_A]: { ...record, asked: 'now' } } })],
    [
      'with a time that is none',
      '{"version":1,"urls":{"https://a.example/list.txt":{"asked":null,"failures":0,"notBefore":0}}}',
    ],
    ['with half a failure', JSON.stringify({ version: 1, urls: { [URL_A]: { ...record, failures: 1.5 } } })],
    ['with failures below zero', JSON.stringify({ version: 1, urls: { [URL_A]: { ...record, failures: -1 } } })],
    ['with a record that lacks', JSON.stringify({ version: 1, urls: { [URL_A]: { asked: 1 } } })],
    ['binary', '\u0000\ufffd'],
  ])('that is %s is an empty one, and is written anew', async (_, text) => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'fetches.json'), text);
    const log = await FetchLog.open(folder);
    expect(log.of(URL_A)).toBeUndefined();
    log.set(URL_B, record);
    await log.save(NOW);
    expect((await FetchLog.open(folder)).of(URL_B)).toEqual(record);
  });

  test('that is valid is read: the table above damages this one', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'fetches.json'), JSON.stringify(valid));
    expect((await FetchLog.open(folder)).of(URL_A)).toEqual(record);
  });

  test('that grew beyond all measure is an empty one', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'fetches.json'), '');
    await truncate(join(folder, 'fetches.json'), 1 << 25);
    expect((await FetchLog.open(folder)).of(URL_A)).toBeUndefined();
  });

  test('addresses that are names of objects are addresses', async () => {
    const log = await FetchLog.open(await tempFolder());
    for (const name of ['constructor', 'toString', '__proto__']) expect(log.of(name)).toBeUndefined();
  });

  test('a folder in its place is told', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'fetches.json'));
    expect(await problemOf(() => FetchLog.open(folder))).toMatchObject({ code: 'file-unreadable' });
  });
});
