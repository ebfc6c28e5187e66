import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { must, run } from '../system/processes.js';
import { CLI, systemTest } from '../system/requirements.js';
import { blocklist, folderWith } from './cli.js';

const FILES = {
  'a.txt': '192.0.2.0/25\n198.51.100.7\n2001:db8::/33\n',
  'b.txt': '192.0.2.128/25 # the other half\n198.51.100.7\n2001:db8:8000::/33\n9.9.9.9\n',
  'c.txt.gz': gzipSync('203.0.113.1\n203.0.113.2\n'),
  'low.txt': '0.0.0.0/1\n',
  'test-net.txt': '192.0.2.0/24\n198.51.100.0/24\n::/0\n',
  'empty.txt': '',
};

describe('what comes out', () => {
  test.each<[args: string[], lines: string[]]>([
    // union
    [['a.txt'], ['192.0.2.0/25', '198.51.100.7', '2001:db8::/33']],
    [
      ['a.txt', 'b.txt'],
      ['9.9.9.9', '192.0.2.0/24', '198.51.100.7', '2001:db8::/32'],
    ],
    [
      ['b.txt', 'a.txt', 'a.txt'],
      ['9.9.9.9', '192.0.2.0/24', '198.51.100.7', '2001:db8::/32'],
    ],
    [['c.txt.gz'], ['203.0.113.1', '203.0.113.2']],
    [
      ['c.txt.gz', 'empty.txt'],
      ['203.0.113.1', '203.0.113.2'],
    ],
    [['empty.txt'], []],
    // exclude
    [
      ['a.txt', '--exclude', 'b.txt'],
      ['192.0.2.0/25', '2001:db8::/33'],
    ],
    [['a.txt', '--exclude', 'a.txt'], []],
    [
      ['a.txt', 'b.txt', '--exclude', 'a.txt', '--exclude', 'low.txt'],
      ['192.0.2.128/25', '2001:db8:8000::/33'],
    ],
    [
      ['--exclude', 'c.txt.gz', 'c.txt.gz', 'a.txt'],
      ['192.0.2.0/25', '198.51.100.7', '2001:db8::/33'],
    ],
    [
      ['a.txt', '--exclude', 'empty.txt'],
      ['192.0.2.0/25', '198.51.100.7', '2001:db8::/33'],
    ],
    // intersect: each of them must hold it
    [
      ['a.txt', 'b.txt', '--intersect', 'a.txt'],
      ['192.0.2.0/25', '198.51.100.7', '2001:db8::/33'],
    ],
    [['a.txt', '--intersect', 'b.txt'], ['198.51.100.7']],
    [['b.txt', '--intersect', 'low.txt'], ['9.9.9.9']],
    [['b.txt', '--intersect', 'low.txt', '--intersect', 'test-net.txt'], []],
    [['b.txt', '--intersect', 'test-net.txt', '--intersect', 'a.txt'], ['198.51.100.7']],
    [['a.txt', '--intersect', 'empty.txt'], []],
    // both: exclude has the last word
    [
      ['b.txt', '--intersect', 'test-net.txt', '--exclude', 'a.txt'],
      ['192.0.2.128/25', '2001:db8:8000::/33'],
    ],
    [['b.txt', '--exclude', 'a.txt', '--intersect', 'a.txt'], []],
    // families
    [
      ['-4', 'a.txt'],
      ['192.0.2.0/25', '198.51.100.7'],
    ],
    [
      ['a.txt', '--ipv4'],
      ['192.0.2.0/25', '198.51.100.7'],
    ],
    [['-6', 'a.txt', 'b.txt'], ['2001:db8::/32']],
    [['c.txt.gz', '--ipv6'], []],
    // formats
    [
      ['a.txt', '--format', 'cidr'],
      ['192.0.2.0/25', '198.51.100.7', '2001:db8::/33'],
    ],
    [
      ['a.txt', 'c.txt.gz', '--format', 'range'],
      [
        '192.0.2.0-192.0.2.127',
        '198.51.100.7',
        '203.0.113.1-203.0.113.2',
        '2001:db8::-2001:db8:7fff:ffff:ffff:ffff:ffff:ffff',
      ],
    ],
    [
      ['-4', 'a.txt', '--format', 'nft'],
      ['{', '\t192.0.2.0/25,', '\t198.51.100.7,', '}'],
    ],
    [['a.txt', '--format', 'json'], ['{"v4":["192.0.2.0/25","198.51.100.7"],"v6":["2001:db8::/33"]}']],
    [['empty.txt', '--format', 'json'], ['{"v4":[],"v6":[]}']],
    [['empty.txt', '--format', 'range'], []],
    // figures
    [
      ['a.txt', 'c.txt.gz', '--summary'],
      [
        'nodes4\t3 prefixes\t3 addresses',
        'nets4\t1 prefixes\t128 addresses',
        'nodes6\t0 prefixes\t0 addresses',
        'nets6\t1 prefixes\t39614081257132168796771975168 addresses',
      ],
    ],
  ])('merge %j', async (args, lines) => {
    const { status, stdout, stderr } = await blocklist(['merge', ...args], { cwd: await folderWith(FILES) });
    expect(stdout).toBe(lines.map((line) => `${line}\n`).join(''));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('figures as JSON', async () => {
    const { stdout } = await blocklist(['merge', '--summary', '--json', 'a.txt'], { cwd: await folderWith(FILES) });
    expect(JSON.parse(stdout)).toEqual({
      schema: 'blocklist/merge-summary',
      version: 1,
      sets: [
        { set: 'nodes4', prefixes: 1, addresses: '1' },
        { set: 'nets4', prefixes: 1, addresses: '128' },
        { set: 'nodes6', prefixes: 0, addresses: '0' },
        { set: 'nets6', prefixes: 1, addresses: '39614081257132168796771975168' },
      ],
      rejected: 0,
    });
  });
});

describe('standard input', () => {
  test.each<[what: string, args: string[], stdin: string | Uint8Array, lines: string[]]>([
    ['is read when no file is named', [], '192.0.2.1\n', ['192.0.2.1']],
    ['is called -', ['-'], '192.0.2.1\n', ['192.0.2.1']],
    ['stands among files', ['c.txt.gz', '-'], '203.0.113.3\n', ['203.0.113.1', '203.0.113.2/31']],
    ['may be gzip', [], gzipSync('192.0.2.1\n'), ['192.0.2.1']],
    ['may be without a last line end', [], '192.0.2.1', ['192.0.2.1']],
    ['may be empty', [], '', []],
    ['may be what to leave out', ['a.txt', '-4', '--exclude', '-'], '192.0.2.0/24\n', ['198.51.100.7']],
    ['may be what to keep', ['a.txt', '--intersect', '-'], '198.51.100.7\n', ['198.51.100.7']],
  ])('%s', async (_, args, stdin, lines) => {
    const { status, stdout } = await blocklist(['merge', ...args], { cwd: await folderWith(FILES), stdin });
    expect(stdout).toBe(lines.map((line) => `${line}\n`).join(''));
    expect(status).toBe(0);
  });

  test('and /dev/fd/N, as the shell makes them', async () => {
    const folder = await folderWith(FILES);
    const line = `'${process.execPath}' '${CLI}' merge <(cat a.txt) --exclude <(echo 198.51.100.7) -4`;
    expect(await run(['bash', '-c', line], { cwd: folder })).toEqual({
      status: 0,
      stdout: '192.0.2.0/25\n',
      stderr: '',
    });
  });
});

describe('lines that are no entry', () => {
  const BAD = `192.0.2.1\nexample.org\n010.0.0.1\n\x1b[31mred\x1b[0m\n192.0.2.256\nfe80::1%eth0\n192.0.2.0/33\nseventh\n`;

  test('are counted, the first five shown, escaped: the rest is done, exit status 3', async () => {
    const folder = await folderWith({ 'bad.txt': BAD });
    expect(await blocklist(['merge', 'bad.txt'], { cwd: folder })).toEqual({
      status: 3,
      stdout: '192.0.2.1\n',
      stderr: [
        '7 lines rejected, the first:',
        '  bad.txt:2: example.org (not an address)',
        '  bad.txt:3: 010.0.0.1 (not an address)',
        '  bad.txt:4: \\x1b[31mred\\x1b[0m (not an address)',
        '  bad.txt:5: 192.0.2.256 (not an address)',
        '  bad.txt:6: fe80::1%eth0 (has a zone)',
        '',
      ].join('\n'),
    });
  });

  test('of several files: five in all, in the order in which they are read', async () => {
    const folder = await folderWith({ 'a.txt': 'x\ny\n', 'b.txt': 'z\n', 'c.txt': '1\n2\n3\n' });
    const { stderr } = await blocklist(['merge', 'a.txt', '--exclude', 'c.txt', '--intersect', 'b.txt'], {
      cwd: folder,
    });
    expect(stderr).toBe(
      [
        '6 lines rejected, the first:',
        '  a.txt:1: x (not an address)',
        '  a.txt:2: y (not an address)',
        '  b.txt:1: z (not an address)',
        '  c.txt:1: 1 (not an address)',
        '  c.txt:2: 2 (not an address)',
        '',
      ].join('\n'),
    );
  });

  test('one line, and long ones are cut', async () => {
    const folder = await folderWith({ 'bad.txt': `192.0.2.1\n${'x'.repeat(100)}\n` });
    const { stderr } = await blocklist(['merge', 'bad.txt'], { cwd: folder });
    expect(stderr).toBe(`1 line rejected:\n  bad.txt:2: ${'x'.repeat(79)}… (not an address)\n`);
  });

  test('nothing readable at all is not success', async () => {
    expect(await blocklist(['merge', '-'], { stdin: 'x\n' })).toEqual({
      status: 3,
      stdout: '',
      stderr: '1 line rejected:\n  -:1: x (not an address)\n',
    });
  });

  test('--quiet keeps silent about them, the status does not', async () => {
    expect(await blocklist(['merge', '--quiet'], { stdin: '192.0.2.1\nx\n' })).toEqual({
      status: 3,
      stdout: '192.0.2.1\n',
      stderr: '',
    });
  });

  test('--summary --json counts them', async () => {
    const { status, stdout } = await blocklist(['merge', '--summary', '--json'], { stdin: '192.0.2.1\nx\n' });
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ rejected: 1 });
  });
});

