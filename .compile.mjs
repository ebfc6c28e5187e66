// A step of `npm run build`: what V8 makes of the program is kept beside it (src/compiled-code.ts). V8 compiles a function when it first runs, so the
// commands that are often run, or must be quick, run once, on a project of their own with a list from a server of their own.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const COMMANDS = [
  ['--help'],
  ['update', '--quiet'],
  ['build', '--quiet'],
  ['why', '45.9.1.7', '45.9.9.9'],
  ['merge', 'list.txt'],
];
const [KEEPER, PROGRAM, KEPT] = ['.compile.mjs', 'dist/program.cjs', 'dist/compiled-code.js'].map(
  (path) => new URL(path, import.meta.url),
);

await (process.argv.length === 2 ? compileAll() : compileWhile());

async function compileAll() {
  const folder = mkdtempSync(join(tmpdir(), 'blocklist-compile-'));
  const server = createServer((_, response) => response.end('45.9.1.7\n45.9.2.0/24\n')).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    writeFileSync(join(folder, 'list.txt'), '45.9.3.7\n45.9.4.0/24\n2a0a::/32\n');
    const custom = `[{id: own, file: list.txt}, {id: web, url: "http://127.0.0.1:${server.address().port}/"}]`;
    writeFileSync(
      join(folder, 'blocklist.yaml'),
      `sources: {custom: ${custom}, countries: {block: [cn]}}\npaths: {rules: rules, cache: cache, state: state}\n`,
    );
    for (const command of COMMANDS) {
      await promisify(execFile)(process.execPath, [fileURLToPath(KEEPER), ...command], { cwd: folder });
    }
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compileWhile() {
  const { CompiledCode } = await import(KEPT);
  const code = new CompiledCode();
  process.on('exit', () => code.keep());
  code.load(fileURLToPath(PROGRAM));
}
