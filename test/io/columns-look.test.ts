import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeColumns } from '../../src/io/columns-file.js';
import { ColumnsLook } from '../../src/io/columns-look.js';
import { runs } from '../ip/arbitraries.js';
import { problemOf, tempFolder } from './temp.js';

test('words and bytes of every column are those that were written', async () => {
  const path = join(await tempFolder(), 'x');
  const column = fc.uint32Array({ maxLength: 3000 });
  await fc.assert(
    fc.asyncProperty(fc.array(column, { maxLength: 5 }), fc.string(), async (columns, header) => {
      await writeFile(path, encodeColumns({ header, columns }));
      const look = ColumnsLook.open(path)!;
      expect([look.header, look.sizes]).toEqual([header, columns.map(({ length }) => length)]);
      for (const [i, words] of columns.entries()) {
        expect(words.map((_, at) => look.word(i, at))).toEqual(words);
        const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
        expect(look.bytes(i, 1, 7)).toEqual(bytes.subarray(1, 7));
      }
      look.close();
    }),
    runs(60),
  );
});

test('what is not there, cut off, longer, or something else is nothing', async () => {
  const folder = await tempFolder();
  const path = join(folder, 'x');
  const sound = encodeColumns({ header: 'h', columns: [Uint32Array.of(1, 2, 3)] });
  const opened = async (bytes: Uint8Array | string) => {
    await writeFile(path, bytes);
    return ColumnsLook.open(path);
  };
  expect(ColumnsLook.open(join(folder, 'none'))).toBeUndefined();
  expect(ColumnsLook.open(join(folder, 'x', 'y'))).toBeUndefined();
  for (const bytes of [sound.subarray(0, -1), Buffer.concat([sound, sound]), '', 'words\n', '\0'.repeat(70_000)]) {
    expect(await opened(bytes)).toBeUndefined();
  }
  const look = await opened(sound);
  expect([look?.word(0, 1), look?.word(0, 2)]).toEqual([2, 3]);
  look?.close();
  await mkdir(join(folder, 'z'));
  expect(ColumnsLook.open(join(folder, 'z'))).toBeUndefined();
  // A user who may write the cache may lay links there; it is still no crash.
  await symlink('round', join(folder, 'round'));
  expect((await problemOf(async () => ColumnsLook.open(join(folder, 'round')))).code).toBe('file-unreadable');
});