describe('files that cannot be read: exit status 5 and nothing on stdout', () => {
  test.each<[what: string, args: string[], stderr: string]>([
    ['missing', ['none.txt'], 'blocklist: cannot read none.txt: no such file\n  do: check the name\n'],
    ['the second one', ['a.txt', 'none.txt'], 'blocklist: cannot read none.txt: no such file\n  do: check the name\n'],
    [
      'to exclude',
      ['a.txt', '--exclude', 'none.txt'],
      'blocklist: cannot read none.txt: no such file\n  do: check the name\n',
    ],
    [
      'to intersect',
      ['a.txt', '--intersect', 'none.txt'],
      'blocklist: cannot read none.txt: no such file\n  do: check the name\n',
    ],
    ['a folder', ['.'], 'blocklist: cannot read .: it is a directory\n  do: name a file in it\n'],
    [
      'gzip, cut off',
      ['cut.gz'],
      'blocklist: the gzip data is damaged or cut off\n  at: cut.gz\n  do: fetch the file again\n',
    ],
  ])('%s', async (_, args, stderr) => {
    const folder = await folderWith({ ...FILES, 'cut.gz': gzipSync('192.0.2.1\n').subarray(0, 20) });
    expect(await blocklist(['merge', ...args], { cwd: folder })).toEqual({ status: 5, stdout: '', stderr });
  });

  test('UTF-16', async () => {
    const folder = await folderWith({ 'wide.txt': Buffer.from('\ufeff192.0.2.1\n', 'utf16le') });
    const { status, stdout, stderr } = await blocklist(['merge', 'wide.txt'], { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(stderr).toMatch(/^blocklist: wide\.txt: the list is UTF-16 text/);
  });

  test('--json makes the error an object', async () => {
    const { status, stdout, stderr } = await blocklist(['merge', '--json', join('/', 'none.txt')]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'file-unreadable',
        message: 'cannot read /none.txt: no such file',
        where: '/none.txt',
        hint: 'check the name',
      },
    });
  });
});

