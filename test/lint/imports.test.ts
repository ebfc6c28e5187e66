import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'imports-'));
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function check(folder: string) {
  const { status, stderr } = spawnSync('node', [join(root, 'test/lint/imports.mjs'), folder], { encoding: 'utf8' });
  return { status, stderr };
}

test('the sources as they are keep to the rules', () => {
  const { status, stderr } = check(copy);
  expect(stderr).toMatch(/imports: \d\d+ modules, 0 violations/);
  expect(status).toBe(0);
});

const PLANTS: ReadonlyArray<readonly [rule: string, file: string, text: string]> = [
  ['no-cycle', 'src/ip/words.ts', "import './radix.js';\nimport './planted.js';\n"],
  ['heart-without-node', 'src/ip/planted.ts', "import { readFileSync } from 'node:fs';\nreadFileSync('x');\n"],
  ['ip-downward', 'src/ip/planted.ts', "import { table } from '../io/table.js';\ntable([], []);\n"],
  ['render-downward', 'src/render/planted.ts', "import { build } from '../build/build.js';\nbuild;\n"],
  ['report-downward', 'src/report/planted.ts', "import { Nft } from '../apply/nft.js';\nnew Nft();\n"],
  ['commands-are-the-top', 'src/sources/planted.ts', "import { run } from '../commands/build.js';\nrun;\n"],
  ['one-file-undici', 'src/io/planted.ts', "import { request } from 'undici';\nrequest;\n"],
  ['one-file-ipaddr-js', 'src/ip/planted.ts', "import ipaddr from 'ipaddr.js';\nipaddr;\n"],
  ['no-dev-packages', 'src/io/planted.ts', "import fc from 'fast-check';\nfc;\n"],
];

test.each(PLANTS)('a planted violation of %s is refused', (rule, file, text) => {
  const path = join(copy, file);
  const cycle = rule === 'no-cycle';
  if (cycle) writeFileSync(join(copy, 'src/ip/planted.ts'), "import './words.js';\n");
  writeFileSync(path, text);
  const { status, stderr } = check(copy);
  rmSync(path);
  if (cycle) {
    rmSync(join(copy, 'src/ip/planted.ts'));
    cpSync(join(root, 'src/ip/words.ts'), path);
  }
  expect(stderr).toContain(`error ${rule}:`);
  expect(status).toBe(1);
});

test('a folder in which no module is seen fails', () => {
  const empty = join(copy, 'empty');
  mkdirSync(join(empty, 'src'), { recursive: true });
  writeFileSync(join(empty, 'package.json'), '{}');
  expect(check(empty).status).toBe(1);
});
