import { describe, expect, test } from 'vitest';
import { refuses, testServer } from '../sources/server.js';
import { blocklist, projectWith } from './cli.js';

async function overlap(lists: Readonly<Record<string, string>>, more = '', ...args: string[]) {
  const custom = Object.keys(lists).map((id) => `{id: ${id}, file: ${id}.txt}`);
  const files = Object.fromEntries(Object.entries(lists).map(([id, text]) => [`${id}.txt`, text]));
  const cwd = await projectWith(`sources: {custom: [${custom.join(', ')}${more}]}`, files);
  return { cwd, ...(await blocklist(['feeds', 'overlap', ...args], { cwd })) };
}

const THREE = {
  a: '45.9.20.0/24\n',
  b: '45.9.20.0/25\n198.18.0.0/25\n',
  c: '45.9.20.0/27\n45.9.20.32/27\n',
};

describe('feeds overlap', () => {
  test('of one source', async () => {
    expect(await overlap({ a: '45.9.20.1\n45.9.20.2\n' })).toMatchObject({
      status: 0,
      stderr: '',
      stdout: `\
   source  entries  IPv4 addresses  only here  1
1  a             2               2      100 %  ·

a number in column N: per cent of this source that source N has, too
every source brings something of its own
`,
    });
  });

  test('of three', async () => {
    expect(await overlap(THREE)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: `\
   source  entries  IPv4 addresses  only here    1    2   3
1  a             1             256    50.00 %    ·   50  25
2  b             2             256    50.00 %   50    ·  25
3  c             2              64        0 %  100  100   ·

a number in column N: per cent of this source that source N has, too
bring nothing of their own: c
`,
    });
  });

  test('of three, as data', async () => {
    const { status, stdout } = await overlap(THREE, '', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'blocklist/overlap',
      version: 1,
      sources: [
        { id: 'a', entries: 1, addresses: { v4: '256', v6: '0' }, unique: 0.5, shared: { b: 0.5, c: 0.25 } },
        { id: 'b', entries: 2, addresses: { v4: '256', v6: '0' }, unique: 0.5, shared: { a: 0.5, c: 0.25 } },
        { id: 'c', entries: 2, addresses: { v4: '64', v6: '0' }, unique: 0, shared: { a: 1, b: 1 } },
      ],
    });
  });

  test('of IPv6 alone', async () => {
    const { stdout } = await overlap({ a: '2a0a::/64\n', b: '2a0a::/66\n2a0b::/66\n' }, '', '--json');
    const { sources } = JSON.parse(stdout) as { sources: { unique: number; shared: object }[] };
    expect(sources.map(({ unique, shared }) => [unique, shared])).toEqual([
      [0.75, { b: 0.25 }],
      [0.5, { a: 0.5 }],
    ]);
  });

  test('a source that brings IPv6 of its own does bring something', async () => {
    const { stdout } = await overlap({ a: '45.9.20.0/24\n', b: '45.9.20.0/25\n2a0a::1\n' });
    expect(stdout).toContain('\nevery source brings something of its own\n');
  });

  test('so does one that brings a single address of IPv6 beside a net that all have', async () => {
    const { stdout } = await overlap({ a: '2a0a::/32\n', b: '2a0a::/32\n2a0b::1\n' });
    expect(stdout).toContain('\nbring nothing of their own: a\n');
  });

  test('of twenty: pairs in place of columns, the strongest first', async () => {
    // Source n has n addresses of a row: all of it is in every later one.
    const list = (n: number) => Array.from({ length: n }, (_, i) => `45.9.20.${i}`).join('\n');
    const lists = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i + 1}`, `${list(i + 1)}\n`]));
    const { status, stdout } = await overlap(lists);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('    source  entries  IPv4 addresses  only here');
    expect(lines[20]).toBe('20  s20          20              20     5.00 %');
    const pairs = lines.filter((line) => line.includes(' is in '));
    expect(pairs).toHaveLength(30);
    expect(pairs[0]).toBe('100 % of s1 is in s2');
    expect(lines.at(-1)).toBe(
      `bring nothing of their own: ${Array.from({ length: 19 }, (_, i) => `s${i + 1}`).join(', ')}`,
    );
  });

  test('of twenty that share nothing: no line that is empty in place of pairs', async () => {
    const lists = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i}`, `45.9.${i}.1\n`]));
    const { status, stdout } = await overlap(lists);
    expect(status).toBe(0);
    expect(stdout).toMatch(/\nevery source brings something of its own\n$/);
    expect(stdout).not.toContain(' is in ');
    expect(stdout).not.toContain('\n\n\n');
  });

  test('a source that was never fetched is missing: the others are compared, exit status 3, and nobody is asked', async () => {
    const server = await testServer(refuses(500));
    const { status, stdout, stderr } = await overlap(THREE, `, {id: far, url: "${server.origin}/"}`);
    expect(status).toBe(3);
    expect(stderr).toContain('far: it was never fetched on this host');
    expect(stdout).toContain('bring nothing of their own: c');
    expect(stdout).not.toContain('far');
    expect(server.requests).toEqual([]);
  });

  test('without sources, and without a configuration', async () => {
    expect(await overlap({})).toMatchObject({ status: 0, stderr: '' });
    const { status, stderr } = await blocklist(['feeds', 'overlap'], { cwd: '/' });
    expect(status).toBe(2);
    expect(stderr).toContain('there is no blocklist.yaml here');
  });
});