describe('in a pipe', () => {
  const MANY = Array.from({ length: 200_000 }, (_, i) => `${1 + (i >> 14)}.${(i >> 6) & 255}.${(i & 63) * 4}.1\n`).join(
    '',
  );

  test.each(['cidr', 'range', 'nft', 'json'])('that closes early, %s ends quietly', async (format) => {
    const folder = await folderWith({ 'many.txt': MANY });
    const line = `'${process.execPath}' '${CLI}' merge many.txt --format ${format} | head -c 10; echo "status \${PIPESTATUS[0]}" >&2`;
    const { stdout, stderr } = await run(['bash', '-c', line], { cwd: folder });
    expect(stdout).toHaveLength(10);
    expect(stderr).toBe('status 0\n');
  });

  test('the rest of the line decides nothing: one line, status 0', async () => {
    const folder = await folderWith(FILES);
    const line = `'${process.execPath}' '${CLI}' merge a.txt b.txt | head -1; echo "status \${PIPESTATUS[0]}" >&2`;
    expect(await run(['bash', '-c', line], { cwd: folder })).toEqual({
      status: 0,
      stdout: '9.9.9.9\n',
      stderr: 'status 0\n',
    });
  });

  test('everything arrives, however small the pieces that the reader takes', async () => {
    const folder = await folderWith({ 'many.txt': MANY });
    const line = `'${process.execPath}' '${CLI}' merge many.txt | (read -r first; echo "$first"; dd bs=100 2>/dev/null | wc -l)`;
    expect(await must(['bash', '-c', line], { cwd: folder })).toBe('1.0.0.1\n199999\n');
  });
});

systemTest('--format nft is taken by nft inside a define', ['nft', 'netns'], async () => {
  const folder = await folderWith(FILES);
  const { stdout } = await blocklist(['merge', '-4', 'a.txt', 'b.txt', 'c.txt.gz', '--format', 'nft'], { cwd: folder });
  const script = `define blocked = ${stdout}
table inet t {
  set s {
    type ipv4_addr
    flags interval
    elements = $blocked
  }
}
`;
  const load = ['unshare', '-n', 'sh', '-c', 'nft -f - && nft list set inet t s'];
  const listing = await must(load, { stdin: script });
  const elements = /elements = \{([^}]*)\}/
    .exec(listing)?.[1]
    ?.split(',')
    .map((element) => element.trim());
  expect(elements).toEqual(['9.9.9.9', '192.0.2.0/24', '198.51.100.7', '203.0.113.1', '203.0.113.2']);
});
