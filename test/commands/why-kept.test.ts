import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IpSet } from '../../src/ip/index.js';
import { LastGood } from '../../src/sources/last-good.js';
import { LIST_FORM } from '../../src/sources/parsed-form.js';
import { SeenFile } from '../../src/sources/seen-file.js';
import { type TestServer, testServer } from '../sources/server.js';
import { blocklist, projectWith } from './cli.js';

const DAY = 86_400_000;
const date = (ago: number) => new Date(Date.now() - ago * DAY).toISOString().slice(0, 10);

interface Site {
  readonly cwd: string;
  readonly server: TestServer;
  /** what the server gives */
  readonly list: { text: string };
}

/** A list that was fetched and built; its rules hold 45.9.1.7 and 45.9.2.0/24. */
async function site(more = ''): Promise<Site> {
  const list = { text: '45.9.1.7\n45.9.2.0/24\n45.9.3.1\n' };
  const server = await testServer((_, response) => response.writeHead(200).end(list.text));
  const cwd = await projectWith(`sources: {custom: [{id: far, url: "${server.origin}/"}]}\n${more}`, {
    'allow.txt': '# nobody yet\n',
  });
  const { status, stderr } = await blocklist(['update'], { cwd });
  if (status !== 0) throw new Error(stderr);
  return { cwd, server, list };
}

async function why(cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = await blocklist(['why', ...args, '--json'], { cwd });
  if (stdout === '') throw new Error(stderr);
  const { answers, unread } = JSON.parse(stdout);
  return { status, answers, unread };
}

/** The one file of the source with this ending. */
async function kept(cwd: string, ending: string): Promise<string> {
  const folder = join(cwd, 'cache', 'sources', 'far');
  return join(folder, (await readdir(folder)).find((name) => name.endsWith(ending)) ?? 'none');
}

