import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { CrashProject, describeCrashes, NEW, OLD, testCrashes } from './crash.js';

/**
 * A build over an older artefact, ended at every single moment where a file becomes lasting (fsync) or visible (rename): by the
 * kernel's axe, and by a disk without space. Whatever the moment, what is found afterwards is wholly old or wholly new.
 */
await describeCrashes('crashes of build', () => {
  const counts = { fsync: 0, rename: 0 };
  let project: CrashProject;

  beforeAll(async () => {
    const write = (list: string) => (folder: string) => writeFile(join(folder, 'a.txt'), list);
    project = await CrashProject.create('build', 'file: a.txt', write(OLD.list), write(NEW.list));
  });

  test('the calls are found: each file is synced, then renamed', async () => {
    await project.restore();
    expect(await project.artefact()).toBe('old');
    expect((await project.traced()).status).toBe(0);
    Object.assign(counts, await project.counted());
    // Body, its parsed form, meta.json, the history, the parsed database of countries, six files of the artefact and the record of the build; the six are then moved into place.
    expect(counts).toEqual({ fsync: 12, rename: 18 });
    await project.requireRecovery();
  });

  testCrashes(() => project, counts);
});
