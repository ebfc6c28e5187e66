import { copyFile, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../io/temp.js';
import { fixture } from '../logins/lines.js';
import { run } from '../system/processes.js';
import { CLI } from '../system/requirements.js';

/** A rescue copy made of the samples: a zeroed wtmp, a database with a hole, a log with two names that play a login. */
async function rescueCopy(): Promise<string> {
  const root = await tempFolder();
  const files = {
    'var/log/wtmp': 'wtmp.zeroed',
    'var/log/btmp': 'btmp.good',
    'var/log/auth.log': 'auth.rfc3164.log',
    'var/lib/wtmpdb/wtmp.db': 'wtmp.db',
    'var/lib/lastlog/lastlog2.db': 'lastlog2.db',
  };
  for (const [path, name] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(fixture(name), join(root, path));
  }
  // The log has no years: its last line is of the year in which it was changed.
  const changed = new Date('2026-01-01T01:00:00Z');
  await utimes(join(root, 'var/log/auth.log'), changed, changed);
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/timezone'), 'Etc/UTC\n');
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n');
  return root;
}

async function review(root: string, ...options: readonly string[]) {
  const state = await tempFolder();
  const place = ['env', '-C', state, `BLOCKLIST_STATE_DIR=${state}`, `BLOCKLIST_CACHE_DIR=${state}`];
  return run([...place, process.execPath, CLI, 'check', 'logins', '--host-root', root, ...options]);
}

test('a rescue copy of the samples: what happened, in order, and what to do next', async () => {
  const root = await rescueCopy();
  const { status, stdout, stderr } = await review(root);
  const [order = '', ...matters] = stdout.split('\n\n');
  expect(
    order
      .split('\n')
      .slice(1)
      .map((line) => line.slice(2, 25)),
  ).toEqual([
    '2025-06-15 12:20:00 UTC',
    '2025-06-15 12:20:00 UTC',
    '2025-06-15 15:07:40 UTC',
    '2025-06-15 15:07:40 UTC',
    '2025-06-15 15:16:40 UTC',
    '2025-06-15 16:33:20 UTC',
    '2026-01-01 00:12:30 UTC',
  ]);
  expect(
    matters.map((text) => [
      /^[A-Z]+/.exec(text)?.[0],
      /[0-9a-f]{12} {2}([A-Z-]+)/.exec(text)?.[1],
      /\n {2}do: \S/.test(text),
    ]),
  ).toEqual([
    ['HIGH', 'WTMP-ZEROED', true],
    ['HIGH', 'WTMP-DELETED-ROW', true],
    ['MEDIUM', 'WTMP-ORPHAN-LOGOUT', true],
    ['MEDIUM', 'WTMP-BAD-RECORD', true],
    ['LOW', 'WTMP-TIME-BACK', true],
    ['LOW', 'WTMP-TIME-BACK', true],
    ['INFO', 'LOG-INJECTION', true],
  ]);
  expect(stderr).toContain('17 logins of 9 users, 2025-06-15 12:20:00 UTC to 2026-01-01 00:18:00 UTC');
  expect(status).toBe(1);
});

test('a file that cannot be read is named, and the rest is told all the same', async () => {
  const root = await rescueCopy();
  await writeFile(join(root, 'var/lib/wtmpdb/wtmp.db'), 'no database');
  const { status, stdout } = await review(root, '--json');
  const [head = '', ...lines] = stdout.trim().split('\n');
  expect(JSON.parse(head)).toMatchObject({ complete: false, unread: [{ name: join(root, 'var/lib/wtmpdb/wtmp.db') }] });
  const found = lines.map((line) => JSON.parse(line).rule.id);
  expect(found).toContain('WTMP-ZEROED');
  expect(found).toContain('SRC-INCOMPLETE');
  expect(status).toBe(1);
});

test('a moment that no calendar has, in a journal that somebody sends, is no defect', async () => {
  const folder = await tempFolder();
  const entry = { __REALTIME_TIMESTAMP: '1e30', SYSLOG_IDENTIFIER: 'sshd', _UID: '1001', _EXE: '/usr/bin/logger' };
  const file = join(folder, 'export.json');
  await writeFile(
    file,
    `${JSON.stringify({ ...entry, MESSAGE: 'Accepted password for a from 192.0.2.1 port 1 ssh2' })}\n`,
  );
  for (const options of [[], ['--json']]) {
    const place = ['env', `BLOCKLIST_STATE_DIR=${folder}`, `BLOCKLIST_CACHE_DIR=${folder}`, process.execPath, CLI];
    const { status, stdout, stderr } = await run([...place, 'check', 'logins', '--file', file, ...options], {
      cwd: folder,
    });
    expect(stderr).not.toContain('defect');
    expect(stdout).toContain('LOG-FORGED');
    expect(status).toBe(1);
  }
});
