import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { hostsDeny } from '../../examples/feeds/hosts-deny.js';
import { formatPrefix } from '../../src/ip/index.js';
import { FORMATS } from '../../src/sources/feeds/formats/index.js';
import { run } from '../system/processes.js';
import { CLI } from '../system/requirements.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/feeds/', import.meta.url));
const page = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');

/** A copy of the example: what runs writes its rules and its cache there. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blocklist-feeds-'));
  cpSync(EXAMPLE, folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The argument list of a command line of the page; quotes as the shell takes them. */
function argumentsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

const consoles = [...page.matchAll(/```console\n\$ blocklist ([^\n]+)\n([\s\S]*?)```/g)].map(
  ([, line = '', output = '']) => [line, output] as const,
);

test('the page shows enough', () => {
  expect(consoles.length).toBeGreaterThanOrEqual(4);
});

test.each(consoles)('blocklist %s prints what the page shows', async (line, shown) => {
  const folder = copy();
  const place = ['env', `BLOCKLIST_CACHE_DIR=${folder}/cache`, `BLOCKLIST_STATE_DIR=${folder}/state`];
  const ran = await run([...place, process.execPath, CLI, ...argumentsOf(line)], { cwd: folder });
  const steady = (text: string) =>
    text
      .replaceAll(`${folder}/`, '')
      .replace(/ +\d+ (day|hour|minute)s?| +now\b/g, ' AGE')
      .replace(/ +age/g, ' AGE')
      .trim();
  expect(steady(ran.stdout)).toBe(steady(shown));
});

test('every format has its place on the page', () => {
  for (const name of Object.keys(FORMATS)) expect(page).toContain(`\`${name}\``);
});

test('a new format in thirty lines reads what it is for', async () => {
  const lines = readFileSync(join(EXAMPLE, 'hosts-deny.ts'), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(32);
  async function* body() {
    yield readFileSync(join(EXAMPLE, 'hosts.deny'));
  }
  const { set, report } = await hostsDeny.read(body(), {});
  expect([...set.prefixes()].map(formatPrefix)).toEqual([
    '45.9.20.7',
    '45.9.20.9',
    '185.220.101.0/24',
    '2a0a:e5c0:13::/48',
  ]);
  expect(report).toMatchObject({ entries: 4, rejected: 1, leftOut: 1 });
  expect(report.samples).toEqual([{ line: 6, text: 'sshd 45.9.20.11', reason: 'missing field' }]);
});
