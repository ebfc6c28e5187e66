import { expect, test } from 'vitest';
import { blocklist } from './cli.js';

/** All of it before anything of the host is asked: root or not, nothing is touched. */
test.each<[args: string[], words: RegExp]>([
  [['lockdown'], /whom may SSH be open for\?\n {2}do: .*--allow/],
  [['lockdown', '--for', '30m'], /whom may SSH be open for/],
  [['lockdown', 'on'], /Allowed choices are off/],
  [['lockdown', '--allow'], /argument missing/],
  [['lockdown', '--allow', '010.0.0.1'], /010\.0\.0\.1/],
  [['lockdown', '--allow', '203.0.113.5/24'], /host bits set/],
  [['lockdown', '--allow', 'home.example.org'], /home\.example\.org/],
  [['lockdown', '--allow', '203.0.113.7', '--for', '30'], /--for '30': expected a time/],
  [['lockdown', '--allow', '203.0.113.7', '--for', '0s'], /--for '0s': expected a time/],
  [['lockdown', '--allow', '203.0.113.7', '--port', '0'], /--port '0': expected a TCP port/],
  [['lockdown', '--allow', '203.0.113.7', '--port', '65536'], /--port '65536'/],
  [['lockdown', '--allow', '203.0.113.7', '--port', '22;'], /--port '22;'/],
  [['lockdown', 'off', '--allow', '203.0.113.7'], /takes neither addresses nor times/],
  [['lockdown', 'off', '--for', '3m'], /takes neither addresses nor times/],
])('%j is exit status 2', async (args, words) => {
  const ran = await blocklist(args);
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: '' });
  expect(ran.stderr).toMatch(words);
});
