import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { removeTree } from '../../src/io/write.js';
import { blocklist } from './cli.js';

const DAY = 86_400_000;
const TODAY = Date.now();
const date = (ago: number) => new Date(TODAY - ago * DAY).toISOString().slice(0, 10);

const LISTS = {
  'a.txt': '45.9.1.7\n45.9.2.0/24\n45.9.5.1\n45.9.6.1\n8.8.8.8\n10.1.2.3\n2a0a:1::/32\n45.9.20.0/25\n45.9.66.6\n',
  'b.txt': '45.9.2.0/23\n45.9.1.7\n',
  'out.txt': '45.9.8.8\n',
  'near.txt': '45.9.30.1\n45.9.30.3\n45.9.30.5\n',
  'lists/allow.txt': '# ours\n45.9.5.0/24   # the partner\n',
};
const YAML = `sources:
  custom:
    - {id: a, file: a.txt}
    - {id: b, file: b.txt}
    - {id: out, file: out.txt, direction: out}
    - {id: near, file: near.txt, density: {v4: {at-least: 3}}}
  countries: {block: [kp]}
allow: {files: [lists/allow.txt]}
local: {admins: [45.9.66.6], auto: []}`;

interface Answer {
  readonly [key: string]: unknown;
  readonly verdict: string;
  readonly sources: ReadonlyArray<Record<string, unknown>>;
}
interface Why {
  readonly status: number;
  readonly answers: readonly Answer[];
  readonly unread: ReadonlyArray<{ readonly id: string; readonly code: string }>;
}

async function why(cwd: string, ...args: string[]): Promise<Why> {
  const { status, stdout, stderr } = await blocklist(['why', ...args, '--json'], { cwd });
  if (stdout === '') throw new Error(stderr);
  return { status, ...JSON.parse(stdout) };
}

const local = (entries: readonly object[]) => JSON.stringify({ version: 1, entries });
const entry = (what: 'ban' | 'allow', prefix: string, more: object = {}) => ({
  what,
  prefix,
  since: TODAY - DAY,
  author: 'alice',
  ...more,
});

