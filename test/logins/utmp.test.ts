import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { LoginEvent } from '../../src/logins/event.js';
import { readUtmp } from '../../src/logins/utmp-file.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { eventsOf, NOW, readBytes, T0, told } from './read.js';
import { fileOf, type MadeRecord, recordBytes, sshLogin } from './records.mjs';

const lines = async (records: readonly MadeRecord[], kind?: 'wtmp' | 'btmp' | 'utmp') =>
  (await readBytes(fileOf(records), kind)).map(told);
const login = (some: Partial<MadeRecord>) => sshLogin({ seconds: T0, ...some });
const v6 = (...words: readonly number[]) =>
  words.flatMap((word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255));

describe('who was at the other end', () => {
  const cases: readonly (readonly [what: string, address: readonly number[], host: string, told: string])[] = [
    ['IPv4', [192, 0, 2, 9], '192.0.2.9', '192.0.2.9'],
    ['IPv4 and a name', [192, 0, 2, 9], 'vpn.example.net', '192.0.2.9'],
    ['IPv6', v6(0x20010db8, 0, 0, 1), '2001:db8::1', '2001:db8::1'],
    ['::1', v6(0, 0, 0, 1), '::1', '::1'],
    ['IPv4-mapped', v6(0, 0, 0xffff, 0xc0000209), '192.0.2.9', '192.0.2.9'],
    ['IPv4-mapped on both sides', v6(0, 0, 0xffff, 0xc0000209), '::ffff:192.0.2.9', '192.0.2.9'],
    ['IPv6 that ends in zeros, told by its text', v6(0x20010db8), '2001:db8::', '2001:db8::'],
    ['the same bytes without it', v6(0x20010db8), '', '32.1.13.184'],
    ['the same bytes and a name', v6(0x20010db8), 'cafe.example', '32.1.13.184'],
    ['the text alone', [], '198.51.100.7', '198.51.100.7'],
    ['the text alone, mapped', [], '::ffff:198.51.100.7', '198.51.100.7'],
    ['the text alone, with a zone', [], 'fe80::1%eth0', 'fe80::1'],
    ['a name alone', [], 'vpn.example.net', 'vpn.example.net'],
    ['a name that begins as an address', [], '198.51.100.7.example.net', '198.51.100.7.example.net'],
    ['not quite an address', [], '1.2.3', '1.2.3'],
    ['hexadecimal alone', [], 'beef', 'beef'],
    ['a full field', [192, 0, 2, 9], 'h'.repeat(256), '192.0.2.9'],
  ];
  for (const [what, address, host, other] of cases) {
    test(what, async () => {
      const isName = address.length === 0 && /^(?:vpn|198.*net|1\.2\.3$|beef)/.test(host);
      const [event] = await readBytes(fileOf([login({ address, host })]));
      const expected = isName ? { peer: other } : { address: other };
      expect(event).toMatchObject(expected);
      expect(Object.keys(event!)).not.toContain(isName ? 'address' : 'peer');
      expect(event).toMatchObject({ service: 'sshd', tty: 'pts/0' });
    });
  }

  test('another address in the text than in the bytes', async () => {
    for (const [address, host] of [
      [[192, 0, 2, 9], '192.0.2.10'],
      [[192, 0, 2, 9], '192.0.2.99'],
      [v6(0x20010db8, 0, 0, 1), '2001:db8::2'],
      [[32, 1, 13, 184], '2001:db8:1::'],
    ] as const) {
      const [, odd] = await readBytes(fileOf([login({ address, host })]));
      expect(odd).toMatchObject({ kind: 'oddity', code: 'two-addresses', facts: { text: host, user: 'alice' } });
    }
  });

  test('who let somebody in, as far as the line tells', async () => {
    const of = async (line: string, host = '') =>
      (await lines([login({ line, host, address: [], user: 'u', pid: 0 })]))[0]?.split(' u ')[1];
    expect(await of('pts/3', '192.0.2.1')).toBe('192.0.2.1 pts/3 sshd');
    expect(await of('pts/3')).toBe('pts/3 login');
    expect(await of('pts/3', ':pts/1:S.0')).toBe(':pts/1:S.0 pts/3 login');
    expect(await of('pts/3', 'tmux(812).%0')).toBe('tmux(812).%0 pts/3 login');
    expect(await of(':0', ':0')).toBe(':0 :0 login');
    expect(await of('tty1')).toBe('tty1 login');
    expect(await of('ftpd4711', '192.0.2.1')).toBe('192.0.2.1 ftpd');
    expect(await of('vsftpd:4711', '192.0.2.1')).toBe('192.0.2.1 vsftpd');
    expect(await of('web console', '192.0.2.1')).toBe('192.0.2.1 cockpit');
    // Unknown here, yet a login: it must not pass for damage.
    expect(await of('strange7', '192.0.2.1')).toBe('192.0.2.1 strange7 login');
  });
});

