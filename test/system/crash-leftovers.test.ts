import { cp, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { must, type Ran, run } from './processes.js';
import { CLI, systemTest } from './requirements.js';

const yaml = (direction: string) =>
  `sources: {custom: [{id: a, file: a.txt, direction: ${direction}}]}\npaths: {cache: cache, state: state}\n`;

systemTest(
  'killed while the files of outward sets are removed: the next build removes them',
  ['strace'],
  async () => {
    const base = await tempFolder();
    const [folder, template] = [join(base, 'run', 'project'), join(base, 'template')];
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'blocklist.yaml'), yaml('both'));
    await writeFile(join(folder, 'a.txt'), '5.0.0.0/24\n');
    await must([process.execPath, CLI, 'build', '--quiet'], { cwd: folder });
    await writeFile(join(folder, 'blocklist.yaml'), yaml('in'));
    await cp(folder, template, { recursive: true });
    const trace = join(base, 'trace');
    const traced = (...more: readonly string[]): Promise<Ran> => {
      const strace = ['env', 'UV_THREADPOOL_SIZE=1', 'strace', '-f', '-qq', '-o', trace, '-e', 'trace=unlink', ...more];
      const argv = ['sh', '-c', '"$@"; exit $?', 'sh', ...strace, process.execPath, CLI, 'build', '--quiet'];
      return run(argv, { cwd: folder });
    };
    await traced();
    const count = (await readFile(trace, 'utf8')).match(/\bunlink\(/g)?.length ?? 0;
    const left: string[] = [];
    for (let n = 1; n <= count; n++) {
      await rm(join(folder, '..'), { recursive: true });
      await cp(template, folder, { recursive: true });
      const { status } = await traced('-e', `inject=unlink:signal=KILL:when=${n}`);
      expect({ n, status }).toEqual({ n, status: 137 });
      const longAgo = new Date(Date.now() - 31_000);
      await utimes(join(folder, 'state', 'lock'), longAgo, longAgo);
      await must([process.execPath, CLI, 'build', '--quiet'], { cwd: folder });
      const names = (await readdir(join(folder, 'rules'))).filter((name) => name.startsWith('out_'));
      if (names.length > 0) left.push(`killed at unlink ${n}: ${names.join(' ')}`);
    }
    expect(left).toEqual([]);
  },
  200_000,
);
