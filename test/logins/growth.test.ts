import { appendFile, copyFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { growthOf, type Mark } from '../../src/logins/growth.js';
import { tempFolder } from '../io/temp.js';

const OLD = 'a'.repeat(1000);

async function watched(content: string | Buffer = OLD) {
  const folder = await tempFolder();
  const path = join(folder, 'wtmp');
  await writeFile(path, content);
  const { growth, mark } = await growthOf(path, undefined);
  expect(growth).toBe('new');
  const now = async (before: Mark = mark) => (await growthOf(path, before)).growth;
  return { folder, path, mark, now };
}

test('as it was, and with more', async () => {
  const { path, now } = await watched();
  expect(await now()).toBe('grown');
  await appendFile(path, 'more');
  expect(await now()).toBe('grown');
});

test('a byte changed; a row less; empty; the same bytes in a new file', async () => {
  const { path, now } = await watched();
  await writeFile(path, `${OLD.slice(0, 500)}b${OLD.slice(501)}`);
  expect(await now()).toBe('rewritten');
  await writeFile(path, OLD.slice(1));
  expect(await now()).toBe('shrunk');
  await truncate(path);
  expect(await now()).toBe('shrunk');
  await rm(path);
  await writeFile(path, OLD);
  expect(await now()).toBe('grown');
});

test('put aside by logrotate: renamed, copied and emptied, packed', async () => {
  const { path, now } = await watched();
  await rename(path, `${path}.1`);
  await writeFile(path, 'b'.repeat(2000));
  expect(await now()).toBe('rotated');
  await rm(`${path}.1`);
  expect(await now()).toBe('rewritten');
  await writeFile(`${path}.1`, `${OLD}and more before it was put aside`);
  expect(await now()).toBe('rotated');
  await rm(`${path}.1`);
  await writeFile(`${path}.2.gz`, gzipSync(OLD));
  await writeFile(`${path}.3.xz`, 'what we cannot unpack');
  expect(await now()).toBe('rotated');
  await writeFile(path, OLD);
  await copyFile(path, `${path}.1`);
  await truncate(path);
  expect(await now()).toBe('rotated');
});

test('put aside, and a row was cut out there', async () => {
  const { path, now } = await watched();
  await rename(path, `${path}.1`);
  await writeFile(`${path}.1`, OLD.slice(100));
  await writeFile(path, '');
  expect(await now()).toBe('shrunk');
});

test('what is large counts by its ends and its size', async () => {
  const large = Buffer.alloc((1 << 26) + 1000, 'x');
  const { path, now } = await watched(large);
  expect(await now()).toBe('grown');
  large[large.length - 5] = 0;
  await writeFile(path, large);
  expect(await now()).toBe('rewritten');
});

test('nothing was there before', async () => {
  const { path, now } = await watched('');
  await writeFile(path, 'anything');
  expect(await now()).toBe('grown');
});
