// The row about questions: who lists an address, of 50 sources with a million entries and their histories.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generator } from './data.mjs';
import { pairs, wall } from './measure.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const SOURCES = 50;
const ENTRIES = 20_000;
/** Every source lists it: the longest answer. */
const ASKED = '45.9.1.7';

export async function questions({ v4 }, folder) {
  const root = join(folder, 'why');
  mkdirSync(root, { recursive: true });
  const next = generator(50);
  // Wide blocks are refused by the guards of a list.
  const pool = v4.filter((line) => !/\/(\d|1[0-5])$/.test(line));
  const ids = Array.from({ length: SOURCES }, (_, i) => `list-${i + 1}`);
  for (const id of ids) {
    const lines = new Set([ASKED]);
    while (lines.size < ENTRIES) lines.add(pool[next() % pool.length]);
    writeFileSync(join(root, id), `${[...lines].join('\n')}\n`);
  }
  const custom = ids.map((id) => `    - {id: ${id}, file: ${id}}\n`);
  const config = join(root, 'blocklist.yaml');
  const limits = 'guards: {max-coverage: 100%, max-country-coverage: 100%}\n';
  writeFileSync(config, `sources:\n  custom:\n${custom.join('')}${limits}paths: {cache: cache, state: state}\n`);
  const run = (...args) => [process.execPath, CLI, ...args, '--config', config];
  wall(run('build', '--quiet'));
  // Another body each, so that there is a history of each.
  for (const [i, id] of ids.entries()) appendFileSync(join(root, id), `45.9.2.${i}\n`);
  wall(run('build', '--quiet'));
  const measured = await pairs(
    () => wall(run('why', ASKED)),
    () => wall([process.execPath, '-e', '0']),
  );
  return [
    {
      name: `why with ${SOURCES} sources × ${ENTRIES.toLocaleString('en')} entries, whole process ÷ node -e 0`,
      value: measured.ratio,
      unit: '×',
      limit: '≤ 3',
      holds: measured.ratio <= 3,
      detail: `${measured.ours.toFixed(0)} ms / ${measured.theirs.toFixed(0)} ms`,
    },
  ];
}
