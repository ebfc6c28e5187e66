// A step of `npm run build`: the program in a few chunks, packages that a nightly run loads among them. `blocklist merge` starts 18 ms sooner than
// from 40 small modules, and a build from cache takes 100 ms less (npm run bench). The library (dist/index.js, dist/ip) stays as tsc writes it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const BUNDLED = ['commander', 'zod', 'yaml', 'undici', 'proper-lockfile', 'cli-table3', 'leven', 'mmdb-lib'];
const external = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name));
const bundle = await rolldown({
  input: { cli: 'src/cli.ts' },
  platform: 'node',
  // The same sources as modules: 200 KB of which a third falls away, and 6 ms sooner than as CommonJS.
  resolve: { alias: { yaml: fileURLToPath(new URL('node_modules/yaml/browser/dist/index.js', import.meta.url)) } },
  external: external.flatMap((name) => [name, new RegExp(`^${name}/`)]),
});
await bundle.write({ dir: 'dist', format: 'esm', chunkFileNames: 'cli/[name].js' });
await bundle.close();
