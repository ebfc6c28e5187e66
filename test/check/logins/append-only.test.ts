import { mkdir, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appendOnly, changeFinding } from '../../../src/check/logins/append-only.js';
import type { RecordFile } from '../../../src/logins/find.js';
import { tempFolder } from '../../io/temp.js';

const OLD = 'x'.repeat(768);

/** A file that was looked at once, changed since, and is looked at again: what is told of it. */
async function told(name: string, change: (path: string) => Promise<unknown>): Promise<string[]> {
  const folder = join(await tempFolder(), 'var/log');
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, OLD);
  const files: RecordFile[] = [{ kind: 'wtmp', path, changed: 0 }];
  const first = await appendOnly(files, {}, 1);
  expect(first.changes).toEqual([]);
  await change(path);
  const { changes } = await appendOnly(files, first.marks, 2);
  return changes.map(changeFinding).map(({ code, severity }) => `${severity} ${code}`);
}

test('WTMP-SHRUNK: a row less', async () => {
  expect(await told('wtmp', (path) => truncate(path, 384))).toEqual(['high WTMP-SHRUNK']);
});

test('WTMP-REWRITTEN: as long as before, or longer, with other bytes', async () => {
  expect(await told('wtmp', (path) => writeFile(path, `y${OLD.slice(1)}`))).toEqual(['high WTMP-REWRITTEN']);
  expect(await told('auth.log', (path) => writeFile(path, `y${OLD}`))).toEqual(['high WTMP-REWRITTEN']);
});

test('near misses: it grew; it was put aside; its writer changes it in place; it was put aside before', async () => {
  expect(await told('wtmp', (path) => writeFile(path, `${OLD}more`))).toEqual([]);
  const rotate = async (path: string) => {
    await rename(path, `${path}.1`);
    await writeFile(path, '');
  };
  expect(await told('wtmp', rotate)).toEqual([]);
  for (const name of ['lastlog', 'wtmp.db', 'wtmp.1'])
    expect(await told(name, (path) => truncate(path, 0))).toEqual([]);
});
