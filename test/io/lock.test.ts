import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../src/io/lock.js';
import { problemOf, tempFolder } from './temp.js';
import { compiled } from './tmpfs.js';

/** Another process that says `held` when it has the lock, and gives it back at the end of its input. */
const HOLDER = `
  import { appendFileSync } from 'node:fs';
  import { once } from 'node:events';
  import { withLock } from '${compiled('io/lock.js')}';
  const [folder, journal] = process.argv.slice(1);
  await withLock(folder, async () => {
    console.log('held');
    process.stdin.resume();
    await once(process.stdin, 'end');
    appendFileSync(journal, 'other process ends\\n');
  });
`;

async function holder(folder: string, journal: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, folder, journal], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  if (child.stdout === null) throw new Error('no pipe');
  await once(child.stdout, 'data');
  return child;
}

async function places() {
  const root = await tempFolder();
  const journal = join(root, 'journal');
  await writeFile(journal, '');
  return { folder: join(root, 'state'), journal };
}

describe('withLock in one process', () => {
  test('makes the folder, returns what the work returns, and leaves no lock', async () => {
    const { folder } = await places();
    expect(await withLock(folder, async () => 7)).toBe(7);
    expect(await readdir(folder)).toEqual([]);
    expect(await withLock(folder, async () => 8)).toBe(8);
  });

  test('an error of the work comes through, and gives the lock back', async () => {
    const { folder } = await places();
    await expect(withLock(folder, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await withLock(folder, async () => 'free')).toBe('free');
  });

  test('works of one process wait for each other', async () => {
    const { folder } = await places();
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise(setImmediate);
      await access(folder);
      order.push(`${name} ends`);
    };
    await Promise.all([withLock(folder, work('a')), withLock(folder, work('b'))]);
    expect(order.map((line) => line.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
  });

  test('a file in the place of the folder', async () => {
    const { journal } = await places();
    const problem = await problemOf(() => withLock(journal, async () => 0));
    expect(problem).toMatchObject({ code: 'file-unwritable', where: journal });
  });
});

describe('withLock in two processes', () => {
  test('waits until the other one is done', async () => {
    const { folder, journal } = await places();
    const other = await holder(folder, journal);
    const mine = withLock(folder, () => readFile(journal, 'utf8'));
    await new Promise(setImmediate);
    other.stdin?.end();
    expect(await mine).toBe('other process ends\n');
  });

  test('gives up with the code locked, and does no work', async () => {
    const { folder, journal } = await places();
    await holder(folder, journal);
    let worked = false;
    const problem = await problemOf(() =>
      withLock(folder, async () => {
        worked = true;
      }),
    );
    expect(problem).toMatchObject({ code: 'locked', where: folder, exitStatus: 5 });
    expect(worked).toBe(false);
    expect(await readFile(journal, 'utf8')).toBe('');
  });

  test('takes over the lock of one that was killed, once it gave no sign of life for half a minute', async () => {
    const { folder, journal } = await places();
    const other = await holder(folder, journal);
    other.kill('SIGKILL');
    await once(other, 'close');
    // The half minute, without the waiting.
    const longAgo = new Date(Date.now() - 31_000);
    await utimes(join(folder, 'lock'), longAgo, longAgo);
    expect(await withLock(folder, () => readFile(journal, 'utf8'))).toBe('');
  });

  test('one that is asked to end gives its lock back at once', async () => {
    const { folder, journal } = await places();
    const other = await holder(folder, journal);
    other.kill('SIGTERM');
    await once(other, 'close');
    expect(await withLock(folder, async () => 'free')).toBe('free');
  });
});
