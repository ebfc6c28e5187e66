import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IpSet, parseAddress } from '../../src/ip/index.js';
import { SeenFile } from '../../src/sources/seen-file.js';
import { type TestServer, testServer } from '../sources/server.js';
import { blocklist, projectWith } from './cli.js';

const COUNT = 50;
const IDS = Array.from({ length: COUNT }, (_, n) => `s${n}`);
const DAY = 86_400_000;

interface Site {
  readonly folder: string;
  readonly server: TestServer;
  /** what each path gives, and its tag */
  readonly lists: Record<string, { text: string; tag: string }>;
  /** status of each answer, by path */
  readonly answered: string[];
}

/** 50 lists of two addresses each, on a server that knows what it sent. */
async function site(): Promise<Site> {
  const lists = Object.fromEntries(IDS.map((id, n) => [id, { text: `45.9.${n}.1\n45.9.${n}.3\n`, tag: '"1"' }]));
  const answered: string[] = [];
  const server = await testServer((request, response) => {
    const id = (request.url ?? '/').slice(1);
    const { text, tag } = lists[id]!;
    const isKnown = request.headers['if-none-match'] === tag;
    answered.push(`${id} ${isKnown ? 304 : 200}`);
    if (isKnown) response.writeHead(304).end();
    else response.writeHead(200, { etag: tag }).end(text);
  });
  const custom = IDS.map((id) => `    - {id: ${id}, url: "${server.origin}/${id}"}\n`);
  const folder = await projectWith(`sources:\n  custom:\n${custom.join('')}`);
  return { folder, server, lists, answered };
}

async function told(folder: string, command: string) {
  const { status, stdout, stderr } = await blocklist([command, '--json'], { cwd: folder });
  const { sources } = JSON.parse(stdout) as { sources: { id: string; data: string }[] };
  return { status, stderr, data: Object.fromEntries(sources.map(({ id, data }) => [id, data])) };
}

/** Inode and times of each .body and .parsed file, by the id of its source and its ending. */
async function filesIn(folder: string): Promise<Record<string, string>> {
  const rows = IDS.map(async (id) => {
    const names = (await readdir(join(folder, 'cache', 'sources', id))).filter((name) => name !== 'meta.json');
    return Promise.all(
      names.map(async (name) => {
        const { ino, mtimeNs, ctimeNs, size } = await stat(join(folder, 'cache', 'sources', id, name), {
          bigint: true,
        });
        return [`${id}${name.slice(name.indexOf('.'))}`, `${name} ${ino} ${mtimeNs} ${ctimeNs} ${size}`] as const;
      }),
    );
  });
  return Object.fromEntries((await Promise.all(rows)).flat());
}

async function fileOf(folder: string, id: string, ending: '.body' | '.parsed'): Promise<string> {
  const names = await readdir(join(folder, 'cache', 'sources', id));
  return join(folder, 'cache', 'sources', id, names.find((name) => name.endsWith(ending)) ?? 'none');
}

function nodes(folder: string): Promise<string> {
  return readFile(join(folder, 'rules', 'nodes4.txt'), 'utf8');
}

const linesOf = (changed: Record<number, string[]> = {}) =>
  `${IDS.flatMap((_, n) => changed[n] ?? [`45.9.${n}.1`, `45.9.${n}.3`]).join('\n')}\n`;

