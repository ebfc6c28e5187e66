import { expect, test } from 'vitest';
import { blocklist } from './cli.js';

test.each<[args: string[], words: RegExp]>([
  [['check', 'session'], /unknown command 'session'/],
  [['check', 'sessions', 'extra'], /too many arguments/],
  [['check', 'sessions', '--kick'], /unknown option '--kick'/],
])('%j is exit status 2', async (args, words) => {
  const ran = await blocklist(args);
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: '' });
  expect(ran.stderr).toMatch(words);
});

test('check sessions --help shows two examples', async () => {
  const { stdout } = await blocklist(['check', 'sessions', '--help']);
  expect(stdout).toMatch(/^Usage: blocklist check sessions /);
  expect(stdout.match(/^ {2}\$ .*blocklist .*/gm)).toHaveLength(2);
});
