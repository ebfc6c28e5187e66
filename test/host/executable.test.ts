import { link, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { executableOf } from '../../src/host/executable.js';
import { tempFolder } from '../io/temp.js';

/** A folder that looks like /proc; what the kernel's link leads to is a file of its own. */
async function proc(target: string) {
  const folder = await tempFolder();
  await mkdir(`${folder}/5`);
  await symlink(target, `${folder}/5/exe`);
  return folder;
}

test('a file that is there', async () => {
  const folder = await tempFolder();
  await writeFile(`${folder}/x`, '');
  expect(executableOf(5, await proc(`${folder}/x`))).toEqual({ path: `${folder}/x`, state: 'there' });
});

test('a file whose own name says that it was removed is there', async () => {
  const folder = await tempFolder();
  await writeFile(`${folder}/x (deleted)`, '');
  const path = `${folder}/x (deleted)`;
  expect(executableOf(5, await proc(path))).toEqual({ path, state: 'there' });
});

test('removed; removed, with another at its place; never anywhere', async () => {
  const folder = await tempFolder();
  const at = await proc(`${folder}/x (deleted)`);
  expect(executableOf(5, at)).toEqual({ path: `${folder}/x`, state: 'deleted' });
  await writeFile(`${folder}/x`, '');
  expect(executableOf(5, at)).toEqual({ path: `${folder}/x`, state: 'replaced' });
  expect(executableOf(5, await proc('/memfd:a b (deleted)'))).toEqual({ path: '/memfd:a b', state: 'memory' });
});

test('a path that leads to another file here, or to none: it counts in the folders of the process', async () => {
  expect(executableOf(5, await proc('/nonexistent/x'))).toEqual({ path: '/nonexistent/x', state: 'elsewhere' });
});

test('what is not ours to see, or has ended, is not known', async () => {
  expect(executableOf(6, await proc('/bin/true'))).toBeUndefined();
});

test('a process whose main thread has ended tells it by another', async () => {
  const folder = await proc('/x');
  await mkdir(`${folder}/5/task/7`, { recursive: true });
  await rm(`${folder}/5/exe`);
  await symlink('/nonexistent/y', `${folder}/5/task/7/exe`);
  expect(executableOf(5, folder)?.path).toBe('/nonexistent/y');
});

test('this process, really, also behind another name', async () => {
  expect(executableOf(process.pid)).toEqual({ path: process.execPath, state: 'there' });
  const folder = await tempFolder();
  await writeFile(`${folder}/a`, '');
  await link(`${folder}/a`, `${folder}/b`);
  await rename(`${folder}/a`, `${folder}/c`);
  expect(executableOf(5, await proc(`${folder}/c`))?.state).toBe('there');
});