/** Every file below a folder with its content. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')])));
}

describe('what is kept of a source', () => {
  const ASKED = ['45.9.1.7', '45.9.2.9', '45.9.9.9', '45.9.0.0/16'];

  test('is only read', async () => {
    const { cwd, server } = await site();
    const before = await contents(cwd);
    const asked = server.requests.length;
    expect((await why(cwd, ...ASKED)).status).toBe(0);
    expect(await contents(cwd)).toEqual(before);
    expect(server.requests).toHaveLength(asked);
  });

  test.each<[what: string, damage: (bytes: Buffer) => Buffer | undefined]>([
    ['missing', () => undefined],
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 1)],
    ['text', () => Buffer.from('45.9.9.9\n')],
    [
      'changed in one bit',
      (bytes) => {
        bytes[bytes.length - 9]! ^= 1;
        return bytes;
      },
    ],
  ])('a parsed form that is %s: the same answer, from the body', async (_, damage) => {
    const { cwd } = await site();
    const sound = await why(cwd, ...ASKED);
    const parsed = await kept(cwd, '.parsed');
    const damaged = damage(await readFile(parsed));
    if (damaged === undefined) await rm(parsed);
    else await writeFile(parsed, damaged);
    expect(await why(cwd, ...ASKED)).toEqual(sound);
  });

  test('nothing whole is left of it: exit status 3, and what the rules say', async () => {
    const { cwd } = await site();
    await writeFile(await kept(cwd, '.parsed'), 'x');
    await writeFile(await kept(cwd, '.body'), 'x');
    const { status, answers, unread } = await why(cwd, '45.9.1.7');
    expect(status).toBe(3);
    expect(unread).toMatchObject([{ id: 'far', code: 'file-unreadable' }]);
    expect(answers).toMatchObject([{ verdict: 'blocked', sources: [] }]);
    const { stdout, stderr } = await blocklist(['why', '45.9.1.7'], { cwd });
    expect(stdout).toContain('45.9.1.7: blocked');
    // Nobody should be told that no source lists it where none could be asked.
    expect(stdout).not.toContain('no source lists it');
    expect(stderr).toContain('far: what is kept of it is damaged (run: blocklist update)');
  });

  test('it was never fetched on this host: the same', async () => {
    const { cwd } = await site();
    await rm(join(cwd, 'cache'), { recursive: true });
    const { status, unread } = await why(cwd, '45.9.1.7');
    expect([status, unread]).toMatchObject([3, [{ id: 'far', code: 'source-never-fetched' }]]);
    const { stdout } = await blocklist(['why', '45.9.9.9'], { cwd });
    expect(stdout).toContain('45.9.9.9: not blocked\n');
  });
});

describe('the history', () => {
  test('since when it is listed, and what left when', async () => {
    const { cwd } = await site();
    const seen = new SeenFile(join(cwd, 'state', 'seen', 'far'));
    const body = (days: number, ...entries: string[]) => ({ set: IpSet.from(entries), at: Date.now() - days * DAY });
    await seen.advance(body(40, '45.9.1.7', '45.9.9.9'), body(30, '45.9.1.7', '45.9.9.9', '45.9.2.0/24'));
    await seen.advance(
      { ...body(30, '45.9.1.7', '45.9.9.9', '45.9.2.0/24'), until: Date.now() - 5 * DAY },
      body(0, '45.9.1.7', '45.9.2.0/24'),
    );
    const { answers } = await why(cwd, '45.9.1.7', '45.9.2.9', '45.9.9.9', '45.9.2.128/25');
    expect(answers).toMatchObject([
      { sources: [{ firstSeen: date(40), lastSeen: date(0) }], left: [] },
      { sources: [{ firstSeen: date(30) }], left: [] },
      { verdict: 'free', sources: [], left: [{ id: 'far', firstSeen: date(40), lastSeen: date(5) }] },
      { sources: [{ entry: '45.9.2.0/24', firstSeen: date(30) }] },
    ]);
    const { stdout } = await blocklist(['why', '45.9.9.9'], { cwd });
    expect(stdout).toContain(`left far: last listed on ${date(5)}, since ${date(40)}\n`);
  });

  test('of a list with two addresses: since the first of them listed it, until the last does', async () => {
    const { cwd } = await site();
    await cp(join(cwd, 'cache', 'sources', 'far'), join(cwd, 'cache', 'sources', 'far.2'), { recursive: true });
    const body = (days: number, ...entries: string[]) => ({ set: IpSet.from(entries), at: Date.now() - days * DAY });
    for (const [name, first, last] of [
      ['far', 20, 6],
      ['far.2', 50, 9],
    ] as const) {
      const before = { ...body(first, '45.9.9.9'), until: Date.now() - last * DAY };
      await new SeenFile(join(cwd, 'state', 'seen', name)).advance(before, body(0, '45.9.1.7'));
    }
    const { answers } = await why(cwd, '45.9.9.9');
    expect(answers).toMatchObject([{ left: [{ id: 'far', firstSeen: date(50), lastSeen: date(6) }] }]);
  });

  test('a damaged one is as good as none', async () => {
    const { cwd } = await site();
    const sound = await why(cwd, '45.9.1.7');
    await mkdir(join(cwd, 'state', 'seen'), { recursive: true });
    await writeFile(join(cwd, 'state', 'seen', 'far'), 'x');
    expect(await why(cwd, '45.9.1.7')).toEqual(sound);
  });
});

describe('rules and sources are not of one mind', () => {
  test('allowed since the build: what frees it', async () => {
    const { cwd } = await site('allow: {files: [allow.txt]}');
    await writeFile(join(cwd, 'allow.txt'), '45.9.1.0/28\n');
    const { stdout } = await blocklist(['why', '45.9.1.7'], { cwd });
    expect(stdout).toContain('45.9.1.7: blocked');
    expect(stdout).toContain('allowed for all hosts by allow.txt:1: 45.9.1.0/28');
    expect(stdout).toContain('the rules are older than that');
  });

  test('an allow file that nobody can read: exit status 3', async () => {
    const { cwd } = await site('allow: {files: [allow.txt]}');
    await writeFile(join(cwd, 'allow.txt'), '45.9.1.0/28\nexample\n');
    expect(await why(cwd, '45.9.1.7')).toMatchObject({ status: 3, unread: [{ code: 'bad-prefix' }] });
    await rm(join(cwd, 'allow.txt'));
    expect(await why(cwd, '45.9.1.7')).toMatchObject({ status: 3, unread: [{ code: 'file-unreadable' }] });
  });

  test('no rules: who lists it is told all the same, exit status 3', async () => {
    const { cwd } = await site();
    await rm(join(cwd, 'rules'), { recursive: true });
    const { status, answers, unread } = await why(cwd, '45.9.1.7');
    expect([status, unread]).toMatchObject([3, [{ id: 'rules', code: 'artefact-missing' }]]);
    expect(answers).toMatchObject([{ verdict: 'unknown', sources: [{ id: 'far' }] }]);
  });

  test.each(['nodes4.txt', 'nets4.txt'])('a damaged or missing %s: exit status 3', async (name) => {
    const { cwd } = await site();
    await writeFile(join(cwd, 'rules', name), 'example\n');
    expect(await why(cwd, '45.9.9.9')).toMatchObject({
      status: 3,
      unread: [{ id: 'rules', code: 'artefact-invalid' }],
    });
    expect((await why(cwd, '45.9.9.9')).answers).toMatchObject([{ verdict: 'unknown' }]);
    await rm(join(cwd, 'rules', name));
    expect(await why(cwd, '45.9.9.9')).toMatchObject({
      status: 3,
      unread: [{ id: 'rules', code: 'artefact-invalid' }],
    });
  });

  test('damaged decisions: exit status 3', async () => {
    const { cwd } = await site();
    await writeFile(join(cwd, 'state', 'local.json'), '{');
    expect(await why(cwd, '45.9.1.7')).toMatchObject({ status: 3, unread: [{ code: 'state-invalid' }] });
  });
});

test('an allow feed', async () => {
  const { cwd } = await site();
  const text = await readFile(join(cwd, 'blocklist.yaml'), 'utf8');
  await writeFile(join(cwd, 'blocklist.yaml'), `${text}\nallow: {feeds: [cloudflare]}\n`);
  expect(await why(cwd, '45.9.9.9')).toMatchObject({ status: 3, unread: [{ id: 'cloudflare' }] });
  const set = IpSet.from(['45.9.9.0/24']);
  const report = {
    entries: 1,
    rejected: 0,
    reasons: {},
    samples: [],
    hostBits: 0,
    widest: { v4: 24, v6: 128 },
    leftOut: 0,
  };
  const content = { set, nodes: IpSet.empty, trailing: 0, report };
  const body = { body: Buffer.from('x'), digest: '0'.repeat(64), content, key: 'k' };
  await new LastGood(join(cwd, 'cache', 'allow', 'cloudflare'), LIST_FORM).keep('https://a.example/', body, {
    fetched: Date.now(),
  });
  expect(await why(cwd, '45.9.9.9')).toMatchObject({
    status: 0,
    answers: [{ neverBlocked: [{ by: 'allow-feed', where: 'cloudflare', entry: '45.9.9.0/24' }] }],
  });
});

test('a list that ships with the package and was never fetched', async () => {
  const cwd = await projectWith('sources: {feeds: [ipsum-3]}');
  expect((await blocklist(['build'], { cwd })).status).toBe(0);
  const first = (await readFile(join(cwd, 'rules', 'nodes4.txt'), 'utf8')).split('\n')[0] ?? '';
  expect(await why(cwd, first)).toMatchObject({
    status: 0,
    answers: [{ verdict: 'blocked', sources: [{ id: 'ipsum-3', entry: first }] }],
  });
});

test('a country database that cannot be read: one line, exit status 3', async () => {
  const cwd = await projectWith('sources: {custom: [{id: a, file: a.txt}], countries: {block: [kp, ad]}}', {
    'a.txt': '45.9.1.7\n',
  });
  expect((await blocklist(['build'], { cwd })).status).toBe(0);
  const text = await readFile(join(cwd, 'blocklist.yaml'), 'utf8');
  await writeFile(join(cwd, 'bad.mmdb'), 'x');
  await writeFile(join(cwd, 'blocklist.yaml'), `${text}geo: {country: bad.mmdb}\n`);
  const { status, stdout, stderr } = await blocklist(['why', '45.9.1.7'], { cwd });
  expect([status, stdout]).toEqual([3, expect.stringContaining('listed by a as 45.9.1.7')]);
  expect(stderr.match(/ {2}country-kp, country-ad, country database: .*/g)).toHaveLength(1);
});
