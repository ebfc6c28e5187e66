import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemTest } from '../system/requirements.js';
import { blocklist, folderWith, projectWith } from './cli.js';

const TWO_LISTS = `
sources:
  custom:
    - {id: one, file: one.txt}
    - {id: two, file: two.txt, direction: both}
allow: {files: [allow.txt]}`;

const FILES = {
  'one.txt': `5.0.0.0/24\n5.6.7.8\n8.8.8.8\n10.0.0.1\n2a00::1\n${'5.6.7.7\n'.repeat(20)}oops\n`,
  'two.txt': '5.0.0.128/25\n5.6.7.9\n5.6.7.77/32\n',
  'allow.txt': '# customers\n5.6.7.8 # free\n5.6.7.77\n',
};

const RULES = [
  'blocklist.nft',
  'manifest.json',
  'nets4.txt',
  'nets6.txt',
  'nodes4.txt',
  'nodes6.txt',
  'out_nets4.txt',
  'out_nets6.txt',
  'out_nodes4.txt',
  'out_nodes6.txt',
];

async function rulesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, 'rules'))).sort();
  const files = names.map(async (name) => [name, await readFile(join(folder, 'rules', name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(files));
}

describe('build', () => {
  test('renders what the sources hold without special ranges, never-block and allow', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    const { status, stderr } = await blocklist(['build'], { cwd: folder });
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^\nrendered rules\/blocklist\.nft; .*\nnext, as root: .* apply --dry-run\n +then: .* apply\n$/,
    );
    const rules = await rulesIn(folder);
    expect(Object.keys(rules)).toEqual(RULES);
    expect(rules).toMatchObject({
      'nodes4.txt': '5.6.7.7\n5.6.7.9\n',
      'nets4.txt': '5.0.0.0/24\n',
      'nodes6.txt': '2a00::1\n',
      'nets6.txt': '',
      'out_nodes4.txt': '5.6.7.9\n',
      'out_nets4.txt': '5.0.0.128/25\n',
      'out_nodes6.txt': '',
      'out_nets6.txt': '',
    });
    expect(rules['blocklist.nft']).toContain('\n# nodes4: 2 prefixes, 2 addresses\n');
  });

  test('prints a table of the sources and one of the sets', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    const longAgo = new Date(Date.now() - 3 * 86_400_000 - 60_000);
    await utimes(join(folder, 'two.txt'), longAgo, longAgo);
    const { stdout } = await blocklist(['build'], { cwd: folder });
    expect(stdout).toBe(
      [
        'source  entries  rejected  IPv4 addresses  only here     age  data',
        'one          25         1             260    49.61 %     now  fresh',
        'two           3         0             130     0.76 %  3 days  fresh',
        '',
        'set         prefixes  addresses  share of IPv4',
        'nodes4             2          2            0 %',
        'nets4              1        256            0 %',
        'nodes6             1          1',
        'nets6              0          0',
        'out_nodes4         1          1            0 %',
        'out_nets4          1        128            0 %',
        'out_nodes6         0          0',
        'out_nets6          0          0',
        '',
      ].join('\n'),
    );
  });

  test('--json prints the same as data', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    const { status, stdout, stderr } = await blocklist(['build', '--json'], { cwd: folder });
    const data = JSON.parse(stdout) as { sources: { ageSeconds: number }[] };
    const ages = data.sources.map(({ ageSeconds }) => ageSeconds);
    for (const age of ages) {
      expect(age).toBeGreaterThanOrEqual(0);
      expect(age).toBeLessThan(300);
    }
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const zero = (name: string) => ({ name, prefixes: 0, addresses: '0' });
    expect(data).toEqual({
      schema: 'blocklist/build',
      version: 1,
      sources: [
        {
          id: 'one',
          kind: 'file',
          direction: 'in',
          entries: 25,
          rejected: 1,
          addresses: { v4: '260', v6: '1' },
          unique: { v4: '129', v6: '1' },
          ageSeconds: ages[0],
          data: 'fresh',
        },
        {
          id: 'two',
          kind: 'file',
          direction: 'both',
          entries: 3,
          rejected: 0,
          addresses: { v4: '130', v6: '0' },
          unique: { v4: '1', v6: '0' },
          ageSeconds: ages[1],
          data: 'fresh',
        },
      ],
      sets: [
        { name: 'nodes4', prefixes: 2, addresses: '2' },
        { name: 'nets4', prefixes: 1, addresses: '256' },
        { name: 'nodes6', prefixes: 1, addresses: '1' },
        zero('nets6'),
        { name: 'out_nodes4', prefixes: 1, addresses: '1' },
        { name: 'out_nets4', prefixes: 1, addresses: '128' },
        zero('out_nodes6'),
        zero('out_nets6'),
      ],
      missing: [],
      dense: [],
    });
  });

  test('--quiet says nothing when all is well', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    expect(await blocklist(['build', '--quiet'], { cwd: folder })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(Object.keys(await rulesIn(folder))).toEqual(RULES);
  });

  test('--verbose shows rejected lines, escaped', async () => {
    const folder = await projectWith(TWO_LISTS, { ...FILES, 'one.txt': `${'5.6.7.7\n'.repeat(30)}\x1b[2J\n` });
    const { stderr } = await blocklist(['build', '--verbose'], { cwd: folder });
    expect(stderr).toMatch(/^one:31: not an address: \\x1b\[2J\n/);
  });

  test('without news writes nothing: the files stay those of before', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    const inodes = () => Promise.all(RULES.map(async (name) => (await stat(join(folder, 'rules', name))).ino));
    const [before, files] = [await inodes(), await rulesIn(folder)];
    await blocklist(['build'], { cwd: folder });
    expect(await inodes()).toEqual(before);
    expect(await rulesIn(folder)).toEqual(files);
  });

  test('outward sets go when no source asks for them any more', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    const yaml = await readFile(join(folder, 'blocklist.yaml'), 'utf8');
    await writeFile(join(folder, 'blocklist.yaml'), yaml.replace(', direction: both', ''));
    expect((await blocklist(['build'], { cwd: folder })).status).toBe(0);
    expect(Object.keys(await rulesIn(folder))).toEqual(RULES.filter((name) => !name.startsWith('out_')));
  });

  test('the configuration is found by name, or named, from wherever', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    const { status, stderr } = await blocklist(['build', '--config', 'blocklist.yaml'], { cwd: folder });
    expect(status).toBe(0);
    expect(stderr).toContain(' apply --dry-run --config blocklist.yaml\n');
    await rm(join(folder, 'rules'), { recursive: true });
    expect((await blocklist(['--config', join(folder, 'blocklist.yaml'), 'build'], { cwd: '/' })).status).toBe(0);
    expect(Object.keys(await rulesIn(folder))).toEqual(RULES);
  });

  test('the environment says where cache and state are, before the file does', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    const env = { BLOCKLIST_CACHE_DIR: join(folder, 'c'), BLOCKLIST_STATE_DIR: join(folder, 's') };
    expect((await blocklist(['build'], { cwd: folder, env })).status).toBe(0);
    expect((await readdir(folder)).sort()).toEqual([
      'allow.txt',
      'blocklist.yaml',
      'c',
      'one.txt',
      'rules',
      's',
      'two.txt',
    ]);
    expect(await readdir(join(folder, 'c', 'sources'))).toEqual(['one', 'two']);
    expect(await readdir(join(folder, 's'))).toEqual(['last-build.json']);
  });
});

