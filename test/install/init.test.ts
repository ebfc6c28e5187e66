import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/load.js';
import { formatPrefix } from '../../src/ip/index.js';
import { configText } from '../../src/setup/config-text.js';
import { blocklist } from '../commands/cli.js';
import { tempFolder } from '../io/temp.js';
import { mounted } from '../system/doctor.js';
import { LAPI_NEEDS, Lapi } from '../system/lapi.js';
import { run } from '../system/processes.js';
import { CLI, systemTest } from '../system/requirements.js';

const init = (cwd: string, ...flags: string[]) => blocklist(['init', ...flags], { cwd });

test('without flags: the default profile, commented, and a list of what is never blocked', async () => {
  const folder = await tempFolder();
  const ran = await init(folder);
  expect(ran).toMatchObject({ status: 0, stdout: '' });
  expect(ran.stderr).toContain('wrote blocklist.yaml and lists/allow.txt\nlocal.admins is empty');
  const config = await loadConfig(join(folder, 'blocklist.yaml'));
  expect(config.sources.profile).toBe('server-basic');
  expect(config.allow.files).toEqual([join(folder, 'lists/allow.txt')]);
  expect((await readFile(config.file, 'utf8')).match(/^#/gm)?.length).toBeGreaterThan(5);
});

test('every flag ends up in a configuration that is valid; NO is Norway', async () => {
  const folder = await tempFolder();
  const flags = '--profile web --country NO --country cn --country CN --admin 198.51.100.7 --admin 2001:db8::/32';
  expect(await init(folder, ...flags.split(' '), '--proxy', 'cloudflare', '--yes')).toMatchObject({ status: 0 });
  const { sources, local, allow } = await loadConfig(join(folder, 'blocklist.yaml'));
  expect(sources).toMatchObject({ profile: 'web', countries: { block: ['no', 'cn'] } });
  expect(local.admins.map(formatPrefix)).toEqual(['198.51.100.7', '2001:db8::/32']);
  expect(allow.feeds).toEqual(['cloudflare']);
});

test('what it writes can be built from', async () => {
  const folder = await tempFolder();
  await init(folder);
  const env = { BLOCKLIST_CACHE_DIR: join(folder, 'cache'), BLOCKLIST_STATE_DIR: join(folder, 'state') };
  const ran = await blocklist(['build'], { cwd: folder, env });
  // Nothing was fetched yet: that is all that is wrong.
  expect(ran.stderr).toContain('never fetched');
  expect(ran.stderr).not.toContain('blocklist.yaml:');
});

test('--config names the file, and its folder is made', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'etc/bl/blocklist.yaml');
  expect(await init(folder, '--config', file)).toMatchObject({ status: 0 });
  expect(await readdir(join(folder, 'etc/bl'))).toEqual(['blocklist.yaml', 'lists']);
});

test('nothing is overwritten without --force, and the allow list never', async () => {
  const folder = await tempFolder();
  await init(folder);
  const file = join(folder, 'blocklist.yaml');
  await writeFile(file, '{}\n');
  await writeFile(join(folder, 'lists/allow.txt'), '192.0.2.1\n');
  const refused = await init(folder);
  expect(refused).toMatchObject({ status: 4 });
  expect(refused.stderr).toContain('is there already; nothing was changed');
  expect(await readFile(file, 'utf8')).toBe('{}\n');
  expect(await init(folder, '--force')).toMatchObject({ status: 0 });
  expect(await readFile(file, 'utf8')).toContain('profile: server-basic');
  expect(await readFile(join(folder, 'lists/allow.txt'), 'utf8')).toBe('192.0.2.1\n');
});

test('where this SSH session comes from is not to be locked out', async () => {
  const folder = await tempFolder();
  const env = { SSH_CONNECTION: '203.0.113.9 50022 192.0.2.1 22' };
  await blocklist(['init'], { cwd: folder, env });
  const { local } = await loadConfig(join(folder, 'blocklist.yaml'));
  expect(local.admins.map(formatPrefix)).toEqual(['203.0.113.9']);
});

