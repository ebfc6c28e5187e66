import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { LoginEvent } from '../../src/logins/event.js';
import { readJournal } from '../../src/logins/journal.js';
import { must, run } from './processes.js';
import { CLI, describeSystem, systemTest } from './requirements.js';

const REMOTE = '/lib/systemd/systemd-journal-remote';
const ACCEPTED = 'Accepted password for bob from 203.0.113.77 port 40001 ssh2';

/** An entry as systemd.journal-export has it: a field a line; a message with a line end in it as bytes with their length (systemd.io, JOURNAL_EXPORT_FORMATS). */
function entry(seconds: number, message: string, fields: Readonly<Record<string, string>>): Buffer {
  const time = Date.UTC(2026, 0, 1) * 1000 + seconds * 1e6;
  const all = {
    __REALTIME_TIMESTAMP: time,
    __MONOTONIC_TIMESTAMP: seconds * 1e6,
    _BOOT_ID: '0'.repeat(31).concat('1'),
    _TRANSPORT: 'syslog',
    ...fields,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
  const bytes = Buffer.from(message, 'latin1');
  const length = Buffer.alloc(8);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from(`${head.join('')}MESSAGE\n`), length, bytes, Buffer.from('\n\n')]);
}

const sshd = { SYSLOG_IDENTIFIER: 'sshd', _PID: '2177', _UID: '0', _COMM: 'sshd', _EXE: '/usr/sbin/sshd' };
const logger = { SYSLOG_IDENTIFIER: 'sshd', _PID: '3000', _UID: '1001', _COMM: 'logger', _EXE: '/usr/bin/logger' };

describeSystem('a real file of journald', ['journalctl', REMOTE], () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blocklist-journal-'));
    file = join(folder, 'system.journal');
    const entries = [
      entry(1, ACCEPTED, sshd),
      entry(2, 'pam_unix(sshd:session): session opened for user bob(uid=1000) by (uid=0)', sshd),
      entry(3, 'Accepted password for root from 198.51.100.250 port 4 ssh2', logger),
      entry(4, `Invalid user x\n${ACCEPTED}`, sshd),
      entry(5, 'Invalid user \xff\x1b[31m from 203.0.113.9 port 7', sshd),
      entry(6, ACCEPTED, { ...sshd, SYSLOG_IDENTIFIER: 'cron' }),
      entry(90, `Accepted password for late from 203.0.113.78 port 40002 ssh2`, { ...sshd, _PID: '2200' }),
    ];
    await writeFile(join(folder, 'export'), Buffer.concat(entries));
    await must([REMOTE, '-o', file, join(folder, 'export')]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const place = () => [
    'env',
    `BLOCKLIST_STATE_DIR=${folder}/state`,
    `BLOCKLIST_CACHE_DIR=${folder}/cache`,
    process.execPath,
    CLI,
  ];

  async function read(since?: number): Promise<LoginEvent[]> {
    const events: LoginEvent[] = [];
    for await (const event of readJournal({ argv: ['--file', file], name: 'journal' }, since)) events.push(event);
    return events;
  }

  systemTest(
    'the login, and what pam says of it; the line of logger is told as forged; a line end makes no login',
    [],
    async () => {
      const seen = (await read()).map((event) => [
        event.kind,
        'user' in event ? event.user : 'code' in event ? event.code : '',
      ]);
      expect(seen).toEqual([
        ['login', 'bob'],
        ['opened', 'bob'],
        ['oddity', 'forged'],
        ['login', 'late'],
      ]);
    },
  );

  systemTest('only what came since', [], async () => {
    expect((await read(Date.UTC(2026, 0, 1, 0, 1))).map((event) => 'user' in event && event.user)).toEqual(['late']);
  });

  systemTest('the command finds it below another root, and as a file that somebody names', [], async () => {
    const root = join(folder, 'root');
    await mkdir(join(root, 'var/log/journal/0123456789abcdef0123456789abcdef'), { recursive: true });
    await must(['cp', file, join(root, 'var/log/journal/0123456789abcdef0123456789abcdef/system.journal')]);
    for (const where of [
      ['--host-root', root],
      ['--file', file],
    ]) {
      const ran = await run([...place(), 'check', 'logins', '--json', ...where], { cwd: folder });
      const [head = '{}', ...lines] = ran.stdout.trim().split('\n');
      expect(JSON.parse(head)).toMatchObject({ complete: true, logins: 2 });
      expect(lines.map((line) => JSON.parse(line).rule.id)).toEqual(['LOG-FORGED']);
      expect(ran.status).toBe(1);
    }
  });

  systemTest('a damaged one is not clean', [], async () => {
    const damaged = join(folder, 'damaged.journal');
    await writeFile(damaged, Buffer.concat([Buffer.from('LPKSHHRH'), Buffer.alloc(4096, 7)]));
    const ran = await run([...place(), 'check', 'logins', '--file', damaged], { cwd: folder });
    expect(ran.status).toBe(3);
    expect(ran.stderr).toContain('NOT looked at');
  });
});
