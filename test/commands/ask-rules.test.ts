import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeArtefact } from '../../src/apply/artefact-store.js';
import { askRules } from '../../src/commands/why-rules.js';
import { parsePrefix } from '../../src/ip/index.js';
import { filesOf } from '../apply/artefacts.js';
import { tempFolder } from '../io/temp.js';

test('while rules are written anew, an address that moves from a node to a net is in one of them', async () => {
  const folder = join(await tempFolder(), 'rules');
  const turns = [filesOf(['45.9.20.7']), filesOf(['45.9.20.0/24'])];
  await writeArtefact(folder, turns[0]!);
  let isOver = false;
  const writing = (async () => {
    for (let i = 1; !isOver; i++) await writeArtefact(folder, turns[i % 2]!);
  })();
  const seen: string[] = [];
  for (let i = 0; i < 200; i++) {
    const { ruled, unread } = await askRules(folder, [parsePrefix('45.9.20.7')]);
    seen.push(
      unread.length > 0
        ? 'unread'
        : (ruled(0)
            .rules?.map(({ set }) => set)
            .join() ?? 'unknown'),
    );
  }
  isOver = true;
  await writing;
  expect(new Set(seen.filter((each) => each !== 'nodes4' && each !== 'nets4' && each !== 'nodes4,nets4'))).toEqual(
    new Set(),
  );
  expect(new Set(seen).size).toBeGreaterThan(1);
});
