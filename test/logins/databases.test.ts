import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import initialise from 'sql.js';
import { describe, expect, test } from 'vitest';
import { readLastlog2 } from '../../src/logins/lastlog2.js';
import { readWtmpdb } from '../../src/logins/wtmpdb.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { eventsOf, fixture, NOW, T0, told } from './read.js';

/** The tables of libwtmpdb and liblastlog2. */
const WTMP =
  'CREATE TABLE wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER, Logout INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT) STRICT';
const LASTLOG2 =
  'CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT) STRICT';

async function database(...statements: readonly string[]): Promise<string> {
  const { Database } = await initialise();
  const made = new Database();
  for (const statement of statements) made.exec(statement);
  const path = join(await tempFolder(), 'wtmp.db');
  await writeFile(path, made.export());
  made.close();
  return path;
}

const sql = (value: string | number | null) => (typeof value === 'string' ? `'${value}'` : String(value));
/** seconds after T0 as wtmpdb has them */
const us = (seconds: number | null) => (seconds === null ? null : (T0 + seconds) * 1_000_000);

interface MadeRow {
  readonly id?: number;
  readonly type?: number;
  readonly user?: string;
  readonly login?: number | null;
  readonly logout?: number | null;
  readonly tty?: string | null;
  readonly host?: string | null;
  readonly service?: string | null;
}

async function rows(...made: readonly MadeRow[]): Promise<string[]> {
  const statements = made.map(
    ({
      id = null,
      type = 3,
      user = 'alice',
      login = 0,
      logout = null,
      tty = 'pts/0',
      host = '192.0.2.1',
      service = 'sshd',
    }) => `INSERT INTO wtmp VALUES(${[id, type, user, us(login), us(logout), tty, host, service].map(sql).join(',')})`,
  );
  return (await eventsOf(readWtmpdb(await database(WTMP, ...statements), NOW))).map(told);
}

