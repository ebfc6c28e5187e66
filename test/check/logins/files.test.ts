import { mkdir, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { fileFindings } from '../../../src/check/logins/files.js';
import type { Span } from '../../../src/logins/book.js';
import type { RecordKind } from '../../../src/logins/event.js';
import { recordFacts } from '../../../src/logins/file-facts.js';
import { tempFolder } from '../../io/temp.js';
import { DAY, visit } from './cases.js';

const NOW = Date.UTC(2026, 10, 1);

/** A system in a folder; its machine-id is of `days` ago. */
async function system(files: Readonly<Record<string, string>>, days = 100): Promise<string> {
  const root = await tempFolder();
  for (const [path, content] of Object.entries({ 'etc/machine-id': 'x', ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o644 });
  }
  await utimes(join(root, 'etc/machine-id'), new Date(NOW - days * DAY), new Date(NOW - days * DAY));
  return root;
}

async function codes(
  root: string,
  { visits = [visit(0)].slice(1), last = undefined as number | undefined, database = false } = {},
) {
  const accounts = [{ name: 'alice', uid: 1000, home: '/home/alice' }];
  const spans = new Map<RecordKind, Span>();
  if (last !== undefined) spans.set('wtmp', { events: 1, first: last, last });
  if (database) spans.set('wtmpdb', { events: 1, first: 0, last: 0 });
  const found = fileFindings(await recordFacts(root, accounts, NOW), visits, spans, (path) => path);
  return found.map(({ code, severity }) => `${severity} ${code}`);
}

const WHOLE = { 'var/log/wtmp': 'x', 'var/log/btmp': '', 'var/log/lastlog': 'x' };

test('a system as it should be', async () => {
  expect(await codes(await system(WHOLE))).toEqual([]);
});

test('WTMP-SYMLINK: a link in its place', async () => {
  const root = await system({ ...WHOLE, 'var/log/wtmp.real': 'x' });
  await rename(join(root, 'var/log/wtmp'), join(root, 'var/log/wtmp.old'));
  await symlink('/dev/null', join(root, 'var/log/wtmp'));
  expect(await codes(root)).toEqual(['high WTMP-SYMLINK']);
});

test('WTMP-UNREADABLE: something that keeps nothing', async () => {
  const root = await system({ 'var/log/btmp': '' });
  await mkdir(join(root, 'var/log/wtmp'));
  expect(await codes(root)).toEqual(['high WTMP-UNREADABLE']);
});

test('WTMP-PERMS: everybody may write it; its group may', async () => {
  const root = await system(WHOLE);
  const { chmod } = await import('node:fs/promises');
  await chmod(join(root, 'var/log/wtmp'), 0o666);
  expect(await codes(root)).toEqual(['medium WTMP-PERMS']);
  await chmod(join(root, 'var/log/wtmp'), 0o664);
  expect(await codes(root)).toEqual([]);
});

test('WTMP-EMPTY: gone while its neighbours are there; a system that never had it, or keeps it in a database', async () => {
  expect(await codes(await system({ 'var/log/lastlog': 'x' }))).toEqual(['high WTMP-EMPTY']);
  expect(await codes(await system({ 'var/log/wtmp.1': 'x' }))).toEqual(['high WTMP-EMPTY']);
  expect(await codes(await system({}))).toEqual([]);
  expect(await codes(await system({ 'var/log/lastlog': 'x' }), { database: true })).toEqual([]);
});

test('WTMP-EMPTY: empty, and nothing was put aside; just rotated; a new system', async () => {
  expect(await codes(await system({ 'var/log/wtmp': '', 'var/log/btmp': '' }))).toEqual(['high WTMP-EMPTY']);
  expect(await codes(await system({ 'var/log/wtmp': '', 'var/log/wtmp.1': 'x' }))).toEqual([]);
  expect(await codes(await system({ 'var/log/wtmp': '', 'var/log/btmp': '' }, 3))).toEqual([]);
});

test('WTMP-TIMESTOMP: its time is older than its last row', async () => {
  const root = await system(WHOLE);
  const path = join(root, 'var/log/wtmp');
  await utimes(path, new Date(NOW - 5 * DAY), new Date(NOW - 5 * DAY));
  expect(await codes(root, { last: NOW - DAY })).toEqual(['medium WTMP-TIMESTOMP']);
  expect(await codes(root, { last: NOW - 5 * DAY + 30_000 })).toEqual([]);
});

test('HISTORY-GONE: a link to nowhere; emptied after sessions on a terminal', async () => {
  const root = await system({ ...WHOLE, 'home/alice/.bash_history': 'ls\n' });
  const path = join(root, 'home/alice/.bash_history');
  const session = visit(0, { hasTerminal: true, tty: 'pts/0', end: NOW });
  expect(await codes(root, { visits: [session] })).toEqual([]);
  await truncate(path);
  expect(await codes(root, { visits: [session] })).toEqual(['medium HISTORY-GONE']);
  // Nobody was there, or not on a terminal, or is still there.
  expect(await codes(root)).toEqual([]);
  expect(await codes(root, { visits: [visit(0, { end: NOW })] })).toEqual([]);
  expect(await codes(root, { visits: [{ ...session, end: undefined }] })).toEqual([]);
  await rename(path, `${path}.old`);
  await symlink('/dev/null', path);
  expect(await codes(root)).toEqual(['medium HISTORY-GONE']);
});
