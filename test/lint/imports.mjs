// Checks the import rules of .dependency-cruiser.cjs. Usage: node test/lint/imports.mjs [FOLDER that holds src]
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { forbidden, options } = createRequire(import.meta.url)(resolve(root, '.dependency-cruiser.cjs'));
const baseDir = resolve(process.argv[2] ?? root);
const tsConfig = extractTSConfig(resolve(root, 'tsconfig.json'));
const { output } = await cruise(
  ['src'],
  { ...options, baseDir, validate: true, ruleSet: { forbidden }, outputType: 'json' },
  {},
  { tsConfig },
);
const { summary } = JSON.parse(output);
for (const { rule, from, to } of summary.violations)
  process.stderr.write(`${rule.severity} ${rule.name}: ${from} → ${to}\n`);
// A newer TypeScript than dependency-cruiser knows makes it see nothing, and "no violation" would be a lie.
if (summary.totalCruised === 0) process.stderr.write('no module was seen\n');
process.stderr.write(`imports: ${summary.totalCruised} modules, ${summary.violations.length} violations\n`);
process.exitCode = summary.totalCruised === 0 || summary.violations.length > 0 ? 1 : 0;
