import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileChunks, readRegular, readWhole, regularFileChunks } from '../../src/io/read.js';
import { must } from '../system/processes.js';
import { allOf, problemOf, tempFolder } from './temp.js';

const READERS = [
  ['fileChunks', fileChunks],
  ['regularFileChunks', regularFileChunks],
] as const;

describe.each(READERS)('%s', (_, chunks) => {
  test.each([0, 1, 65_536, 1_048_576, 1_048_577, 3_000_000])('yields the %i bytes of a file in order', async (size) => {
    const path = join(await tempFolder(), 'a');
    const bytes = Buffer.from(Array.from({ length: size }, (__, i) => (i * 7) % 251));
    await writeFile(path, bytes);
    expect((await allOf(chunks(path))).equals(bytes)).toBe(true);
  });

  test('no such file', async () => {
    const path = join(await tempFolder(), 'a');
    expect(await problemOf(() => allOf(chunks(path)))).toMatchObject({
      code: 'file-unreadable',
      message: `cannot read ${path}: no such file`,
      where: path,
      hint: 'check the name',
      exitStatus: 5,
    });
  });

  test('a folder', async () => {
    const path = await tempFolder();
    expect(await problemOf(() => allOf(chunks(path)))).toMatchObject({ code: 'file-unreadable', where: path });
  });

  test('can be left early, also in the middle of a large file', async () => {
    const path = join(await tempFolder(), 'a');
    await writeFile(path, '');
    await truncate(path, 1 << 30);
    for await (const chunk of chunks(path)) {
      expect(chunk.length).toBeLessThanOrEqual(1 << 20);
      break;
    }
  });
});

describe('what is no regular file', () => {
  test('a pipe without a writer is refused at once by regularFileChunks', async () => {
    const path = join(await tempFolder(), 'pipe');
    await must(['mkfifo', path]);
    expect(await problemOf(() => allOf(regularFileChunks(path)))).toMatchObject({
      code: 'file-unreadable',
      message: `cannot read ${path}: it is not a regular file`,
    });
  });

  test('a device is refused by regularFileChunks', async () => {
    expect(await problemOf(() => allOf(regularFileChunks('/dev/zero')))).toMatchObject({ code: 'file-unreadable' });
  });

  test.each(['/dev/zero', '/proc/self'])('%s is refused at once by readRegular', async (path) => {
    expect(await problemOf(() => readRegular(path, 1))).toMatchObject({
      code: 'file-unreadable',
      message: `cannot read ${path}: it is not a regular file`,
    });
  });

  test('a pipe with a writer is read by fileChunks', async () => {
    const path = join(await tempFolder(), 'pipe');
    await must(['mkfifo', path]);
    const writer = must(['sh', '-c', 'printf through > "$1"', 'sh', path]);
    expect((await allOf(fileChunks(path))).toString()).toBe('through');
    await writer;
  });
});

describe('readRegular', () => {
  test.each<[what: string, content: string, cap: number]>([
    ['at the cap', 'abcd', 4],
    ['empty', '', 0],
    ['of many pieces', 'x'.repeat(3_000_000), 3_000_000],
  ])('a file %s is read whole', async (_, content, cap) => {
    const path = join(await tempFolder(), 'list');
    await writeFile(path, content);
    expect((await readRegular(path, cap)).toString()).toBe(content);
  });

  test('a file beyond the cap is refused before it is read, and one that is not there by its name', async () => {
    const path = join(await tempFolder(), 'list');
    await writeFile(path, '');
    await truncate(path, 2 ** 33);
    expect(await problemOf(() => readRegular(path, 2 ** 20))).toMatchObject({ code: 'too-large', where: path });
    const none = join(path, '..', 'none');
    expect(await problemOf(() => readRegular(none, 1))).toMatchObject({ code: 'file-unreadable', where: none });
  });
});

describe('readWhole', () => {
  test.each<[what: string, content: string, cap: number, result: string]>([
    ['below the cap', 'abc', 4, 'abc'],
    ['at the cap', 'abcd', 4, 'abcd'],
    ['empty', '', 0, ''],
  ])('%s', async (_, content, cap, result) => {
    const path = join(await tempFolder(), 'a');
    await writeFile(path, content);
    expect((await readWhole(path, cap))?.toString()).toBe(result);
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  test('nothing there is undefined, and so is a folder of the path that is not there', async () => {
    const folder = await tempFolder();
    expect(await readWhole(join(folder, 'a'), 10)).toBeUndefined();
    expect(await readWhole(join(folder, 'a', 'b'), 10)).toBeUndefined();
  });

  test('above the cap it is not read', async () => {
    const path = join(await tempFolder(), 'a');
    await writeFile(path, '12345');
    expect(await problemOf(() => readWhole(path, 4))).toMatchObject({
      code: 'too-large',
      message: `${path} has 5 bytes, more than the 4 expected at most`,
    });
  });

  test.each(['folder', 'pipe'])('a %s is refused and does not hang', async (kind) => {
    const path = join(await tempFolder(), 'a');
    if (kind === 'folder') await mkdir(path);
    else await must(['mkfifo', path]);
    expect(await problemOf(() => readWhole(path, 10))).toMatchObject({ code: 'file-unreadable', where: path });
  });
});
