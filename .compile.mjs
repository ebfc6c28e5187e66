// A step of `npm run build`: what V8 makes of the program is kept beside it (src/compiled-code.ts). V8 compiles a function when it first runs, so the
// commands that are short and often asked run once, on a project of their own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMANDS = [
  ['--help'],
  ['build', '--quiet'],
  ['build', '--quiet'],
  ['why', '1.0.1.5', '203.0.113.7'],
  ['merge', 'list.txt'],
];
const [KEEPER, PROGRAM, KEPT] = ['.compile.mjs', 'dist/program.cjs', 'dist/compiled-code.js'].map(
  (path) => new URL(path, import.meta.url),
);

const args = process.argv.slice(2);
await (args.length === 0 ? compileAll() : compileWhile());

function compileAll() {
  const folder = mkdtempSync(join(tmpdir(), 'blocklist-compile-'));
  try {
    writeFileSync(join(folder, 'list.txt'), '203.0.113.7\n198.51.100.0/24\n2001:db8::/32\n');
    writeFileSync(
      join(folder, 'blocklist.yaml'),
      `sources: {feeds: [ipsum-3], custom: [{id: own, file: list.txt}], countries: {block: [cn]}}
paths: {rules: rules, cache: cache, state: state}\n`,
    );
    for (const command of COMMANDS)
      execFileSync(process.execPath, [fileURLToPath(KEEPER), ...command], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compileWhile() {
  const { CompiledCode } = await import(KEPT);
  const code = new CompiledCode();
  process.on('exit', () => code.keep());
  code.load(fileURLToPath(PROGRAM));
}