describe('a source that fails', () => {
  test('last good serves: one line, exit status 3, and the same rules', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    const before = await rulesIn(folder);
    await rm(join(folder, 'two.txt'));
    const { status, stdout, stderr } = await blocklist(['build'], { cwd: folder });
    expect(status).toBe(3);
    expect(stdout).toMatch(/^two +3 +0 +130 +0\.76 % +\S.* +kept$/m);
    const [first] = stderr.split('\n');
    expect(first).toMatch(/^two: cannot read .*\/two\.txt: no such file.*; last good(, .* old,)? is used$/);
    expect(await rulesIn(folder)).toEqual(before);
  });

  test('--json names the code of the problem', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    await writeFile(join(folder, 'two.txt'), '<html>');
    const { status, stdout } = await blocklist(['build', '--json'], { cwd: folder });
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      sources: [
        { id: 'one', data: 'fresh' },
        { id: 'two', data: 'kept', problem: 'source-html' },
      ],
    });
  });

  test('one that never gave anything: the others are rendered, exit status 3', async () => {
    const { 'two.txt': _, ...files } = FILES;
    const folder = await projectWith(TWO_LISTS, files);
    const { status, stderr } = await blocklist(['build'], { cwd: folder });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^two: cannot read .*; nothing to use\n/);
    expect(await rulesIn(folder)).toMatchObject({ 'nodes4.txt': '5.6.7.7\n' });
  });

  test('an address that was never fetched is not asked', async () => {
    const yaml = 'sources: {custom: [{id: one, file: one.txt}, {id: far, url: "http://127.0.0.1:9/list"}]}';
    const folder = await projectWith(yaml, FILES);
    const { status, stderr } = await blocklist(['build'], { cwd: folder });
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^far: it was never fetched on this host \(http:\/\/127\.0\.0\.1:9\/list\); nothing to use\n/,
    );
  });

  test('one that is lost with its last good: refused with exit status 4, and the rules stay', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    const before = await rulesIn(folder);
    await rm(join(folder, 'two.txt'));
    await rm(join(folder, 'cache'), { recursive: true });
    const { status, stdout, stderr } = await blocklist(['build'], { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toContain('blocklist: the rules hold addresses of two, which cannot be read any more: ');
    expect(stderr).toContain('; nothing was changed\n');
    expect(await rulesIn(folder)).toEqual(before);
  });

  test('one that was taken out of the configuration is no loss', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    const yaml = await readFile(join(folder, 'blocklist.yaml'), 'utf8');
    await writeFile(join(folder, 'blocklist.yaml'), yaml.replace(/.*id: two.*\n/, ''));
    expect((await blocklist(['build'], { cwd: folder })).status).toBe(0);
    expect(await rulesIn(folder)).toMatchObject({ 'nodes4.txt': '5.6.7.7\n' });
  });
});