describe('what a record says of the machine', () => {
  const row = (type: number, seconds: number, some: Partial<MadeRecord> = {}): MadeRecord => ({
    type,
    line: '~',
    id: '~~',
    seconds: T0 + seconds,
    ...some,
  });

  test('starts, shutdowns and clock changes', async () => {
    const told = await lines([
      row(2, 0, { user: 'reboot' }),
      row(1, 5, { user: 'runlevel', pid: 53 }),
      row(1, 100, { user: 'runlevel', pid: 54 + 256 * 53 }),
      row(1, 101, { user: 'shutdown' }),
      row(2, 200, { user: 'reboot' }),
      row(4, 300, { line: '|', id: '' }),
      row(3, 301, { line: '{', id: '' }),
      row(5, 302, { line: '', id: 'si', pid: 9 }),
      row(6, 303, { line: 'tty1', user: 'LOGIN' }),
    ]);
    expect(told).toEqual([
      'boot 0 0',
      'shutdown 768 100',
      'shutdown 1152 101',
      'boot 1536 200',
      'clock 1920 300',
      'clock 2304 301',
    ]);
  });

  const back = async (records: readonly MadeRecord[], kind?: 'wtmp' | 'utmp') =>
    (await readBytes(fileOf(records), kind)).flatMap((event) =>
      event.kind === 'oddity' ? [`${event.code} ${event.place.at}`] : [],
    );
  const at = (seconds: number) => login({ seconds: T0 + seconds });

  test('back in time, by more than a minute', async () => {
    expect(await back([at(1000), at(940)])).toEqual([]);
    expect(await back([at(1000), at(939)])).toEqual(['time-back 384']);
    expect(await back([at(1000), at(0), at(1001)])).toEqual(['time-back 384']);
    expect(await back([at(1000), at(0)], 'utmp')).toEqual([]);
  });

  test('a machine without a clock goes back when it starts, and every one when it is set', async () => {
    expect(await back([at(1000), row(2, 0), at(1)])).toEqual([]);
    expect(await back([at(1000), at(0), row(2, 1)])).toEqual([]);
    expect(await back([at(1000), row(4, 1000, { line: '|' }), row(3, 0, { line: '{' }), at(1)])).toEqual([]);
    expect(await back([at(1000), row(4, 1000, { line: '|' }), at(1)])).toEqual([]);
    expect(await back([at(1000), row(2, 0), at(500), at(1)])).toEqual(['time-back 1152']);
  });

  test('a machine that believes in 1970 is read, between records', async () => {
    const early = row(2, 7 - T0, { user: 'reboot' });
    expect(await lines([at(0), early, { ...at(0), seconds: 30 }, at(5)])).toMatchObject(
      [/^login 0 /, /^boot 384 /, /^login 768 /, /^login 1152 /].map((pattern) => expect.stringMatching(pattern)),
    );
  });

  test('the future does not make what follows old; seconds beyond 2038 are read', async () => {
    const later = login({ seconds: 4_000_000_000 });
    expect(await back([at(0), later, at(10)])).toEqual(['future 384']);
    expect((await readBytes(fileOf([at(0), later])))[1]).toMatchObject({ time: 4_000_000_000_000 });
    expect(await back([{ ...at(0), seconds: NOW / 1000 + 86_400 }])).toEqual([]);
    expect(await back([{ ...at(0), seconds: NOW / 1000 + 86_401 }])).toEqual(['future 0']);
  });

  test('zeros: each run once, with what stands around it, at the end too; a table of who is there has free places', async () => {
    const file = Buffer.concat([
      ...[Buffer.alloc(384), recordBytes(at(1)), Buffer.alloc(2 * 384), recordBytes(at(9)), Buffer.alloc(384)],
    ]);
    const odd = (await readBytes(file)).filter(({ kind }) => kind === 'oddity');
    const ms = (seconds: number) => (T0 + seconds) * 1000;
    expect(odd).toMatchObject([
      { code: 'zeroed', place: { at: 0 }, time: ms(1), facts: { count: 1, after: ms(1) } },
      { code: 'zeroed', place: { at: 768 }, time: ms(1), facts: { count: 2, before: ms(1), after: ms(9) } },
      { code: 'zeroed', place: { at: 1920 }, time: ms(9), facts: { count: 1, before: ms(9), after: undefined } },
    ]);
    expect((await readBytes(file, 'utmp')).map(({ kind }) => kind)).toEqual(['login', 'login']);
    expect(await readBytes(Buffer.alloc(384_000))).toMatchObject([{ code: 'zeroed', facts: { count: 1000 } }]);
  });

  test('failures of both kinds, with names as they were typed', async () => {
    const failed = { line: 'ssh:notty', id: '', user: 'é\n', pid: 5 };
    expect(await lines([login({ type: 6, ...failed }), login({ type: 7, ...failed })], 'btmp')).toEqual([
      'failure 0 0 é\n 198.51.100.23 5 sshd',
      'failure 384 0 é\n 198.51.100.23 5 sshd',
    ]);
  });
});

