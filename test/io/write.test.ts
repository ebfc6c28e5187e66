import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeFolder, moveFile, removeTree, writeAtomic } from '../../src/io/write.js';
import { must } from '../system/processes.js';
import { systemTest } from '../system/requirements.js';
import { problemOf, tempFolder } from './temp.js';
import { compiled, scriptOnTmpfs } from './tmpfs.js';

describe('writeAtomic', () => {
  test.each<[what: string, data: string | Uint8Array, bytes: number[]]>([
    ['text as UTF-8', 'aé', [0x61, 0xc3, 0xa9]],
    ['no bytes', '', []],
    ['bytes', Uint8Array.of(0, 255, 10), [0, 255, 10]],
    ['the part that a view shows', Uint8Array.of(1, 2, 3, 4).subarray(1, 3), [2, 3]],
  ])('writes %s', async (_, data, bytes) => {
    const folder = await tempFolder();
    await writeAtomic(join(folder, 'a'), data);
    expect([...(await readFile(join(folder, 'a')))]).toEqual(bytes);
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('makes the folders that are missing', async () => {
    const folder = await tempFolder();
    await writeAtomic(join(folder, 'b', 'c', 'a'), 'x');
    expect(await readFile(join(folder, 'b', 'c', 'a'), 'utf8')).toBe('x');
  });

  test('replaces the file, not the bytes in it: who has the old one open reads the old one to its end', async () => {
    const path = join(await tempFolder(), 'a');
    await writeFile(path, 'old');
    const before = await stat(path);
    await writeAtomic(path, 'new text');
    expect((await stat(path)).ino).not.toBe(before.ino);
    expect(await readFile(path, 'utf8')).toBe('new text');
  });

  test('keeps the mode of the file', async () => {
    const path = join(await tempFolder(), 'a');
    await writeFile(path, 'old');
    await chmod(path, 0o640);
    await writeAtomic(path, 'new');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test('writes through a symbolic link', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'real'), 'old');
    await symlink('real', join(folder, 'link'));
    await writeAtomic(join(folder, 'link'), 'new');
    expect(await readFile(join(folder, 'real'), 'utf8')).toBe('new');
  });

  test('a folder in the place of the file: nothing is left behind', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'a'));
    const problem = await problemOf(() => writeAtomic(join(folder, 'a'), 'x'));
    expect(problem).toMatchObject({ code: 'file-unwritable', where: join(folder, 'a'), exitStatus: 5 });
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('a file in the place of the folder', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a'), 'x');
    const problem = await problemOf(() => writeAtomic(join(folder, 'a', 'b'), 'y'));
    expect(problem).toMatchObject({ code: 'file-unwritable', where: join(folder, 'a', 'b') });
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('x');
  });
});

/** Writes as somebody with this umask, and prints the mode of everything below the folder. */
const MODES = `
  import { readdirSync, statSync, writeFileSync } from 'node:fs';
  import { makeFolder, writeAtomic } from '${compiled('io/write.js')}';
  import { withLock } from '${compiled('io/lock.js')}';
  const [folder, umask] = process.argv.slice(1);
  const modes = () =>
    readdirSync(folder, { recursive: true })
      .sort()
      .map((name) => name + ' ' + (statSync(folder + '/' + name).mode & 0o7777).toString(8));
  process.umask(0);
  // What a killed run left.
  writeFileSync(folder + '/.left.tmp', 'torso', { mode: 0o666 });
  process.umask(Number.parseInt(umask, 8));
  await makeFolder(folder + '/made/below');
  await writeAtomic(folder + '/left', 'x');
  await writeAtomic(folder + '/a/b/new', 'x');
  await writeAtomic(folder + '/a/b/new', 'y');
  await withLock(folder + '/locked', async () => console.log(JSON.stringify(modes())));
`;

