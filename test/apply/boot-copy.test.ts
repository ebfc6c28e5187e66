import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBootCopy, removeBootCopy, writeBootCopy } from '../../src/apply/boot-copy.js';
import { tempFolder } from '../io/temp.js';

const script = (text: string) => Buffer.from(`add table inet ${text}\n`);
const names = async (state: string) => (await readdir(join(state, 'boot'))).sort();
/** What the boot unit does. */
const sumsHold = (folder: string) =>
  execFileSync('sha256sum', ['--check', '--quiet', '--strict', 'SHA256SUMS'], { cwd: folder, stdio: 'pipe' });

test('a link leads to a complete folder with its digest', async () => {
  const state = await tempFolder();
  expect(await writeBootCopy(state, 'rules', script('a'))).toBe('written');
  const name = await readlink(join(state, 'boot/rules'));
  expect(name).toMatch(/^rules-[0-9a-f]{8}$/);
  expect(await readFile(join(state, 'boot/rules/blocklist.nft'), 'utf8')).toBe('add table inet a\n');
  sumsHold(join(state, 'boot/rules'));
  expect(await names(state)).toEqual(['rules', name]);
});

test('the same again writes nothing, another one leaves nothing of the first, the other part stays', async () => {
  const state = await tempFolder();
  await writeBootCopy(state, 'local', script('l'));
  await writeBootCopy(state, 'rules', script('a'));
  expect(await writeBootCopy(state, 'rules', script('a'))).toBe('as it was');
  expect(await writeBootCopy(state, 'rules', script('b'))).toBe('written');
  const parts = [await readlink(join(state, 'boot/local')), await readlink(join(state, 'boot/rules'))];
  expect(await names(state)).toEqual(['local', 'rules', ...parts].sort());
  expect(await readFile(join(state, 'boot/local/blocklist.nft'), 'utf8')).toBe('add table inet l\n');
});

test('what a killed run left is removed, also when nothing changes; foreign names stay', async () => {
  const state = await tempFolder();
  await writeBootCopy(state, 'rules', script('a'));
  await mkdir(join(state, 'boot/rules-00000000'));
  await writeFile(join(state, 'boot/rules-00000000/.blocklist.nft.tmp'), 'half');
  await symlink('rules-00000000', join(state, 'boot/.rules.tmp'));
  await mkdir(join(state, 'boot/rules-of-mine'));
  expect(await writeBootCopy(state, 'rules', script('a'))).toBe('as it was');
  const current = await readlink(join(state, 'boot/rules'));
  expect(await names(state)).toEqual(['rules', current, 'rules-of-mine'].sort());
});

test('a damaged copy is told, and written anew', async () => {
  const state = await tempFolder();
  await writeBootCopy(state, 'rules', script('a'));
  await appendFile(join(state, 'boot/rules/blocklist.nft'), ' ');
  expect((await checkBootCopy(state))[1]).toEqual({ part: 'rules', state: 'damaged' });
  expect(await writeBootCopy(state, 'rules', script('a'))).toBe('written');
  sumsHold(join(state, 'boot/rules'));
});

test('what there is: absent, whole with its digest, damaged in each way', async () => {
  const state = await tempFolder();
  expect(await checkBootCopy(state)).toEqual([
    { part: 'local', state: 'absent' },
    { part: 'rules', state: 'absent' },
  ]);
  for (const damage of ['blocklist.nft', 'SHA256SUMS']) {
    await writeBootCopy(state, 'local', script('l'));
    expect((await checkBootCopy(state))[0]).toMatchObject({
      state: 'whole',
      sha256: expect.stringMatching(/^\w{64}$/),
    });
    await rm(join(state, 'boot/local', damage));
    expect((await checkBootCopy(state))[0]).toEqual({ part: 'local', state: 'damaged' });
  }
  await rm(join(state, 'boot', await readlink(join(state, 'boot/local'))), { recursive: true });
  expect((await checkBootCopy(state))[0]).toEqual({ part: 'local', state: 'damaged' });
});

test('removed: nothing is loaded at the next boot', async () => {
  const state = await tempFolder();
  await removeBootCopy(state);
  await writeBootCopy(state, 'local', script('l'));
  await writeBootCopy(state, 'rules', script('a'));
  await removeBootCopy(state);
  expect(await names(state)).toEqual([]);
});

test('a folder that cannot be written is an error of ours', async () => {
  const state = await tempFolder();
  await writeFile(join(state, 'boot'), 'a file');
  await expect(writeBootCopy(state, 'rules', script('a'))).rejects.toMatchObject({ code: 'file-unwritable' });
});
