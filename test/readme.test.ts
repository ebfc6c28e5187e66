import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from './system/processes.js';
import { CLI } from './system/requirements.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Ages grow every day, and whether nft can check depends on the machine; the rest of the output does not change. */
const steady = (text: string) =>
  text
    .replace(/ +\d+ days?/g, ' AGE')
    .replace(/ +age/g, ' AGE')
    .trim();

test('the first output in the README is what the program prints', async () => {
  const [, shown = ''] = /npm ci && npm start\n```\n\n```text\n([\s\S]+?)\n\nrendered/.exec(readme) ?? [];
  const ran = await run([process.execPath, CLI, 'build', '--config', join(root, 'examples/quickstart/blocklist.yaml')]);
  expect(steady(ran.stdout)).toBe(steady(shown));
  expect(ran.status).toBe(0);
});

test('the merge of the README gives the output of the README', async () => {
  const [, input = '', output = ''] =
    /\$ cat a\.txt\n([\s\S]+?)\$ blocklist merge a\.txt\n([\s\S]+?)\$ echo/.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'blocklist-readme-'));
  writeFileSync(join(folder, 'a.txt'), input);
  const ran = await run([process.execPath, CLI, 'merge', 'a.txt'], { cwd: folder });
  rmSync(folder, { recursive: true });
  expect(ran.stdout + ran.stderr).toBe(output);
  expect(ran.status).toBe(3);
});

test.each(
  [...readme.matchAll(/^\$ blocklist (feeds show \S+)\n([\s\S]+?)(?=^\$|^```)/gm)].map(([, line = '', out = '']) => [
    line,
    out,
  ]),
)('blocklist %s prints what the README shows', async (line, shown) => {
  const ran = await run([process.execPath, CLI, ...line.split(' ')]);
  expect(ran).toMatchObject({ status: 0, stdout: shown });
});

test('the README counts the feeds right', async () => {
  const { stdout } = await run([process.execPath, CLI, 'feeds', 'list', '--json']);
  const { feeds } = JSON.parse(stdout) as { feeds: unknown[] };
  expect(readme).toContain(`${feeds.length} feeds are known by name`);
});

test('every command, option and folder that the README names is there', async () => {
  const help = await run([process.execPath, CLI, '--help']);
  for (const name of ['update', 'build', 'apply', 'status', 'unload', 'feeds', 'merge', 'doctor', 'check']) {
    expect(readme).toContain(`| \`${name}\` |`);
    expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
  const merge = await run([process.execPath, CLI, 'merge', '--help']);
  for (const option of ['--exclude', '--intersect', '-4', '-6', '--format', '--summary']) {
    expect(merge.stdout).toContain(option);
  }
});