test.each(['0', '2', '22', '77'])(
  'everybody may read what is written, and one user write, with umask %s',
  async (umask) => {
    const folder = await tempFolder();
    const printed = await must([process.execPath, '--input-type=module', '-e', MODES, folder, umask]);
    // Nobody else looks into the lock.
    const lock = umask === '77' ? 'locked/lock 700' : 'locked/lock 755';
    const expected = ['a 755', 'a/b 755', 'a/b/new 644', 'left 644', 'locked 755', lock, 'made 755', 'made/below 755'];
    expect(JSON.parse(printed)).toEqual(expected);
  },
);

test('a link in the place of the temporary file is not followed', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'other'), 'old');
  await symlink('other', join(folder, '.a.tmp'));
  await writeAtomic(join(folder, 'a'), 'new');
  expect([await readFile(join(folder, 'other'), 'utf8'), await readFile(join(folder, 'a'), 'utf8')]).toEqual([
    'old',
    'new',
  ]);
  expect((await readdir(folder)).sort()).toEqual(['a', 'other']);
});

/** Tries to replace `old`, and prints what came of it. */
const REPLACE = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { writeAtomic } from '${compiled('io/write.js')}';
  const [folder] = process.argv.slice(1);
  let told;
  try {
    await writeAtomic(folder + '/a', 'n'.repeat(100_000));
    told = 'no error';
  } catch ({ code, message, hint }) {
    told = { code, message, hint };
  }
  console.log(JSON.stringify({ told, content: readFileSync(folder + '/a', 'utf8'), names: readdirSync(folder).sort() }));
`;

describe('writeAtomic where nothing can be written', () => {
  systemTest('a full disk keeps the old file, and no part of the new one', ['root', 'mountns'], async () => {
    const folder = await tempFolder();
    const fill = 'printf old >"$1/a"; dd if=/dev/zero of="$1/ballast" bs=4096 2>/dev/null || true';
    const { stdout } = await scriptOnTmpfs(folder, '1m', fill, REPLACE);
    expect(JSON.parse(stdout)).toEqual({
      told: {
        code: 'file-unwritable',
        message: `cannot write ${folder}/a: ENOSPC`,
        hint: 'free some space; the file is as it was',
      },
      content: 'old',
      names: ['a', 'ballast'],
    });
  });

  systemTest('a read-only disk keeps the old file', ['root', 'mountns'], async () => {
    const folder = await tempFolder();
    const protect = 'printf old >"$1/a"; mount -o remount,ro "$1"';
    const { stdout } = await scriptOnTmpfs(folder, '1m', protect, REPLACE);
    expect(JSON.parse(stdout)).toMatchObject({
      told: { code: 'file-unwritable', message: `cannot write ${folder}/a: EROFS` },
      content: 'old',
      names: ['a'],
    });
  });
});

describe('the smaller tools', () => {
  test('makeFolder is content with one that is there, not with a file', async () => {
    const folder = await tempFolder();
    await makeFolder(join(folder, 'a', 'b'));
    await makeFolder(join(folder, 'a', 'b'));
    await writeFile(join(folder, 'f'), '');
    const problem = await problemOf(() => makeFolder(join(folder, 'f')));
    expect(problem).toMatchObject({ code: 'file-unwritable', where: join(folder, 'f') });
  });

  test('moveFile replaces, and tells when there is nothing to move', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a'), 'new');
    await writeFile(join(folder, 'b'), 'old');
    await moveFile(join(folder, 'a'), join(folder, 'b'));
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['b']);
    const problem = await problemOf(() => moveFile(join(folder, 'a'), join(folder, 'b')));
    expect(problem).toMatchObject({ code: 'file-unwritable', where: join(folder, 'b') });
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('new');
  });

  test('removeTree removes folders with all they hold, and is content with nothing', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'a', 'b'), { recursive: true });
    await writeFile(join(folder, 'a', 'b', 'c'), '');
    await removeTree(join(folder, 'a'));
    await removeTree(join(folder, 'a'));
    expect(await readdir(folder)).toEqual([]);
  });
});