describe('files that cannot be read as records', () => {
  const folder = () => tempFolder();
  const problem = (path: string, cap?: number) => problemOf(() => eventsOf(readUtmp(path, 'wtmp', NOW, cap)));

  test('of something else', async () => {
    const text = Buffer.from('Jun 15 15:06:40 host sshd[12]: Accepted password for root\n'.repeat(40));
    expect(await problemOf(() => readBytes(text))).toMatchObject({ code: 'bad-records', exitStatus: 5 });
    expect(await problemOf(() => readBytes(Buffer.from(text.buffer, 0, 400)))).toMatchObject({ code: 'bad-records' });
  });

  test('none, a folder, a pipe: said without waiting', async () => {
    const root = await folder();
    expect(await problem(join(root, 'none'))).toMatchObject({ code: 'file-unreadable', where: join(root, 'none') });
    await mkdir(join(root, 'dir'));
    expect(await problem(join(root, 'dir'))).toMatchObject({ code: 'file-unreadable' });
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect((await problem(join(root, 'pipe'))).message).toContain('not a regular file');
  });

  test('packed ones that are cut off or too large: what was read is told first', async () => {
    const root = await folder();
    const path = join(root, 'wtmp.1.gz');
    const many = fileOf(Array.from({ length: 20_000 }, (_, i) => login({ seconds: T0 + i, pid: (i * 7919) % 32_768 })));
    writeFileSync(path, gzipSync(many).subarray(0, -2000));
    const seen: LoginEvent[] = [];
    const read = async (cap?: number) => {
      seen.length = 0;
      for await (const event of readUtmp(path, 'wtmp', NOW, cap)) seen.push(event);
    };
    expect(await problemOf(() => read())).toMatchObject({ code: 'bad-gzip', where: path });
    expect(seen.length).toBeGreaterThan(1000);
    writeFileSync(path, gzipSync(many));
    expect(await problemOf(() => read(1_000_000))).toMatchObject({ code: 'too-large', where: path });
    expect(seen.length).toBeGreaterThan(1000);
    await read();
    expect(seen).toHaveLength(20_000);
  });
});
