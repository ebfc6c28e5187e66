import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const codes = [...readFileSync(join(root, 'src/check/finding.ts'), 'utf8').matchAll(/^ {2}\| '([A-Z][A-Z-]+)'/gm)].map(
  ([, code = '']) => code,
);
const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.endsWith('codes.test.ts'))
  .map((name) => readFileSync(join(root, 'test', name), 'utf8'))
  .join('\n');

test('the codes are found', () => expect(codes.length).toBeGreaterThan(30));

test.each(codes)('%s is expected of something in a test', (code) => {
  expect(tests).toMatch(new RegExp(`(?:'|\`|"|\\s)${code}['\`" ]`));
});
