import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePrefix } from '../../src/ip/index.js';
import { forgetOldDays, hitDays, readHitDay, readLastLook, writeHits } from '../../src/report/hit-files.js';
import { emptyDay, withHits } from '../../src/report/hits.js';
import { tempFolder } from '../io/temp.js';

const DAY = withHits(emptyDay('2026-10-02'), [
  { prefix: parsePrefix('45.9.1.7'), packets: 3, bytes: 180, sources: ['a', 'b'], country: 'nl' },
]);
const LOOK = { at: 1_790_000_000_000, counters: new Map([['45.9.1.7', [3, 180] as const]]) };

describe('days in the state folder', () => {
  test('are read as they were written', async () => {
    const state = await tempFolder();
    await writeHits(state, DAY, LOOK);
    expect(await readHitDay(state, '2026-10-02')).toEqual(DAY);
    expect(await readLastLook(state)).toEqual(LOOK);
    expect(await hitDays(state)).toEqual(['2026-10-02']);
  });

  test('nothing was gathered: no day, no look', async () => {
    const state = await tempFolder();
    expect([await hitDays(state), await readLastLook(state), await readHitDay(state, '2026-10-02')]).toEqual([
      [],
      undefined,
      undefined,
    ]);
  });

  test.each(['', '{', '{"version":1}', '{"version":2}', '[]', 'null'])(
    'damaged as %j: as if there were none',
    async (text) => {
      const state = await tempFolder();
      await writeHits(state, DAY, LOOK);
      for (const name of ['2026-10-02.json', 'last.json']) await writeFile(join(state, 'hits', name), text);
      expect([await readLastLook(state), await readHitDay(state, '2026-10-02')]).toEqual([undefined, undefined]);
    },
  );

  test('the newest are kept, a year and a month of them; what else is there stays', async () => {
    const state = await tempFolder();
    await writeHits(state, DAY, LOOK);
    const first = Date.UTC(2025, 0, 1);
    const days = Array.from({ length: 400 }, (_, i) => new Date(first + i * 86_400_000).toISOString().slice(0, 10));
    for (const day of days) await writeFile(join(state, 'hits', `${day}.json`), '');
    await writeFile(join(state, 'hits', 'notes.txt'), '');
    await forgetOldDays(state);
    const left = await hitDays(state);
    expect([left.length, left[0], left.at(-1)]).toEqual([396, days[5], '2026-10-02']);
    expect(await readdir(join(state, 'hits'))).toContain('notes.txt');
  });
});
