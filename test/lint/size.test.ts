import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function longer(folder: string, limit: number): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => readFileSync(join(root, folder, name), 'utf8').split('\n').length - 1 > limit);
}

test('no source file is longer than 250 lines, no test longer than 400', () => {
  expect(longer('src', 250)).toEqual([]);
  expect(longer('test', 400)).toEqual([]);
});
