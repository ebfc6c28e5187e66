import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { blocklist, folderWith, projectWith } from './cli.js';

const COMMANDS = ['update', 'build', 'apply', 'unload', 'status', 'merge'];

describe('usage errors: exit status 2, words on stderr, nothing on stdout', () => {
  test.each<[args: string[], stderr: RegExp]>([
    [['bogus'], /unknown command 'bogus'/],
    [['bogus', '--json-of-the-future'], /unknown/],
    [['mrege', 'a.txt'], /unknown command 'mrege'/],
    [['--bogus'], /unknown option '--bogus'/],
    [['merge', '--bogus'], /unknown option '--bogus'/],
    [['merge', '--format', 'xml'], /'xml' is invalid\. Allowed choices are cidr, range, nft, json/],
    [['merge', '--format'], /'--format <format>' argument missing/],
    [['merge', '--exclude'], /'--exclude <file>' argument missing/],
    [['merge', '-4', '-6'], /cannot be used with/],
    [['build', 'extra'], /too many arguments/],
    [['--config'], /'--config <file>' argument missing/],
    [['unload', '--force'], /unknown option '--force'/],
  ])('%j', async (args, stderr) => {
    const ran = await blocklist(args, { cwd: await folderWith({}) });
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(stderr);
    expect(ran.stderr).toContain('--help');
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });

  test.each([['bogus'], ['merge', '--bogus'], ['merge', '--format', 'xml']])('as JSON: %j', async (...args) => {
    const { status, stdout, stderr } = await blocklist(['--json', ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'bad-usage', message: expect.any(String), where: null, hint: expect.any(String) },
    });
  });
});

describe('what asks for words gets them on stdout, exit status 0', () => {
  test.each(['--help', '-h'])('%s lists the commands in groups', async (flag) => {
    const { status, stdout, stderr } = await blocklist([flag]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const name of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(stdout).toMatch(/^Every night:$/m);
    expect(stdout).toMatch(/^Look:$/m);
  });

  test.each(COMMANDS)('%s --help shows two examples', async (name) => {
    const { status, stdout } = await blocklist([name, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: blocklist ${name} `));
    expect(stdout.match(/^ {2}\$ .*blocklist .*/gm)).toHaveLength(2);
  });

  test.each(['--version', '-V'])('%s is that of the package', async (flag) => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await blocklist([flag])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });
});

describe('bare blocklist: the state in three lines and the next command', () => {
  const LINES = /^config: {2}(.*)\nrules: {3}(.*)\nloaded: {2}(.*)\nnext: {4}(.*)\n$/;

  test('without a configuration', async () => {
    const { status, stdout, stderr } = await blocklist(['--config', 'none.yaml'], { cwd: await folderWith({}) });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, config, rules, loaded] = LINES.exec(stdout) ?? [];
    expect(config).toMatch(/^there is no \/.*\/none\.yaml$/);
    expect([rules, loaded]).toEqual(['unknown', 'unknown']);
  });

  test('without rules: update is next', async () => {
    const { stdout } = await blocklist([], { cwd: await projectWith('') });
    const [, config, rules, , next] = LINES.exec(stdout) ?? [];
    expect(config).toBe('blocklist.yaml');
    expect(rules).toMatch(/^there is no .*manifest\.json$/);
    expect(next).toMatch(/ update$/);
  });

  test('with rules', async () => {
    const folder = await projectWith('sources: {custom: [{id: a, file: a.txt}]}', { 'a.txt': '5.6.7.0/24\n9.9.9.1\n' });
    await blocklist(['build'], { cwd: folder });
    const { status, stdout } = await blocklist([], { cwd: folder });
    expect(status).toBe(0);
    const [, , rules] = LINES.exec(stdout) ?? [];
    expect(rules).toBe('rules, 2 prefixes');
  });

  test('with a wrong configuration: what is wrong', async () => {
    const { status, stdout } = await blocklist([], { cwd: await projectWith('sorces: {}') });
    expect(status).toBe(0);
    expect(stdout).toContain("unknown key sorces, did you mean 'sources'?");
  });
});
