import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

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

/** Each in a file of its own: one look finds them all. */
const PLANTS: ReadonlyArray<readonly [rule: string, folder: string, text: string]> = [
  ['no-cycle', 'src/ip', "import './planted-no-cycle-too.js';\n"],
  ['heart-without-node', 'src/ip', "import { readFileSync } from 'node:fs';\nreadFileSync('x');\n"],
  ['ip-downward', 'src/ip', "import { table } from '../io/table.js';\ntable([], []);\n"],
  ['render-downward', 'src/render', "import { build } from '../build/build.js';\nbuild;\n"],
  ['report-downward', 'src/report', "import { Nft } from '../apply/nft.js';\nnew Nft();\n"],
  ['logins-downward', 'src/logins', "import { statusOf } from '../check/finding.js';\nstatusOf;\n"],
  ['commands-are-the-top', 'src/sources', "import { run } from '../commands/build.js';\nrun;\n"],
  ['one-file-undici', 'src/io', "import { request } from 'undici';\nrequest;\n"],
  ['one-file-ipaddr-js', 'src/ip', "import ipaddr from 'ipaddr.js';\nipaddr;\n"],
  ['no-dev-packages', 'src/io', "import fc from 'fast-check';\nfc;\n"],
];

describe('planted violations', () => {
  let planted: ReturnType<typeof check>;
  beforeAll(() => {
    for (const [rule, folder, text] of PLANTS) writeFileSync(join(copy, folder, `planted-${rule}.ts`), text);
    writeFileSync(join(copy, 'src/ip/planted-no-cycle-too.ts'), "import './planted-no-cycle.js';\n");
    planted = check(copy);
  });

  test.each(PLANTS)('%s is refused', (rule, folder) => {
    expect(planted.stderr).toMatch(new RegExp(`^error ${rule}: ${folder}/planted-${rule}`, 'm'));
    expect(planted.status).toBe(1);
  });
});

test('a folder in which no module is seen fails', () => {
  const empty = join(copy, 'empty');
  mkdirSync(join(empty, 'src'), { recursive: true });
  writeFileSync(join(empty, 'package.json'), '{}');
  expect(check(empty).status).toBe(1);
});