describe('wtmpdb', () => {
  test('the sample', async () => {
    const ms = (seconds: number) => (T0 + seconds) * 1000;
    expect((await eventsOf(readWtmpdb(fixture('wtmp.db'), NOW))).map(told)).toEqual([
      'boot 1 0.111',
      `login 2 600.25 alice 198.51.100.23 pts/0 sshd ${ms(4200.75)}`,
      'login 3 900 bob 2001:db8:5::42 pts/1 sshd',
      `login 4 60 root tty1 login ${ms(6000)}`,
      `time-back 4 60 ${JSON.stringify({ before: ms(900), time: ms(60), user: 'root' })}`,
      `gap 7 60 ${JSON.stringify({ from: 5, to: 6, count: 2, before: ms(60) })}`,
      'login 7 -10000 carol 203.0.113.9 sshd',
      `ends-first 7 -10000 ${JSON.stringify({ login: ms(-10_000), logout: ms(-20_000), user: 'carol' })}`,
      `time-back 7 -10000 ${JSON.stringify({ before: ms(60), time: ms(-10_000), user: 'carol' })}`,
      'shutdown 1 7000',
    ]);
  });

  test('a shutdown comes before what is younger, and before the next start', async () => {
    const boot = { type: 1, user: 'reboot', tty: '~', host: '6.12', service: null };
    expect(
      await rows(
        { ...boot, logout: 100 },
        { login: 50 },
        { ...boot, login: 90, logout: 300 },
        { login: 300, user: 'bob' },
      ),
    ).toEqual([
      'boot 1 0',
      'login 2 50 alice 192.0.2.1 pts/0 sshd',
      'shutdown 1 100',
      'boot 3 90',
      'shutdown 3 300',
      'login 4 300 bob 192.0.2.1 pts/0 sshd',
    ]);
  });

  test('the oldest rows are rotated away; what is missing between is a gap', async () => {
    expect(await rows({ id: 40 }, { id: 41, login: 5 }, { id: 43, login: 9 })).toEqual([
      'login 40 0 alice 192.0.2.1 pts/0 sshd',
      'login 41 5 alice 192.0.2.1 pts/0 sshd',
      expect.stringMatching(/^gap 43 5 \{"from":42,"to":42,"count":1,/),
      'login 43 9 alice 192.0.2.1 pts/0 sshd',
    ]);
  });

  test('a login that sshd and PAM both wrote is one', async () => {
    const one = 'login 1 0 alice 192.0.2.1 pts/0 sshd';
    expect(await rows({}, { login: 1.9 })).toEqual([one]);
    expect(await rows({}, { login: 1, tty: 'ssh' })).toEqual([one]);
    const two = async (second: MadeRow, first: MadeRow = {}) => (await rows(first, second)).length;
    expect(await two({ login: 2 })).toBe(2);
    expect(await two({ login: 1, user: 'bob' })).toBe(2);
    expect(await two({ login: 1, host: '192.0.2.2' })).toBe(2);
    expect(await two({ login: 1, tty: 'pts/1' })).toBe(2);
    expect(await two({ login: 1, tty: 'ssh' }, { tty: 'ssh' })).toBe(2);
    expect(await two({ login: 1 }, { logout: 0.5 })).toBe(2);
  });

  test('rows of no known type or time are damage, levels say nothing, the future is told', async () => {
    expect(await rows({ type: 9 }, { type: 2 }, { login: null }, { login: NOW / 1000 - T0 + 90_000 })).toEqual([
      expect.stringMatching(/^damaged 1 - \{"type":9,"user":"alice"/),
      expect.stringMatching(/^damaged 3 - \{"type":3,"user":"alice"\}/),
      expect.stringMatching(/^login 4 /),
      expect.stringMatching(/^future 4 /),
    ]);
  });

  test('a name, a display and what is missing', async () => {
    expect(await rows({ host: 'vpn.example.net', service: null }, { user: 'bob', host: ':0', tty: null })).toEqual([
      'login 1 0 alice vpn.example.net pts/0 sshd',
      'login 2 0 bob :0 sshd',
    ]);
    expect(await rows()).toEqual([]);
  });
});

describe('lastlog2', () => {
  test('the sample', async () => {
    expect(await eventsOf(readLastlog2(fixture('lastlog2.db')))).toEqual([
      {
        kind: 'login',
        place: { kind: 'lastlog2', file: fixture('lastlog2.db'), at: 'alice' },
        time: (T0 + 600) * 1000,
        user: 'alice',
        address: '198.51.100.23',
        tty: 'pts/0',
        service: 'sshd',
        writer: 'root',
      },
    ]);
  });

  test('accounts that never came say nothing, a time that is none does', async () => {
    const path = await database(
      LASTLOG2,
      "INSERT INTO Lastlog2 VALUES('never', 0, NULL, NULL, NULL), ('null', NULL, NULL, NULL, NULL), ('odd', -5, '', '', '')",
      `INSERT INTO Lastlog2 VALUES('bob', ${T0}, 'tty1', '', '')`,
    );
    expect((await eventsOf(readLastlog2(path))).map(told)).toEqual([
      'login bob 0 bob tty1 login',
      'damaged odd - {"user":"odd","time":-5}',
    ]);
  });
});

test('databases of something else, and none at all', async () => {
  const problem = (path: string) => problemOf(() => eventsOf(readWtmpdb(path, NOW)));
  expect(await problem(fixture('lastlog2.db'))).toMatchObject({ code: 'database-version', exitStatus: 5 });
  const short = await problem(await database(WTMP.replace(', Logout INTEGER', '')));
  expect(short.message).toContain('has no Logout in its table wtmp');
  expect(await problem(fixture('wtmp.good'))).toMatchObject({ code: 'bad-database' });
  expect(await problem(join(await tempFolder(), 'none'))).toMatchObject({ code: 'file-unreadable' });
});
