import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, refuses, sends, type TestServer, testServer } from '../sources/server.js';
import { projectWith } from './cli.js';
import { lineOf, update } from './far.js';

const LIST = '5.6.7.8\n5.6.7.12\n';
const DAY = 86_400_000;

/** Two sources of one server, whose answers the test decides, and a file that is always well. */
async function twoFeeds(keys = '') {
  const answers: Record<string, Answer> = { '/a': sends(LIST), '/b': sends('9.9.9.9\n') };
  const server = await testServer((request, response) => answers[request.url ?? '']?.(request, response));
  const folder = await projectFor(server, keys);
  return { answers, folder };
}

function projectFor({ origin }: TestServer, keys: string): Promise<string> {
  const rows = ['a', 'b'].map((id) => `{id: ${id}, url: "${origin}/${id}"${keys}}`).join(', ');
  return projectWith(`sources: {custom: [${rows}, {id: near, file: near.txt}]}`, { 'near.txt': '5.6.7.10\n' });
}

/** One night, as a timer runs it: what it printed, and its exit status. */
async function night(folder: string) {
  const ran = await update(folder, ['--quiet']);
  expect(ran.stdout).toBe('');
  const ids = ran.stderr.split('\n').map((line) => line.replace(/:.*/, ''));
  return { status: ran.status, told: ids.filter((id) => id !== ''), stderr: ran.stderr };
}

/** What is kept of a source is so many days older. */
async function age(folder: string, id: string, days: { readonly fetched?: number; readonly changed?: number }) {
  const path = join(folder, 'cache', 'sources', id, 'meta.json');
  const meta = JSON.parse(await readFile(path, 'utf8')) as { fetched: number; changed: number };
  const fetched = meta.fetched - (days.fetched ?? 0) * DAY;
  const changed = meta.changed - (days.changed ?? 0) * DAY;
  await writeFile(path, JSON.stringify({ ...meta, fetched, changed }));
}

/** Refused, and to be asked again with the next run: a page in place of the list. */
const PAGE = sends('<html>');
const HEALTHY = { status: 0, told: [], stderr: '' };

describe('a night under --quiet', () => {
  test('two that are healthy print nothing at all, the first of all nights neither', async () => {
    const { folder, answers } = await twoFeeds();
    expect(await night(folder)).toEqual(HEALTHY);
    expect(await night(folder)).toEqual(HEALTHY);
    answers['/a'] = sends(`${LIST}5.6.7.14\n`);
    expect(await night(folder)).toEqual(HEALTHY);
  });

  test('the first failure of a source is told, the second is not, that of another source is', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/a'] = PAGE;
    const first = await night(folder);
    expect(first).toMatchObject({ status: 3, told: ['a'] });
    expect(first.stderr).toMatch(
      /^a: a web page came in place of a list \(http:\/\/127\.0\.0\.1:\d+\/a\); last good is used\n$/,
    );
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
    answers['/b'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['b'] });
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
  });

  test('two that fail at once are both told, in the order of the configuration', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/a'] = PAGE;
    answers['/b'] = sends('');
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a', 'b'] });
    expect(await night(folder)).toMatchObject({ status: 3, told: [] });
  });

  test('a failure after a recovery is told again', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/a'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    expect(await night(folder)).toMatchObject({ status: 3, told: [] });
    answers['/a'] = sends(LIST);
    expect(await night(folder)).toEqual(HEALTHY);
    answers['/a'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    expect(await night(folder)).toMatchObject({ status: 3, told: [] });
  });

  test('a source that never gave anything is told once, and again when it fails after it came', async () => {
    const { folder, answers } = await twoFeeds();
    answers['/a'] = PAGE;
    const first = await night(folder);
    expect(first).toMatchObject({ status: 3, told: ['a'] });
    expect(first.stderr).toMatch(/; nothing to use\n$/);
    expect(await night(folder)).toMatchObject({ status: 3, told: [] });
    answers['/a'] = sends(LIST);
    expect(await night(folder)).toEqual(HEALTHY);
    answers['/a'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
  });

  test('a server that is left alone fails as before: that is not told again', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/a'] = refuses(403);
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
  });

  test('a person who looks in between, without the network, does not make it new again', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/b'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['b'] });
    await update(folder, ['--offline']);
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
  });

  test('a page in place of a list stays a failure while it is not due to be asked for again', async () => {
    const { folder, answers } = await twoFeeds(', interval: 1h');
    await night(folder);
    answers['/b'] = PAGE;
    expect((await update(folder, ['--quiet', '--force'])).stderr).toMatch(/^b: a web page came/);
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
  });

  test('a change that a guard refused is told with the command that takes it', async () => {
    const { folder, answers } = await twoFeeds();
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `9.9.8.${i}\n`).join('');
    answers['/a'] = sends(lines(100));
    await night(folder);
    answers['/a'] = sends(lines(30));
    const { status, stderr } = await update(folder, ['--quiet']);
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^a: 30 entries came, .+; last good is used\n {2}if that is right: \S.* update --accept-change a\n$/,
    );
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
    expect((await update(folder, ['--quiet', '--accept-change', 'a'])).status).toBe(0);
    expect(await night(folder)).toEqual(HEALTHY);
  });

  test('without --quiet a failure is told each time', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/a'] = PAGE;
    for (const _ of [1, 2]) {
      expect(lineOf(await update(folder), 'a')).toMatch(/^a: a web page came in place of a list \(/);
    }
  });
});