describe('a wrong answer is refused, and nothing written', () => {
  test.each([
    [['--profile', 'server-basik'], "did you mean 'server-basic'?"],
    [['--proxy', 'cloudflar'], "did you mean 'cloudflare'?"],
    [['--proxy', 'ipsum-4'], 'is not an allow feed'],
    [['--country', 'chn'], 'expected a two-letter country code'],
    [['--admin', '198.51.100.7/24'], 'has host bits set'],
    [['--admin', '010.0.0.1'], 'other programs read it as 8.0.0.1'],
  ])('%j', async (flags, words) => {
    const folder = await tempFolder();
    const ran = await init(folder, ...flags);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain(words);
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a CrowdSec on this host: its line is there, commented, with its address, and valid once it is not', async () => {
  const answers = { profile: 'server-basic', countries: [], admins: [], proxies: [] };
  const text = configText({ ...answers, crowdsec: 'http://10.0.0.7:8080' });
  expect(parseConfig(text, '/srv/blocklist.yaml').sources.crowdsec).toBeUndefined();
  expect(text).toMatch(/^ {2}# .*cscli bouncers add blocklist -o raw > crowdsec\.key/m);
  const used = parseConfig(text.replace(/^ {2}# (?=crowdsec: )/m, '  '), '/srv/blocklist.yaml');
  expect(used.sources.crowdsec).toMatchObject({ url: 'http://10.0.0.7:8080', 'key-file': '/srv/crowdsec.key' });
  expect(configText(answers)).not.toContain('rowd');
});

systemTest('it is found by its files', ['root', 'mountns'], async () => {
  const folder = await tempFolder();
  await mkdir(join(folder, 'upper/crowdsec'), { recursive: true });
  await mkdir(join(folder, 'work'));
  await writeFile(
    join(folder, 'upper/crowdsec/local_api_credentials.yaml'),
    'url: http://10.0.0.7:8080/\npassword: x\n',
  );
  const etc = mounted('mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc', folder);
  const ran = await run([...etc, process.execPath, CLI, 'init'], { cwd: folder });
  expect(ran.status).toBe(0);
  expect(ran.stderr).toContain('CrowdSec is on this host: blocklist.yaml has a line for its decisions, commented\n');
  const text = await readFile(join(folder, 'blocklist.yaml'), 'utf8');
  expect(text).toContain('  # crowdsec: {url: "http://10.0.0.7:8080", key-file: crowdsec.key}\n');
});

systemTest('it is found by its program, where it is the real one', LAPI_NEEDS, async () => {
  const lapi = await Lapi.create();
  onTestFinished(() => lapi.remove());
  const { stdout } = await init(await tempFolder(), '--json');
  expect(JSON.parse(stdout)).toMatchObject({ crowdsec: expect.stringMatching(/^https?:\/\//) });
});

test('--json: what was decided', async () => {
  const folder = await tempFolder();
  const { stdout, stderr } = await init(folder, '--json', '--country', 'cn');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'blocklist/init', version: 1, countries: ['cn'], admins: [] });
});

systemTest('--git: the folder is a repository', ['git'], async () => {
  const folder = await tempFolder();
  expect(await init(folder, '--git')).toMatchObject({ status: 0 });
  await access(join(folder, '.git/HEAD'));
});

describe('on a terminal', () => {
  /** Types each line at a pseudo-terminal. */
  const typed = (cwd: string, lines: readonly string[]) =>
    run(['script', '-qec', `${process.execPath} ${CLI} init --config bl/blocklist.yaml`, '/dev/null'], {
      cwd,
      stdin: lines.map((line) => `${line}\n`).join(''),
    });

  systemTest('each question has an answer', ['script'], async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'bl'));
    const ran = await typed(folder, ['web', 'cn, ru', '198.51.100.7', 'cloudflare', 'n']);
    expect(ran.status).toBe(0);
    const { sources, local, allow } = await loadConfig(join(folder, 'bl/blocklist.yaml'));
    expect(sources).toMatchObject({ profile: 'web', countries: { block: ['cn', 'ru'] } });
    expect([local.admins.map(formatPrefix), allow.feeds]).toEqual([['198.51.100.7'], ['cloudflare']]);
  });

  systemTest('an input that ends is no answer', ['script'], async () => {
    const folder = await tempFolder();
    const ran = await typed(folder, ['web', '\u0004']);
    expect(ran.status).toBe(4);
    expect(ran.stdout).toContain('no answer; nothing was changed');
    expect(await readdir(folder)).toEqual([]);
  });
});
