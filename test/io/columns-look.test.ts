import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeColumns, encodeColumns, PAGE_BYTES } from '../../src/io/columns-file.js';
import { ColumnsLook, lookingInto } from '../../src/io/columns-look.js';
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
        const column = look.column(i);
        expect(words.map((_, at) => column.at(at)!)).toEqual(words);
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
  expect([look?.column(0).at(1), look?.column(0).at(2)]).toEqual([2, 3]);
  look?.close();
  await mkdir(join(folder, 'z'));
  expect(ColumnsLook.open(join(folder, 'z'))).toBeUndefined();
  // A user who may write the cache may lay links there; it is still no crash.
  await symlink('round', join(folder, 'round'));
  expect((await problemOf(async () => ColumnsLook.open(join(folder, 'round')))).code).toBe('file-unreadable');
});

test('a damaged page is found by who looks there, and by no one else', async () => {
  const path = join(await tempFolder(), 'x');
  const words = new Uint32Array(20_000).map((_, i) => i * 7);
  const sound = encodeColumns({ header: 'h', columns: [words] });
  const perPage = PAGE_BYTES / 4;
  const asked = [100, perPage * 2, perPage * 4 + 1];
  const answers = () =>
    Promise.all(
      asked.map(async (at) => {
        const look = ColumnsLook.open(path);
        if (look === undefined) return 'none';
        const [word, bytes] = [() => look.column(0).at(at), () => look.bytes(0, at * 4, at * 4 + 4).readUInt32LE()];
        const found = await problemOf(async () => [word(), bytes()]).catch(() => word());
        look.close();
        return found instanceof Error ? found.code : found;
      }),
    );
  await writeFile(path, sound);
  const right = asked.map((at) => words[at]);
  expect(await answers()).toEqual(right);
  for (const [i, at] of asked.entries()) {
    const damaged = Buffer.from(sound);
    const byte = sound.indexOf('\n') + 1 + at * 4;
    damaged[byte] = damaged[byte]! ^ 0x10;
    await writeFile(path, damaged);
    // The header is in the first page.
    expect(await answers()).toEqual(i === 0 ? asked.map(() => 'none') : right.with(i, 'file-unreadable' as never));
    expect(lookingInto(path, (look) => look.column(0).at(at))).toBeUndefined();
    expect(decodeColumns(damaged)).toBeUndefined();
  }
  // Five pages, and a checksum of their checksums.
  for (let byte = sound.length - 24; byte < sound.length; byte++) {
    const damaged = Buffer.from(sound);
    damaged[byte] = damaged[byte]! ^ 1;
    await writeFile(path, damaged);
    expect([byte, ColumnsLook.open(path)]).toEqual([byte, undefined]);
  }
});

test('a file that becomes shorter while it is open is damaged', async () => {
  const path = join(await tempFolder(), 'x');
  await writeFile(path, encodeColumns({ header: 'h', columns: [new Uint32Array(20_000)] }));
  const look = ColumnsLook.open(path)!;
  await truncate(path, PAGE_BYTES * 2);
  expect(look.column(0).at(10)).toBe(0);
  expect(await problemOf(async () => look.column(0).at(19_000))).toMatchObject({
    code: 'file-unreadable',
    where: path,
  });
  look.close();
});
