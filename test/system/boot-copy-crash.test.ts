import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkBootCopy, writeBootCopy } from '../../src/apply/boot-copy.js';
import { tempFolder } from '../io/temp.js';
import { describeCrashes } from './crash.js';
import { must, type Ran, run } from './processes.js';

const MODULE = fileURLToPath(new URL('../../dist/apply/boot-copy.js', import.meta.url));
const CALLS = ['fsync', 'rename', 'symlink', 'mkdir', 'rmdir', 'unlink'] as const;
const [OLD, NEW] = [Buffer.from('add table inet old\n'), Buffer.from('add table inet new\n')];

await describeCrashes('the boot copy, ended at every moment', () => {
  let base: string;
  let runs = 0;

  /** A state folder that holds the old copy. */
  async function withOld(): Promise<string> {
    const state = join(base, String(++runs));
    await writeBootCopy(state, 'rules', OLD);
    return state;
  }

  /** Writes the new copy in a process of its own, all file work of which goes through one thread. */
  function writeTraced(state: string, ...options: readonly string[]): Promise<Ran> {
    const code = `const { writeBootCopy } = await import(${JSON.stringify(MODULE)});
      await writeBootCopy(${JSON.stringify(state)}, 'rules', Buffer.from(${JSON.stringify(NEW.toString())}));`;
    const strace = ['strace', '-f', '-qq', '-o', join(base, 'trace'), '-e', `trace=${CALLS.join(',')}`, ...options];
    const node = [process.execPath, '--input-type=module', '-e', code];
    return run(['sh', '-c', '"$@"; exit $?', 'sh', 'env', 'UV_THREADPOOL_SIZE=1', ...strace, ...node]);
  }

  async function counted(call: string): Promise<number> {
    const trace = await readFile(join(base, 'trace'), 'utf8');
    return trace.match(new RegExp(`\\b${call}\\(`, 'g'))?.length ?? 0;
  }

  test.each(CALLS)('%s', { timeout: 120_000 }, async (call) => {
    base = await tempFolder();
    expect(await writeTraced(await withOld())).toMatchObject({ status: 0 });
    const count = await counted(call);
    expect(count).toBeGreaterThan(0);
    for (let n = 1; n <= count; n++) {
      for (const fate of ['signal=KILL', 'error=ENOSPC']) {
        const state = await withOld();
        const { status } = await writeTraced(state, '-e', `inject=${call}:${fate}:when=${n}`);
        if (fate === 'signal=KILL') expect({ n, status }).toEqual({ n, status: 137 });
        // Old or new, and as the boot unit would check it.
        const [, rules] = await checkBootCopy(state);
        expect({ call, n, fate, state: rules?.state }).toEqual({ call, n, fate, state: 'whole' });
        const text = await readFile(join(state, 'boot/rules/blocklist.nft'), 'utf8');
        expect([OLD.toString(), NEW.toString()]).toContain(text);
        await must(['sha256sum', '--check', '--quiet', 'SHA256SUMS'], { cwd: join(state, 'boot/rules') });
        await writeBootCopy(state, 'rules', NEW);
        expect((await readdir(join(state, 'boot'))).sort()).toEqual(['rules', expect.stringMatching(/^rules-\w{8}$/)]);
      }
    }
  });
});