describe('refusals', () => {
  test.each<[what: string, yaml: string, files: Record<string, string>, status: number, stderr: RegExp]>([
    ['no source', '', {}, 4, /^blocklist: no address is left to block: nothing is rendered\n/],
    [
      'nothing but special ranges',
      'sources: {custom: [{id: a, file: a.txt}]}',
      { 'a.txt': '10.0.0.1\n' },
      4,
      /^blocklist: no address is left to block: nothing is rendered\n/,
    ],
    [
      'too much of IPv4',
      'sources: {custom: [{id: a, file: a.txt}]}\nguards: {max-coverage: 1%}',
      { 'a.txt': '5.0.0.0/8\n11.0.0.0/8\n12.0.0.0/8\n' },
      4,
      /^blocklist: all feeds and files would block 1\.2 % of IPv4, more than the 1\.0 % allowed\n/,
    ],
    [
      'a line of an allow list',
      `${TWO_LISTS}`,
      { ...FILES, 'allow.txt': '5.6.7.8\n5.6.7.256\n' },
      2,
      /^blocklist: \/\S+\/allow\.txt:2: not an address: 5\.6\.7\.256\n/,
    ],
    [
      'an allow list that is not there',
      TWO_LISTS,
      { 'one.txt': '5.6.7.8\n', 'two.txt': '5.6.7.8\n' },
      5,
      /allow\.txt: no such file\n/,
    ],
    [
      'an unknown feed',
      'sources: {feeds: [ipsum-30]}',
      {},
      2,
      /^blocklist: there is no feed 'ipsum-30' in the catalogue, did you mean 'ipsum-3'\?\n/,
    ],
    [
      'a wrong value',
      'guards: {max-prefix-v4: 33}',
      {},
      2,
      /^blocklist: \/\S+\/blocklist\.yaml:1: guards\.max-prefix-v4: expected at most 32, found 33\n/,
    ],
    ['what is no YAML', 'guards: [', {}, 2, /^blocklist: \/\S+\/blocklist\.yaml:\d: /],
  ])('%s', async (_, yaml, files, status, stderr) => {
    const folder = await projectWith(yaml, files);
    const ran = await blocklist(['build'], { cwd: folder });
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status, stdout: '' });
    expect(ran.stderr).toMatch(stderr);
    expect(await readdir(folder)).not.toContain('rules');
  });

  test('the rules of before stay when nothing is left', async () => {
    const folder = await projectWith(TWO_LISTS, FILES);
    await blocklist(['build'], { cwd: folder });
    const before = await rulesIn(folder);
    await writeFile(join(folder, 'allow.txt'), '0.0.0.0/0\n::/0\n');
    expect((await blocklist(['build'], { cwd: folder })).status).toBe(4);
    expect(await rulesIn(folder)).toEqual(before);
  });

  test('no configuration', async () => {
    const ran = await blocklist(['build', '--config', 'none.yaml'], { cwd: await folderWith({}) });
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(/^blocklist: there is no \/.*\/none\.yaml\n/);
  });

  test('--json makes each of them an object', async () => {
    const folder = await projectWith('sorces: {}');
    const { status, stdout, stderr } = await blocklist(['build', '--json'], { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'config-invalid',
        message: `${folder}/blocklist.yaml:1: unknown key sorces, did you mean 'sources'?`,
        where: `${folder}/blocklist.yaml:1`,
        hint: 'config.schema.json in the package lists every key for your editor',
      },
    });
  });

  systemTest('run as root, files that others may write', ['root'], async () => {
    for (const name of ['blocklist.yaml', 'allow.txt', 'one.txt', 'rules']) {
      const folder = await projectWith(TWO_LISTS, FILES);
      await mkdir(join(folder, 'rules'));
      await chmod(join(folder, name), 0o777);
      const { status, stderr } = await blocklist(['build'], { cwd: folder });
      expect(status).toBe(2);
      expect(stderr).toMatch(new RegExp(`^blocklist: ${folder}/${name} is writable by everybody\\n`));
    }
  });
});