describe('one project', () => {
  let cwd: string;
  // Nothing changes it: each test that does has its own.
  beforeAll(async () => {
    const folder = await projectWithoutEnd();
    cwd = folder;
    return () => removeTree(folder);
  });

  async function projectWithoutEnd(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-test-'));
    await mkdir(join(folder, 'lists'));
    await mkdir(join(folder, 'state'));
    for (const [name, text] of Object.entries(LISTS)) await writeFile(join(folder, name), text);
    await writeFile(join(folder, 'blocklist.yaml'), `${YAML}\npaths: {cache: cache, state: state}\n`);
    await writeFile(
      join(folder, 'state', 'local.json'),
      local([
        entry('ban', '45.9.100.0/24', { reason: 'port scan\u001b[2J', until: TODAY + DAY }),
        entry('allow', '45.9.6.1', { author: 'bob' }),
        entry('ban', '45.9.101.1', { until: TODAY - 1000 }),
      ]),
    );
    const { status, stderr } = await blocklist(['build'], { cwd: folder });
    if (status !== 0) throw new Error(stderr);
    return folder;
  }

  test.each<[what: string, address: string, answer: object]>([
    [
      'listed by two, in the rules as one',
      '45.9.1.7',
      {
        verdict: 'blocked',
        decidedBy: 'rules',
        rules: [{ set: 'nodes4', side: 'in', element: '45.9.1.7', prefixes: 1, addresses: '1' }],
      },
    ],
    [
      'inside a net that is wider in the rules than in the list',
      '45.9.2.9',
      {
        verdict: 'blocked',
        rules: [{ set: 'nets4', side: 'in', element: '45.9.2.0/23', prefixes: 1, addresses: '1' }],
      },
    ],
    [
      'IPv6',
      '2a0a:1::5',
      {
        verdict: 'blocked',
        rules: [{ set: 'nets6', side: 'in', element: '2a0a:1::/32', prefixes: 1, addresses: '1' }],
      },
    ],
    ['not listed', '45.10.0.1', { verdict: 'free', decidedBy: 'nobody', rules: [], sources: [], neverBlocked: [] }],
    ['outgoing', '45.9.8.8', { verdict: 'blocked', blocked: { in: '0', out: '1' } }],
    ['a net, as a whole', '45.9.3.0/25', { verdict: 'blocked', blocked: { in: '128', out: '0' } }],
    ['a net half of which is listed', '45.9.20.0/24', { verdict: 'partly', blocked: { in: '128', out: '0' } }],
    ['a net around single addresses', '45.9.1.0/24', { verdict: 'partly', blocked: { in: '1', out: '0' } }],
    [
      'by density',
      '45.9.30.200',
      { verdict: 'blocked', sources: [], density: [{ source: 'near', net: '45.9.30.0/24', nodes: 3 }] },
    ],
    ['a country', '175.45.176.1', { verdict: 'blocked', country: 'kp' }],
    [
      'a public resolver',
      '8.8.8.8',
      { verdict: 'free', neverBlocked: [{ by: 'never-block', entry: '8.8.8.8', words: 'Google', addresses: '1' }] },
    ],
    [
      'special-purpose space',
      '10.1.2.3',
      {
        verdict: 'free',
        neverBlocked: [{ by: 'special-purpose', where: '10.0.0.0/8', words: 'private use, RFC 1918' }],
      },
    ],
    [
      'special-purpose space inside IPv6',
      '64:ff9b::a01:203',
      { neverBlocked: [{ by: 'special-purpose', words: 'it carries a special-purpose IPv4 address' }] },
    ],
    [
      'a file of allow.files',
      '45.9.5.1',
      {
        verdict: 'free',
        rules: [],
        neverBlocked: [{ by: 'allow-file', entry: '45.9.5.0/24', words: 'the partner', addresses: '1' }],
      },
    ],
    [
      'allowed here',
      '45.9.6.1',
      {
        verdict: 'free',
        decidedBy: 'allowed-here',
        decisions: [{ what: 'allow', author: 'bob', prefix: '45.9.6.1', until: null }],
      },
    ],
    [
      'banned here',
      '45.9.100.9',
      {
        verdict: 'blocked',
        decidedBy: 'banned-here',
        rules: [],
        decisions: [{ what: 'ban', author: 'alice', prefix: '45.9.100.0/24' }],
      },
    ],
    ['a ban that is over', '45.9.101.1', { verdict: 'free', decisions: [] }],
    [
      'local.admins',
      '45.9.66.6',
      {
        verdict: 'free',
        decidedBy: 'let-through',
        letThrough: [{ prefix: '45.9.66.6', what: 'an address of local.admins' }],
      },
    ],
  ])('%s: %s', async (_, address, answer) => {
    const { status, answers, unread } = await why(cwd, address);
    expect([status, unread]).toEqual([0, []]);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ address, ...answer });
  });

  test('who lists it, as what', async () => {
    const { answers } = await why(cwd, '45.9.2.9', '175.45.176.1', '175.45.176.0/22', '45.9.20.0/24');
    const rows = answers.map(({ sources }) =>
      sources.map(({ id, kind, entry, addresses }) => [id, kind, entry, addresses]),
    );
    expect(rows).toEqual([
      [
        ['a', 'file', '45.9.2.0/24', '1'],
        ['b', 'file', '45.9.2.0/23', '1'],
      ],
      [['country-kp', 'country', '175.45.176.0/22', '1']],
      [['country-kp', 'country', '175.45.176.0/22', '1024']],
      [['a', 'file', null, '128']],
    ]);
    const [single] = (await why(cwd, '175.45.176.1')).answers;
    expect(single?.sources).toMatchObject([{ id: 'country-kp', firstSeen: null }]);
    expect((await why(cwd, '45.9.1.7')).answers[0]?.sources).toMatchObject([
      { id: 'a', firstSeen: date(0), lastSeen: date(0) },
      { id: 'b', firstSeen: date(0) },
    ]);
  });

  test('in words', async () => {
    const { stdout, stderr, status } = await blocklist(['why', '45.9.1.7', '45.9.5.1', '45.9.100.9', '45.9.20.0/24'], {
      cwd,
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^45\.9\.1\.7: blocked.*\n {2}in the rules as nodes4 45\.9\.1\.7; /);
    expect(stdout).toMatch(
      new RegExp(`\\n  listed by a as 45\\.9\\.1\\.7 since ${date(0)}; data of (this minute|\\d+ minutes? ago)\\n`),
    );
    expect(stdout).toMatch(/to let it through on this host, at once: .* allow 45\.9\.1\.7; on all hosts/);
    expect(stdout).toContain('\n45.9.5.1: not blocked: listed, and never to be blocked\n');
    expect(stdout).toContain('\n  allowed for all hosts by lists/allow.txt:2: 45.9.5.0/24 (the partner)\n');
    expect(stdout).toContain('\n45.9.100.9: blocked, banned on this host');
    // What came from a person is shown, and cannot move the cursor.
    expect(stdout).toContain(': port scan\\x1b[2J\n');
    expect(stdout).toContain('\n45.9.20.0/24: 128 of its 256 addresses are blocked');
    expect(stdout).not.toContain('\u001b');
  });

  test('many: a line each, also from standard input', async () => {
    const stdin = `# twelve\n\n${Array.from({ length: 11 }, (_, i) => `45.9.1.${i}`).join('\n')}\n  2a0a:1::/33 # and a net\r\n`;
    const { status, stdout } = await blocklist(['why', '-'], { cwd, stdin });
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[7]).toMatch(/^45\.9\.1\.7 {2}blocked {2}a,b {2}/);
    expect(lines[8]).toMatch(/^45\.9\.1\.8 {2}free {2}- /);
    expect(lines[11]).toMatch(/^2a0a:1::\/33 {2}blocked {2}a {2}/);
  });

  test.each<[what: string, args: string[], stdin: string, said: string]>([
    ['nothing', [], '', 'name addresses or networks'],
    ['an empty input', ['-'], '# only this\n', 'name addresses or networks'],
    ['a name', ['example.org'], '', 'not an address'],
    ['host bits', ['45.9.1.7/24'], '', 'has host bits set'],
    ['a leading zero', ['010.0.0.1'], '', 'other programs read it as 8.0.0.1'],
    ['a bad line', ['-'], '45.9.1.7\nexample\u001b[2J\n', 'line 2 of standard input'],
    ['a source and an address', ['--source', 'a', '45.9.1.7'], '', 'not both'],
    ['a source that is none', ['--source', 'nobody'], '', "there is no source 'nobody'"],
  ])('%s is a usage error', async (_, args, stdin, said) => {
    const { status, stdout, stderr } = await blocklist(['why', ...args], { cwd, stdin });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('\u001b');
  });

  test('what only one source brings', async () => {
    const { status, stdout } = await blocklist(['why', '--source', 'a'], { cwd });
    expect([status, stdout.split('\n').slice(0, 3)]).toEqual([
      0,
      [
        'only a brings 130 of its 390 IPv4 addresses (33.33 %) and 2^96.0 of its 2^96.0 IPv6 addresses, in 4 prefixes, the widest first:',
        '  45.9.20.0/25',
        '  45.9.6.1',
      ],
    ]);
    const json = JSON.parse((await blocklist(['why', '--source', 'b', '--json'], { cwd })).stdout);
    expect(json).toEqual({
      schema: 'blocklist/why-source',
      version: 1,
      id: 'b',
      addresses: { v4: '513', v6: '0' },
      alone: { v4: '256', v6: '0' },
      share: 256 / 513,
      prefixes: ['45.9.3.0/24'],
    });
  });
});
