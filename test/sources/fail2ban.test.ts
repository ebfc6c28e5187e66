import { closeSync, openSync, writeSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../src/errors.js';
import { formatPrefix } from '../../src/ip/index.js';
import type { BansRead } from '../../src/sources/bans/contract.js';
import { bansOfFail2ban, type Fail2banEnvironment } from '../../src/sources/bans/fail2ban.js';
import { tempFolder } from '../io/temp.js';
import { fail2banBytes, type MadeBan, writeFail2ban } from './fail2ban-database.js';

const NOW = Date.UTC(2026, 10, 24, 3, 0, 0);
const at = NOW / 1000;
const DAY = 86_400;

async function read(
  bans: readonly MadeBan[],
  settings: object = {},
  environment: Partial<Fail2banEnvironment> = {},
): Promise<BansRead> {
  const folder = await tempFolder();
  const database = join(folder, 'fail2ban.sqlite3');
  await writeFail2ban(database, bans);
  const reader = bansOfFail2ban({ database, ...settings }, { state: folder, now: () => NOW, ...environment });
  return (await reader.read(undefined)) as BansRead;
}

const shown = ({ bans }: BansRead) =>
  bans.map(({ prefix, until }) => `${formatPrefix(prefix)} ${until === undefined ? 'for good' : until - NOW}`);

describe('what is in force', () => {
  test('remaining time becomes the end, and -1 is for good', async () => {
    const found = await read([
      { ip: '45.9.1.1', at: at - 100 },
      { ip: '45.9.1.2', at: at - 600 },
      { ip: '45.9.1.3', at: at - 599 },
      { ip: '45.9.1.4', at: at - 9 * DAY, bantime: -1 },
      { ip: '2a00:1::7', at, bantime: 3600, jail: 'recidive', count: 4 },
      { ip: '45.9.2.0/24', at },
    ]);
    expect(shown(found)).toEqual([
      '45.9.1.1 500000',
      '45.9.1.3 1000',
      '45.9.1.4 for good',
      '2a00:1::7 3600000',
      '45.9.2.0/24 600000',
    ]);
    expect(found.bans[3]).toMatchObject({ by: 'fail2ban recidive', count: 4, since: NOW });
    expect(found).toMatchObject({ rejected: 0, date: NOW });
  });

  test('a ban time that an upgrade of fail2ban left unknown is ten minutes', async () => {
    expect(shown(await read([{ ip: '45.9.1.1', at, bantime: -2 }]))).toEqual(['45.9.1.1 600000']);
    expect(shown(await read([{ ip: '45.9.1.1', at: at - 601, bantime: -2 }]))).toEqual([]);
  });

  test('an end beyond every calendar is for good', async () => {
    expect(shown(await read([{ ip: '45.9.1.1', at, bantime: 2 ** 50 }]))).toEqual(['45.9.1.1 for good']);
  });

  test('only the jails that are named', async () => {
    const bans = ['sshd', 'postfix', 'recidive'].map((jail, i) => ({ ip: `45.9.1.${i}`, jail, at }));
    expect(shown(await read(bans, { jails: ['sshd', 'recidive'] }))).toEqual(['45.9.1.0 600000', '45.9.1.2 600000']);
    expect(shown(await read(bans, { jails: ['ssh'] }))).toEqual([]);
  });

  test('rows that are no addresses or no times are counted, and never run', async () => {
    const found = await read([
      { ip: 'host.example.net', at },
      { ip: '010.0.0.1', at },
      { ip: "'; DROP TABLE bips; --", at },
      { ip: '\u001b[2J45.9.1.1\n', at },
      { ip: null, at },
      { ip: '45.9.1.5', at: 'soon' },
      { ip: '45.9.1.6', at: -1 },
      { ip: '45.9.1.7', at, bantime: 'long' },
      { ip: '45.9.1.8', at: 2 ** 60 },
      { ip: '45.9.1.9', at, bantime: -77 },
      { ip: '45.9.1.10', at },
    ]);
    expect(shown(found)).toEqual(['45.9.1.10 600000']);
    expect(found.rejected).toBe(10);
    expect(found.samples).toHaveLength(5);
    expect(found.samples[0]).toEqual({ line: 1, text: 'host.example.net', reason: 'not an address' });
  });

  test('an empty database of fail2ban holds no ban, and that is an answer', async () => {
    expect(shown(await read([]))).toEqual([]);
  });
});

describe('what cannot be read', () => {
  const failing = async (bytes: Uint8Array, name = 'fail2ban.sqlite3') => {
    const folder = await tempFolder();
    const database = join(folder, name);
    await writeFile(database, bytes);
    const reader = bansOfFail2ban({ database }, { state: folder, now: () => NOW });
    const error = await reader.read(undefined).catch((thrown: unknown) => thrown);
    if (!(error instanceof BlocklistError)) throw new Error('it was read');
    return error;
  };
  const many = Array.from({ length: 300 }, (_, i) => ({ ip: `45.9.${i >> 8}.${i & 255}`, at }));

  test('no file', async () => {
    const reader = bansOfFail2ban({ database: '/nonexistent/f2b' }, { state: '/nonexistent', now: () => NOW });
    await expect(reader.read(undefined)).rejects.toMatchObject({ code: 'file-unreadable', where: '/nonexistent/f2b' });
  });
  test('an empty file', async () => {
    expect(await failing(new Uint8Array())).toMatchObject({
      code: 'bad-database',
      message: expect.stringMatching(/empty/),
    });
  });
  test('another kind of file', async () => {
    expect((await failing(Buffer.from('45.9.1.7\n'.repeat(200)))).code).toBe('bad-database');
  });
  test.each([0.25, 0.5, 0.9])('cut off at %d of its size', async (share) => {
    const bytes = await fail2banBytes(many);
    expect((await failing(bytes.subarray(0, bytes.length * share))).code).toBe('bad-database');
  });
  test('garbage in the middle', async () => {
    const bytes = await fail2banBytes(many);
    bytes.fill(0xa5, 4096 * 3, 4096 * 4);
    expect((await failing(bytes)).code).toBe('bad-database');
  });
  test('a newer schema, and one from before 0.11', async () => {
    expect(await failing(await fail2banBytes(many, 5))).toMatchObject({
      code: 'database-version',
      message: expect.stringMatching(/version 5/),
      hint: 'install a newer blocklist',
    });
    expect(await failing(await fail2banBytes([], 2))).toMatchObject({ code: 'database-version' });
  });
  test('one that changes while it is read, every time', async () => {
    const folder = await tempFolder();
    const database = join(folder, 'fail2ban.sqlite3');
    const bytes = await fail2banBytes(many);
    let isOn = true;
    // In place, and never twice the same: another count of changes in the header (fileformat2.html, section 1.3.7).
    await writeFile(database, bytes);
    const file = openSync(database, 'r+');
    const write = () => {
      bytes.writeUInt32BE(bytes.readUInt32BE(24) + 1, 24);
      writeSync(file, bytes, 24, 4, 24);
      if (isOn) setImmediate(write);
      else closeSync(file);
    };
    write();
    const reader = bansOfFail2ban({ database }, { state: folder, now: () => NOW });
    const error = await reader.read(undefined).catch((thrown: unknown) => thrown);
    isOn = false;
    expect(error).toMatchObject({ code: 'database-busy', message: expect.stringContaining('changes all the time') });
  });
  test('a database of something else', async () => {
    const bytes = await fail2banBytes([]);
    const other = Buffer.from(bytes.toString('latin1').replaceAll('fail2banDb', 'fail2banXX'), 'latin1');
    expect((await failing(other)).code).toBe('bad-database');
  });
});

describe('who comes again and again', () => {
  const days = (...ago: number[]) => ago.map((n) => ({ ip: '45.9.1.1', at: at - n * DAY }));

  test('by the count of fail2ban', async () => {
    const bans = [3, 4, 5].map((count) => ({ ip: `45.9.1.${count}`, at: at - 5000, count }));
    expect(shown(await read(bans, { 'permanent-after': 4 }))).toEqual(['45.9.1.4 for good', '45.9.1.5 for good']);
    expect(shown(await read(bans))).toEqual([]);
  });

  test('by days, which are remembered when fail2ban has forgotten them', async () => {
    const state = await tempFolder();
    const settings = { 'permanent-after': 3 };
    expect(shown(await read(days(5, 4), settings, { state }))).toEqual([]);
    expect(shown(await read(days(4), settings, { state }))).toEqual([]);
    expect(shown(await read(days(2), settings, { state }))).toEqual(['45.9.1.1 for good']);
    expect(shown(await read([], settings, { state }))).toEqual(['45.9.1.1 for good']);
    const file = join(state, 'fail2ban-repeaters.txt');
    const text = await readFile(file, 'utf8');
    expect(text.split('\n').slice(1)).toEqual(['45.9.1.1 1 2026-11-19 2026-11-20 2026-11-22', '']);
    const { mtimeMs } = await stat(file);
    await read([], settings, { state });
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    // A line that a person takes away is forgotten.
    await writeFile(file, '# nothing\n');
    expect(shown(await read(days(1), settings, { state }))).toEqual([]);
  });

  test('who only looks writes nothing down', async () => {
    const state = await tempFolder();
    expect(shown(await read(days(2, 1, 0), { 'permanent-after': 3 }, { state, memory: 'left' }))).toContain(
      '45.9.1.1 for good',
    );
    expect(await readdir(state)).toEqual([]);
  });

  test('many bans on one day are one day', async () => {
    const bans = [1, 2, 3, 4].map((n) => ({ ip: '45.9.1.1', at: at - 7000 - n }));
    expect(shown(await read(bans, { 'permanent-after': 2 }))).toEqual([]);
  });

  test('only in the jails that are named', async () => {
    const bans = [1, 2, 3].map((n) => ({ ip: '45.9.1.1', jail: 'mail', at: at - n * DAY, count: 9 }));
    expect(shown(await read(bans, { 'permanent-after': 2, jails: ['sshd'] }))).toEqual([]);
  });

  test('who is quiet for a year is forgotten, and who is banned for good is not', async () => {
    const state = await tempFolder();
    const settings = { 'permanent-after': 3 };
    await writeFile(
      join(state, 'fail2ban-repeaters.txt'),
      '45.9.1.1 1 2025-11-23 2025-11-22\n45.9.1.2 1 2025-11-24\n45.9.1.3 3 2020-01-01\n',
    );
    expect(shown(await read([], settings, { state }))).toEqual(['45.9.1.3 for good']);
    const lines = (await readFile(join(state, 'fail2ban-repeaters.txt'), 'utf8')).trim().split('\n').slice(1);
    expect(lines).toEqual(['45.9.1.2 1 2025-11-24', '45.9.1.3 3 2020-01-01']);
  });

  test('whatever a filter captured, what is written can be read again', async () => {
    const state = await tempFolder();
    const settings = { 'permanent-after': 3 };
    const bans = [
      { ip: '2A00:1::0:7', at: at - 5000, count: 4 },
      { ip: '2a00:1::7', at: at - DAY - 5000, count: 2 },
      { ip: '45.9.1.1', at: at - 5000, count: 2 ** 40 },
      { ip: 'root 4 2026-11-24\n45.9.1.9', at: at - 5000, count: 4 },
    ];
    for (const _ of [1, 2]) {
      expect(shown(await read(bans, settings, { state }))).toEqual(['2a00:1::7 for good', '45.9.1.1 for good']);
    }
    const lines = (await readFile(join(state, 'fail2ban-repeaters.txt'), 'utf8')).trim().split('\n').slice(1);
    expect(lines).toEqual(['2a00:1::7 4 2026-11-23 2026-11-24', '45.9.1.1 999999999 2026-11-24']);
  });

  test.each(['45.9.1.1 3', 'x 1 2026-01-01', '45.9.1.1 1 2026-99-01', '45.9.1.1 1 2026-01-01 x'])(
    'a damaged line is told and nobody forgotten: %s',
    async (line) => {
      const state = await tempFolder();
      const file = join(state, 'fail2ban-repeaters.txt');
      await writeFile(file, `# head\n${line}\n`);
      await expect(read([], { 'permanent-after': 3 }, { state })).rejects.toMatchObject({
        code: 'state-invalid',
        where: `${file}:2`,
        // The file may be a link to another one.
        message: expect.not.stringContaining(line),
      });
      expect(await readFile(file, 'utf8')).toBe(`# head\n${line}\n`);
    },
  );
});
