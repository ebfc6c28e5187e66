// A step of `npm run build`: the program in a few files, packages that a nightly run loads among them; `blocklist merge` starts 18 ms sooner than from 40
// small modules, and a build from cache takes 100 ms less (npm run bench). The library (dist/index.js, dist/ip) stays as tsc writes it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const BUNDLED = [
  'commander',
  'zod',
  'yaml',
  'undici',
  'proper-lockfile',
  'cli-table3',
  'leven',
  'mmdb-lib',
  'modern-tar',
];
const external = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name));

mkdirSync('dist/program', { recursive: true });
await bundle('cli');
await bundle('program');

/** A text of a byte each is read at once, and takes half of the room. */
function inAscii(code) {
  const [place] = /\\[\u0080-\uffff]|String\.raw`[^`]*[\u0080-\uffff]/.exec(code) ?? [];
  if (place !== undefined) throw new Error(`an escape would be of another meaning here: ${place}`);
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** As CommonJS: of that alone V8's code can be kept (src/compiled-code.ts), and it starts 13 ms sooner. */
async function bundle(name) {
  const built = await rolldown({
    input: { [name]: `src/${name}.ts` },
    platform: 'node',
    // The same sources as modules: 200 KB of which a third falls away.
    resolve: { alias: { yaml: fileURLToPath(new URL('node_modules/yaml/browser/dist/index.js', import.meta.url)) } },
    external: external.flatMap((each) => [each, new RegExp(`^${each}/`)]),
  });
  const { output } = await built.generate({
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'program/[name].cjs',
    // A script whose code was kept cannot import.
    dynamicImportInCjs: false,
  });
  for (const { fileName, code } of output) writeFileSync(join('dist', fileName), inAscii(code));
  await built.close();
}
