import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../../src/io/run.js';
import { problemOf, tempFolder } from './temp.js';

describe('a program that ends', () => {
  test.each([0, 1, 3, 127, 255])('status %i is a result, not an error', async (status) => {
    const { stdout, stderr, ...rest } = await run(['sh', '-c', `echo out; echo err >&2; exit ${status}`]);
    expect(rest).toEqual({ status });
    expect([stdout.toString(), stderr]).toEqual(['out\n', 'err\n']);
  });

  test('output is kept byte for byte, whatever its size', async () => {
    const { stdout } = await run(['head', '-c', '3000000', '/dev/zero']);
    expect(stdout.equals(Buffer.alloc(3_000_000))).toBe(true);
  });

  test('output in pieces, in order, kept nowhere else', async () => {
    const pieces: Buffer[] = [];
    const { stdout } = await run(['seq', '300000'], { onStdout: (chunk) => pieces.push(chunk) });
    expect(stdout.length).toBe(0);
    const lines = Buffer.concat(pieces).toString().trimEnd().split('\n');
    expect([lines.length, lines[299_999], pieces.length > 1]).toEqual([300_000, '300000', true]);
  });

  test('what throws at a piece of output ends the program and is what the caller gets', async () => {
    const onStdout = () => {
      throw new RangeError('no more');
    };
    await expect(run(['yes'], { onStdout, timeoutMs: 10_000 })).rejects.toThrow(new RangeError('no more'));
  });

  test('input arrives whole, bytes as they are', async () => {
    const input = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => i % 256));
    const { stdout } = await run(['cat'], { stdin: input });
    expect(stdout.equals(input)).toBe(true);
  });

  test('without input it reads an end, not our terminal', async () => {
    expect(await run(['cat'])).toEqual({ status: 0, stdout: Buffer.alloc(0), stderr: '' });
  });

  test('one that refuses its input early still tells its status', async () => {
    const { status, stderr } = await run(['sh', '-c', 'echo no >&2; exit 4'], { stdin: Buffer.alloc(8_000_000) });
    expect([status, stderr]).toEqual([4, 'no\n']);
  });
});

describe('limits that a caller sets', () => {
  test('output up to the cap is kept, more ends the program', async () => {
    const print = (bytes: number) => ['head', '-c', String(bytes), '/dev/zero'] as const;
    expect((await run(print(1000), { outputCap: 1000 })).stdout.length).toBe(1000);
    const began = performance.now();
    expect((await problemOf(() => run(['cat', '/dev/zero'], { outputCap: 100_000 }))).code).toBe('too-large');
    expect((await problemOf(() => run(['sh', '-c', 'yes >&2'], { outputCap: 100_000 }))).code).toBe('too-large');
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('variables are added, and never decide where programs are or how they speak', async () => {
    const { stdout } = await run(['env'], { env: { GIT_X: 'y', PATH: '/nowhere', LC_ALL: 'de_DE' } });
    const lines = stdout.toString().trim().split('\n').sort();
    expect(lines).toEqual(['GIT_X=y', 'LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin']);
  });
});

describe('no shell, nothing of the caller around it', () => {
  test('what a shell would interpret arrives as it is', async () => {
    const folder = await tempFolder();
    const words = [
      '$HOME',
      '`id`',
      '$(id)',
      'a;b',
      'a|b',
      '*',
      '~',
      'a b',
      `>${folder}/x`,
      '&&',
      "'",
      '"',
      '\\',
      '',
      '-n',
      'é',
    ];
    const { stdout } = await run(['printf', '%s\\0', ...words]);
    expect(stdout.toString()).toBe(words.map((word) => `${word}\0`).join(''));
    expect(await readdir(folder)).toEqual([]);
  });

  test('the environment is the system path and the C locale', async () => {
    process.env.BLOCKLIST_TEST_SECRET = 'x';
    onTestFinished(() => {
      delete process.env.BLOCKLIST_TEST_SECRET;
    });
    const { stdout } = await run(['env']);
    expect(stdout.toString()).toBe('PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n');
  });

  test("the caller's PATH does not decide which program runs", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'cat'), '#!/bin/sh\necho not the real one\n');
    await chmod(join(folder, 'cat'), 0o755);
    const before = process.env.PATH;
    process.env.PATH = `${folder}:${before}`;
    onTestFinished(() => {
      process.env.PATH = before;
    });
    expect((await run(['cat'], { stdin: 'real' })).stdout.toString()).toBe('real');
  });
});

describe('a program that does not end well', () => {
  test.each<[program: string, hint: string]>([
    ['no-such-program-anywhere', 'install it: apt-get install no-such-program-anywhere'],
    ['/no/such/path', 'install it: apt-get install /no/such/path'],
  ])('missing: %s', async (program, hint) => {
    const problem = await problemOf(() => run([program]));
    expect(problem).toMatchObject({ code: 'program-missing', where: program, hint, exitStatus: 5 });
  });

  test('not executable', async () => {
    const path = join(await tempFolder(), 'text');
    await writeFile(path, 'x');
    expect(await problemOf(() => run([path]))).toMatchObject({ code: 'program-failed', where: path });
  });

  test('late: killed at the deadline', async () => {
    const began = Date.now();
    const problem = await problemOf(() => run(['sleep', '60'], { timeoutMs: 300 }));
    expect(problem).toMatchObject({ code: 'program-timeout', where: 'sleep' });
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  test('late although it ignores requests to end', async () => {
    const stubborn = 'trap "" TERM INT HUP; while :; do :; done';
    const problem = await problemOf(() => run(['sh', '-c', stubborn], { timeoutMs: 300 }));
    expect(problem).toMatchObject({ code: 'program-timeout', where: 'sh' });
  });

  test('ended by a signal', async () => {
    const problem = await problemOf(() => run(['sh', '-c', 'kill -TERM $$']));
    expect(problem).toMatchObject({ code: 'program-failed', message: 'sh was ended by SIGTERM' });
  });
});
