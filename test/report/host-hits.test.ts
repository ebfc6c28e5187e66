import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePrefix } from '../../src/ip/index.js';
import { writeHits } from '../../src/report/hit-files.js';
import { emptyDay } from '../../src/report/hits.js';
import { HIT_DAYS, hitsOf } from '../../src/report/host-hits.js';

const NOW = Date.UTC(2026, 9, 30, 12);
const DAY_MS = 86_400_000;
const dayBefore = (n: number) => new Date(NOW - n * DAY_MS).toISOString().slice(0, 10);

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'blocklist-hits-'));
});
afterEach(() => rm(state, { recursive: true, force: true }));

async function day(ago: number, hosts: Record<string, readonly [number, number]>, counters = {}): Promise<void> {
  const counted = { ...emptyDay(dayBefore(ago)), hosts: new Map(Object.entries(hosts)) };
  await writeHits(state, counted, { at: NOW - ago * DAY_MS, counters: new Map(Object.entries(counters)) });
}

const hits = (texts: readonly string[], kernel: ReadonlyArray<readonly [number, number] | undefined> = []) =>
  hitsOf(state, texts.map(parsePrefix), kernel, NOW);

test('of all days, IPv6 by its /64, nobody by a part of another name', async () => {
  await day(3, { '192.0.2.7': [5, 300], '2001:db8:0:5::/64': [1, 80] });
  await day(1, { '192.0.2.7': [7, 420], '192.0.2.70': [9, 540] });
  expect(await hits(['192.0.2.7', '2001:db8:0:5::9', '192.0.2.70', '2.0.2.7', '192.0.2.8'])).toEqual([
    { packets: 12, bytes: 720, days: 2, last: dayBefore(1) },
    { packets: 1, bytes: 80, days: 1, last: dayBefore(3) },
    { packets: 9, bytes: 540, days: 1, last: dayBefore(1) },
    undefined,
    undefined,
  ]);
});

test('not of a day before the last thirty', async () => {
  await day(HIT_DAYS, { '192.0.2.7': [5, 300] });
  expect(await hits(['192.0.2.7'])).toEqual([undefined]);
  await day(HIT_DAYS - 1, { '192.0.2.7': [6, 360] });
  expect(await hits(['192.0.2.7'])).toMatchObject([{ packets: 6, days: 1 }]);
});

test('with what came since the last look; a counter that fell began anew', async () => {
  await day(0, { '192.0.2.7': [5, 300] }, { '192.0.2.7': [5, 300], '192.0.2.8': [9, 540] });
  expect(
    await hits(
      ['192.0.2.7', '192.0.2.8', '192.0.2.9'],
      [
        [8, 480],
        [2, 120],
        [4, 240],
      ],
    ),
  ).toEqual([
    { packets: 8, bytes: 480, days: 1, last: dayBefore(0) },
    { packets: 2, bytes: 120, days: 1, last: dayBefore(0) },
    { packets: 4, bytes: 240, days: 1, last: dayBefore(0) },
  ]);
  expect(await hits(['192.0.2.8'], [[9, 540]])).toEqual([undefined]);
});

test('nothing gathered, and a damaged file: none', async () => {
  expect(await hits(['192.0.2.7'])).toEqual([undefined]);
  await mkdir(join(state, 'hits'));
  await writeFile(join(state, 'hits', `${dayBefore(0)}.json`), '{"hosts":{"192.0.2.7":[1,');
  expect(await hits(['192.0.2.7'])).toEqual([undefined]);
});
