import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readArtefact, writeArtefact } from '../../src/apply/artefact-store.js';
import { filesOf, inFolder, refusal } from './artefacts.js';

const OLD = filesOf(['45.9.20.7', '91.200.1.0/24']);
const NEW = filesOf(['45.9.20.8', '2a02:4780::/32'], ['77.91.64.0/22']);

function scriptOf(files: ReadonlyMap<string, Uint8Array>): string {
  return Buffer.from(files.get('blocklist.nft') ?? []).toString('utf8');
}

test('a reader beside a writer gets the old or the new artefact, never a refusal', async () => {
  await inFolder(async (folder) => {
    await writeArtefact(folder, OLD);
    const end = Date.now() + 3000;
    const write = async () => {
      for (let n = 0; Date.now() < end; n++) {
        await writeArtefact(folder, n % 2 === 0 ? NEW : OLD);
        // More often than any night, and still with a time in which the rules stand.
        await pause(20);
      }
    };
    const seen = new Map<string, number>();
    const read = async () => {
      while (Date.now() < end) {
        const script = Buffer.from((await readArtefact(folder)).script).toString('utf8');
        seen.set(script, (seen.get(script) ?? 0) + 1);
      }
    };
    await Promise.all([write(), read(), read()]);
    expect([...seen.keys()].sort()).toEqual([scriptOf(OLD), scriptOf(NEW)].sort());
  });
});

test('what is damaged and stays as it is is refused at once', async () => {
  await inFolder(async (folder) => {
    await writeArtefact(folder, OLD);
    await appendFile(join(folder, 'nodes4.txt'), 'localhost\n');
    const began = performance.now();
    expect((await refusal(readArtefact(folder))).code).toBe('artefact-invalid');
    // A second try would wait first.
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
