import { expect, test } from 'vitest';
import { blocklist } from './cli.js';

test.each<[args: string[], words: RegExp]>([
  [['check', 'prots'], /unknown command 'prots'/],
  [['check', 'ports', 'extra'], /too many arguments/],
  [['check', 'ports', '--acept'], /unknown option '--acept'/],
])('%j is exit status 2', async (args, words) => {
  const ran = await blocklist(args);
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: '' });
  expect(ran.stderr).toMatch(words);
});

test('check ports --help shows two examples, and the group of commands for trouble has it', async () => {
  const { stdout } = await blocklist(['check', 'ports', '--help']);
  expect(stdout).toMatch(/^Usage: blocklist check ports /);
  expect(stdout.match(/^ {2}\$ .*blocklist .*/gm)).toHaveLength(2);
  expect((await blocklist(['--help'])).stdout).toMatch(/\nIn trouble:\n(?: {2}.*\n)*? {2}check /);
});