describe('a source that is too old', () => {
  test('a failing one is told once more when it passes max-age, and then not again', async () => {
    const { folder, answers } = await twoFeeds(', guards: {max-age: 5d}');
    await night(folder);
    answers['/a'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    await age(folder, 'a', { fetched: 4 });
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
    await age(folder, 'a', { fetched: 2 });
    const old = await night(folder);
    expect(old).toMatchObject({ status: 3, told: ['a'] });
    expect(old.stderr).toMatch(
      /^a: a web page came in place of a list; not confirmed by its server for 6 days, longer than the 5 days allowed \(.*\); last good, 6 days old, is used\n$/,
    );
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
    answers['/a'] = sends(LIST);
    expect(await night(folder)).toEqual(HEALTHY);
  });

  test('the default is 14 days', async () => {
    const { folder, answers } = await twoFeeds();
    await night(folder);
    answers['/a'] = PAGE;
    await night(folder);
    await age(folder, 'a', { fetched: 13 });
    expect(await night(folder)).toMatchObject({ told: [] });
    await age(folder, 'a', { fetched: 2 });
    expect(await night(folder)).toMatchObject({ told: ['a'] });
    expect(await night(folder)).toMatchObject({ told: [] });
  });

  test('one whose content stays the same is told when it passes max-unchanged, and then not again', async () => {
    const { folder, answers } = await twoFeeds(', guards: {max-unchanged: 5d}');
    await night(folder);
    await age(folder, 'a', { changed: 4 });
    expect(await night(folder)).toEqual(HEALTHY);
    await age(folder, 'a', { changed: 2 });
    const frozen = await night(folder);
    expect(frozen).toMatchObject({ status: 3, told: ['a'] });
    expect(frozen.stderr).toMatch(
      /^a: the same for 6 days, longer than the 5 days expected: nobody may be tending it \(.*\); used all the same\n$/,
    );
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
    answers['/a'] = sends('5.6.7.14\n');
    expect(await night(folder)).toEqual(HEALTHY);
    expect(await night(folder)).toEqual(HEALTHY);
  });

  test('one that failed and then comes back the same as ever is told once more', async () => {
    const { folder, answers } = await twoFeeds(', guards: {max-unchanged: 5d}');
    await night(folder);
    answers['/a'] = PAGE;
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    await age(folder, 'a', { changed: 6 });
    answers['/a'] = sends(LIST);
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
  });

  test('the age of 304 is the age of the content, not of the answer', async () => {
    const { folder, answers } = await twoFeeds(', guards: {max-age: 5d, max-unchanged: 5d}');
    answers['/a'] = sends(LIST, { etag: '"1"' });
    await night(folder);
    answers['/a'] = refuses(304, '');
    await age(folder, 'a', { fetched: 6 });
    expect(await night(folder)).toEqual(HEALTHY);
    await age(folder, 'a', { changed: 6 });
    expect(await night(folder)).toMatchObject({ status: 3, told: ['a'] });
    expect(await night(folder)).toEqual({ status: 3, told: [], stderr: '' });
  });
});
