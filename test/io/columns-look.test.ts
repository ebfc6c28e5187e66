import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeColumns } from '../../src/io/columns-file.js';
import { ColumnsLook } from '../../src/io/columns-look.js';
import { runs } from '../ip/arbitraries.js';
import { tempFolder } from './temp.js';

test('words and bytes of every column are those that were written', async () => {
  const path = join(await tempFolder(), 'x');
  const column = fc.uint32Array({ maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(column, { maxLength: 5 }),
      fc.string(),
      fc.nat(50),
      fc.nat(20),
      async (columns, header, from, count) => {
        await writeFile(path, encodeColumns({ header, columns }));
        const look = ColumnsLook.open(path)!;
        expect([look.header, look.sizes]).toEqual([header, columns.map(({ length }) => length)]);
        for (const [i, words] of columns.entries()) {
          const at = Math.min(from, words.length);
          const size = Math.min(count, words.length - at);
          expect(look.words(i, at, size)).toEqual(words.slice(at, at + size));
          const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
          expect(look.bytes(i, 1, 7)).toEqual(bytes.subarray(1, 7));
        }
        look.close();
      },
    ),
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
  expect(look?.words(0, 1, 2)).toEqual(Uint32Array.of(2, 3));
  look?.close();
  await mkdir(join(folder, 'z'));
  expect(ColumnsLook.open(join(folder, 'z'))).toBeUndefined();
});
