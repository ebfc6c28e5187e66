import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../src/errors.js';
import { IpSet } from '../../src/ip/index.js';
import { readLastBuild, writeLastBuild } from '../../src/report/last-build.js';
import type { Loaded } from '../../src/sources/contract.js';
import { tempFolder } from '../io/temp.js';

const counts = { entries: 1, rejected: 0, hostBits: 0, samples: [] };
const empty = { set: IpSet.empty, nodes: IpSet.empty };
const good: Loaded = { id: 'a', kind: 'feed', direction: 'in', ...empty, counts, date: 5, state: 'fresh' };
const failed: Loaded = { ...good, id: 'b', state: 'kept', problem: new BlocklistError('http-failed', 'no answer') };

/** No build before, everybody asked. */
const FIRST = { build: undefined, wasAsked: () => true, idle: [] };

describe('the record of the last build', () => {
  test('comes back as it was written', async () => {
    const folder = join(await tempFolder(), 'state');
    await writeLastBuild(
      folder,
      7,
      [good, failed],
      [{ id: 'c', problem: new BlocklistError('source-empty', 'gone') }],
      FIRST,
    );
    expect(await readLastBuild(folder)).toEqual({
      version: 1,
      at: 7,
      sources: [
        { id: 'a', date: 5, state: 'fresh' },
        { id: 'b', date: 5, state: 'kept', problem: 'no answer', code: 'http-failed' },
      ],
      missing: [{ id: 'c', problem: 'gone', code: 'source-empty' }],
    });
  });

  test('whom nobody asked fails as it failed before; who was asked does not', async () => {
    const folder = join(await tempFolder(), 'state');
    await writeLastBuild(folder, 7, [good, failed], [], FIRST);
    const well = { ...failed, problem: undefined };
    const { problem: _, ...healthy } = well;
    const build = await readLastBuild(folder);
    await writeLastBuild(folder, 8, [good, healthy], [], { build, wasAsked: (id) => id === 'a', idle: [] });
    expect((await readLastBuild(folder))?.sources[1]).toMatchObject({ problem: 'no answer', code: 'http-failed' });
    await writeLastBuild(folder, 9, [good, healthy], [], { build, wasAsked: () => true, idle: [] });
    expect((await readLastBuild(folder))?.sources[1]).not.toHaveProperty('problem');
  });

  test('what nobody looked at is as it was, well or lost', async () => {
    const folder = join(await tempFolder(), 'state');
    const lost = [{ id: 'c', problem: new BlocklistError('source-empty', 'gone') }];
    await writeLastBuild(folder, 7, [good, failed], lost, FIRST);
    const build = await readLastBuild(folder);
    await writeLastBuild(folder, 8, [], [], { build, wasAsked: () => false, idle: ['b', 'c'] });
    expect(await readLastBuild(folder)).toEqual({
      version: 1,
      at: 8,
      sources: build?.sources.filter(({ id }) => id === 'b'),
      missing: build?.missing,
    });
  });

  test('is undefined before the first one', async () => {
    expect(await readLastBuild(await tempFolder())).toBeUndefined();
  });

  test.each(['', '{', 'null', '[]', '{"version":2}', '{"version":1,"at":"now","sources":[],"missing":[]}'])(
    'is undefined when it is damaged: %j',
    async (text) => {
      const folder = await tempFolder();
      await writeFile(join(folder, 'last-build.json'), text);
      expect(await readLastBuild(folder)).toBeUndefined();
    },
  );
});