describe('of fifty feeds two change', () => {
  test('these two alone are written and read anew; the others are served from their parsed form', async () => {
    const { folder, lists, answered } = await site();
    expect(await told(folder, 'update')).toEqual({
      status: 0,
      stderr: '',
      data: Object.fromEntries(IDS.map((id) => [id, 'fresh'])),
    });
    expect(await nodes(folder)).toBe(linesOf());
    const before = await filesIn(folder);
    expect(Object.keys(before)).toHaveLength(2 * COUNT);

    lists.s7 = { text: '45.9.7.1\n45.9.7.5\n', tag: '"2"' };
    lists.s42 = { text: '45.9.42.9\n', tag: '"2"' };
    answered.length = 0;
    const again = await told(folder, 'update');
    const isNew = (id: string) => id === 's7' || id === 's42';
    expect(again).toEqual({
      status: 0,
      stderr: '',
      data: Object.fromEntries(IDS.map((id) => [id, isNew(id) ? 'fresh' : 'unchanged'])),
    });
    expect(answered.toSorted()).toEqual(IDS.map((id) => `${id} ${isNew(id) ? 200 : 304}`).toSorted());
    const after = await filesIn(folder);
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed.sort()).toEqual(['s42.body', 's42.parsed', 's7.body', 's7.parsed']);
    expect(await nodes(folder)).toBe(linesOf({ 7: ['45.9.7.1', '45.9.7.5'], 42: ['45.9.42.9'] }));

    // What would be read now is not the list: nobody reads it.
    for (const id of ['s1', 's2', 's3']) await writeFile(await fileOf(folder, id, '.body'), '\u0000garbage, 9.9.9.9\n');
    const built = await told(folder, 'build');
    expect(built).toEqual({ status: 0, stderr: '', data: Object.fromEntries(IDS.map((id) => [id, 'kept'])) });
    expect(await nodes(folder)).toBe(linesOf({ 7: ['45.9.7.1', '45.9.7.5'], 42: ['45.9.42.9'] }));
    const updated = await told(folder, 'update');
    expect([updated.status, updated.data.s1]).toEqual([0, 'unchanged']);
    expect(await nodes(folder)).toBe(linesOf({ 7: ['45.9.7.1', '45.9.7.5'], 42: ['45.9.42.9'] }));
  });

  test('a parsed form that is damaged is made again from the body, and that of no other', async () => {
    const { folder, answered } = await site();
    await told(folder, 'update');
    const before = await filesIn(folder);
    const parsed = await fileOf(folder, 's9', '.parsed');
    const sound = await readFile(parsed);
    await writeFile(parsed, sound.subarray(0, sound.length - 1));
    answered.length = 0;
    expect(await told(folder, 'build')).toMatchObject({ status: 0, data: { s9: 'kept' } });
    expect(answered).toEqual([]);
    expect((await readFile(parsed)).equals(sound)).toBe(true);
    const after = await filesIn(folder);
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(['s9.parsed']);
    expect(await nodes(folder)).toBe(linesOf());
  });

  test('body and parsed form damaged: the next update fetches that one anew', async () => {
    const { folder, answered } = await site();
    await told(folder, 'update');
    for (const ending of ['.body', '.parsed'] as const) await writeFile(await fileOf(folder, 's9', ending), 'x');
    answered.length = 0;
    expect(await told(folder, 'update')).toMatchObject({ status: 0, data: { s8: 'unchanged', s9: 'fresh' } });
    expect(answered.filter((line) => line.endsWith('200'))).toEqual(['s9 200']);
    expect(await nodes(folder)).toBe(linesOf());
  });

  test('another way to read a list makes its parsed form anew, from the body', async () => {
    const { folder, answered } = await site();
    await told(folder, 'update');
    const path = join(folder, 'blocklist.yaml');
    const yaml = await readFile(path, 'utf8');
    await writeFile(path, yaml.replace(/(\{id: s9, url: "[^"]*")\}/, '$1, format: csv, column: 1}'));
    answered.length = 0;
    const before = await filesIn(folder);
    expect(await told(folder, 'build')).toMatchObject({ status: 0, data: { s9: 'kept' } });
    const after = await filesIn(folder);
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(['s9.parsed']);
    expect(answered).toEqual([]);
    expect(await nodes(folder)).toBe(linesOf());
  });
});

describe('the history of a feed', () => {
  const today = () => Math.floor(Date.now() / DAY);

  /** Two addresses that came `days` ago, and then another body, now. */
  async function changed(days: number, meta: (old: Record<string, unknown>) => Record<string, unknown>) {
    const { folder, lists } = await site();
    await told(folder, 'update');
    const path = join(folder, 'cache', 'sources', 's7', 'meta.json');
    const old = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(path, JSON.stringify(meta({ ...old, changed: Date.now() - days * DAY })));
    lists.s7 = { text: '45.9.7.1\n45.9.7.5\n', tag: '"2"' };
    const from = today();
    expect(await told(folder, 'update')).toMatchObject({ status: 0, data: { s7: 'fresh' } });
    const now = today();
    // A test that runs over midnight tells nothing.
    expect(now).toBe(from);
    const seen = new SeenFile(join(folder, 'state', 'seen', 's7'));
    const of = (address: string) => {
      const found = seen.days({ set: IpSet.empty, at: 0 }, IpSet.from([address]))(parseAddress(address));
      return found && [found.first - now, found.last - now];
    };
    return { folder, lists, of };
  }

  test('old addresses keep their first day, new ones begin today', async () => {
    const { folder, of } = await changed(30, (meta) => meta);
    expect(of('45.9.7.1')).toEqual([-30, 0]);
    expect(of('45.9.7.5')).toEqual([0, 0]);
    expect(of('45.9.7.3')?.[0]).toBe(-30);
    expect(of('45.9.7.4')).toBeUndefined();
    expect(await readdir(join(folder, 'state', 'seen'))).toEqual(['s7']);
  });

  test('the last day of what is gone is the day on which the server last confirmed it', async () => {
    // Came 30 days ago, and was confirmed every day until yesterday.
    const { of } = await changed(30, (meta) => ({ ...meta, fetched: Date.now() - DAY }));
    expect(of('45.9.7.3')).toEqual([-30, -1]);
  });

  test('what was listed until yesterday is remembered, however long its feed was the same', async () => {
    const { of, folder, lists } = await changed(100, (meta) => ({ ...meta, fetched: Date.now() - DAY }));
    expect(of('45.9.7.3')?.[0]).toBe(-100);
    lists.s7 = { text: '45.9.7.5\n', tag: '"3"' };
    await told(folder, 'update');
    expect(of('45.9.7.1')?.[0]).toBe(-100);
  });

  test('what is gone keeps its last day through later changes, and what comes back its first', async () => {
    const { folder, lists, of } = await changed(30, (meta) => meta);
    const gone = of('45.9.7.3');
    lists.s7 = { text: '45.9.7.5\n45.9.7.6\n', tag: '"3"' };
    expect(await told(folder, 'update')).toMatchObject({ status: 0, data: { s7: 'fresh' } });
    expect(of('45.9.7.3')).toEqual(gone);
    expect(of('45.9.7.1')).toEqual([-30, 0]);
    lists.s7 = { text: '45.9.7.3\n45.9.7.6\n', tag: '"4"' };
    expect(await told(folder, 'update')).toMatchObject({ status: 0, data: { s7: 'fresh' } });
    expect(of('45.9.7.3')).toEqual([-30, 0]);
    expect(of('45.9.7.5')).toEqual([0, 0]);
  });
});
