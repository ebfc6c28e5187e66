import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLog } from '../../src/logins/log-file.js';
import { all, fixture, line, logFile, read, readFixture, UTC } from './lines.js';

const KEY = 'SHA256:TCyqLECDAeR/AIeAyRqTxqWWAvp58VIyjoa4zEYyy7I';

describe('the samples', () => {
  test('RFC 3164, over New Year: six logins of sshd, one of each other service, two names that play a login', async () => {
    const events = await readFixture('auth.rfc3164.log', '2026-01-01T00:18:00Z');
    expect(events.filter(({ kind }) => kind === 'login').map(line)).toEqual([
      `login 2025-12-31T23:58:01 alice 198.51.100.23 50122 2101 sshd publickey ${KEY}`,
      'login 2025-12-31T23:59:40 bob 203.0.113.77 40001 2150 sshd password',
      'login 2026-01-01T00:00:05 carol 2001:db8:5::42 51515 2177 sshd keyboard-interactive/pam',
      'login 2026-01-01T00:02:11 dave 192.0.2.9 33021 2190 sshd gssapi-with-mic dave@EXAMPLE.ORG',
      'login 2026-01-01T00:02:45 erin 192.0.2.10 1011 2195 sshd hostbased SHA256:wFQ0gkXyv0PyyFkFDoVg3l4vMrFuBTBPV0sFQxQaV5Q',
      'login 2026-01-01T00:03:02 deploy 203.0.113.5 60010 2199 sshd publickey SHA256:9wzIaf1g9u0g1x1l8m9bS2W2mHwC8J0pY4wq1pT0nTA',
      'login 2026-01-01T00:16:00 alice@example.org 203.0.113.44 dovecot plain',
      'login 2026-01-01T00:17:00 ftpuser 203.0.113.46 2600 vsftpd',
      'login 2026-01-01T00:18:00 root 203.0.113.47 41234 2700 dropbear publickey SHA256:abcdEFGH',
    ]);
    expect(events.filter(({ kind }) => kind !== 'login').map(line)).toEqual([
      'opened 2025-12-31T23:58:01 alice 2101',
      'logout 2026-01-01T00:10:59 alice 198.51.100.23 50122 2107',
      'logout 2026-01-01T00:10:59 alice 2101',
      'oddity 2026-01-01T00:12:30 injected',
      'oddity 2026-01-01T00:14:00 injected',
    ]);
  });

  test('ISO: the same logins, an hour ahead of UTC', async () => {
    const iso = await readFixture('auth.iso.log', '2020-01-01T00:00:00Z');
    const old = await readFixture('auth.rfc3164.log', '2026-01-01T00:18:00Z');
    const plain = (events: typeof iso) =>
      events.slice(0, 9).map((event) => ({ ...event, time: Math.floor((event.time ?? 0) / 1000), place: undefined }));
    expect(plain(iso)).toEqual(plain(old).map((event) => ({ ...event, time: event.time - 3600 })));
  });

  test('RFC 5424: structured data with an escaped bracket in it', async () => {
    const text = await readFile(fixture('auth.rfc5424.log'), 'utf8');
    expect((await read(text)).map(line)).toEqual([
      `login 2025-12-31T23:00:05 alice 198.51.100.23 50122 2177 sshd publickey ${KEY}`,
    ]);
    const accepted = text.replace(/Failed password for invalid user/, 'Accepted password for');
    expect((await read(accepted)).map(line)[1]).toBe(
      'login 2026-01-01T00:00:09 redmond 203.0.113.9 55555 2178 sshd password',
    );
  });

  test('what a real sshd sent to /dev/log: a login for each acceptance, a terminal where one was given', async () => {
    const text = await readFile(fixture('sshd92-syslog-datagrams.pyrepr.txt'), 'utf8');
    const lines = [...text.matchAll(/^b(['"])(.*)\1$/gm)].map(([, , content]) => `${content}\n`).join('');
    const events = await read(lines, '2026-11-21T12:00:00Z');
    const accepted = lines.split('\n').filter((each) => / Accepted (?:publickey|password) for /.test(each));
    expect(accepted.length).toBeGreaterThan(2);
    expect(events.filter(({ kind }) => kind === 'login')).toHaveLength(accepted.length);
    const terminals = events.filter((event) => event.kind === 'opened' && event.tty !== undefined);
    expect(terminals.length).toBe(lines.match(/ on pts\//g)?.length ?? 0);
  });

  test('a log of sshd -E, where a name with a line end makes a line of its own, is refused', async () => {
    await expect(readFixture('sshd92-E-file.log', '2026-01-01T00:00:00Z')).rejects.toMatchObject({
      code: 'bad-records',
    });
  });
});

const HEAD = 'Jan  1 00:00:01 web1 sshd[7]: ';

describe('what strangers write', () => {
  test.each([
    [
      'a login in a name',
      'Accepted password for root from 198.51.100.66 port 1 ssh2 from 203.0.113.200 port 45992 ssh2',
    ],
    ['a name that syslog escaped', 'Accepted password for x#012Accepted from 203.0.113.203 port 20001 ssh2'],
    ['an octal escape', 'Accepted password for x\\012y from 203.0.113.203 port 20001 ssh2'],
    ['words behind the end', 'Accepted password for root from 203.0.113.203 port 20001 ssh2 and more'],
    ['two ports', 'Accepted password for root from 203.0.113.203 port 1 port 2 ssh2'],
    [
      'an invalid user who is called so',
      'Invalid user Accepted password for root from 198.51.100.66 port 1 ssh2 from 203.0.113.200 port 45992',
    ],
  ])('%s is no login, and is told', async (_, message) => {
    expect((await read(`${HEAD}${message}\n`)).map(line)).toEqual(['oddity 2026-01-01T00:00:01 injected']);
  });

  test.each([
    [
      'a key that was only offered',
      'Accepted key ED25519 SHA256:abcdefghijklmnopqrstuvwxyz found at /home/a/.ssh/authorized_keys:1',
    ],
    ['one step of several', 'Postponed publickey for alice from 198.51.100.23 port 50200 ssh2 [preauth]'],
    ['a part of a login', 'Partial publickey for alice from 198.51.100.23 port 50200 ssh2'],
    ['an end before the login', 'Disconnected from authenticating user root 203.0.113.9 port 5 [preauth]'],
  ])('%s is nothing', async (_, message) => {
    expect(await read(`${HEAD}${message}\n`)).toEqual([]);
  });

  test.each(['mallory', 'sshd-fake', 'xsshd', 'sshd(pam_unix)'])('program %s is not sshd', async (program) => {
    expect(
      await read(`Jan  1 00:00:01 web1 ${program}: Accepted password for root from 6.6.6.6 port 1 ssh2\n`),
    ).toEqual([]);
  });

  test('a user whose name holds the fields of dovecot', async () => {
    const name = 'x, rip=6.6.6.6, lip=1>, method=PLAIN, rip=7.7.7.7, lip=2';
    const text = `Jan  1 00:00:01 web1 dovecot: imap-login: Login: user=<${name}>, method=PLAIN, rip=203.0.113.45, lip=192.0.2.1, mpid=2, TLS\n`;
    for (const event of await read(text)) expect(event).toMatchObject({ kind: 'login', address: '203.0.113.45' });
  });

  test('an address that is none stays a name', async () => {
    for (const host of ['evil.example', '1.2.3', '010.0.0.1', 'UNKNOWN', '0x7f.1']) {
      const [event] = await read(`${HEAD}Accepted password for root from ${host} port 1 ssh2\n`);
      expect(event).toMatchObject({ kind: 'login', peer: host });
      expect(event).not.toHaveProperty('address');
    }
  });

  test.each([
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8:0::42', '2001:db8::42'],
  ])('%s is %s', async (host, address) => {
    expect(await read(`${HEAD}Accepted password for a from ${host} port 1 ssh2\n`)).toMatchObject([{ address }]);
  });

  test('a megabyte without a line end, and one with thousands of logins in it, cost milliseconds', async () => {
    const login = 'Accepted password for root from 6.6.6.6 port 1 ssh2';
    const hostile = `${HEAD}${'x'.repeat(1 << 20)}\n${HEAD}${`${login} `.repeat(20_000)}\n${HEAD}${login}\n`;
    const start = performance.now();
    expect((await read(hostile)).map(line)).toEqual([
      'oddity 2026-01-01T00:00:01 injected',
      'login 2026-01-01T00:00:01 root 6.6.6.6 1 7 sshd password',
    ]);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('a line of many megabytes is passed over, and the next one is read', async () => {
    const text = Buffer.concat([
      Buffer.from(HEAD),
      Buffer.alloc(5 << 20, 'Accepted '),
      Buffer.from(`\n${HEAD}Accepted password for a from 6.6.6.6 port 1 ssh2\n`),
    ]);
    expect((await read(text)).map(line)).toEqual(['login 2026-01-01T00:00:01 a 6.6.6.6 1 7 sshd password']);
  });

  test('any bytes: nothing breaks, and nobody logs in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        const events = await read(Buffer.concat([Buffer.from(`${HEAD}x\n`), bytes]));
        expect(events.filter(({ kind }) => kind === 'login')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('any user and any words: a login is what sshd says, or it is none', async () => {
    const word = fc.string({ unit: fc.constantFrom(...'ab# \\01:,[]<>@.-'), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(word, word, async (user, tail) => {
        const message = `Failed password for invalid user ${user} from ${tail} port 9 ssh2 from 203.0.113.9 port 7 ssh2`;
        const events = await read(`${HEAD}Accepted ${message}\n${HEAD}${message}\n`);
        expect(events.filter(({ kind }) => kind === 'login')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a file', () => {
  const login = (i: number) => `${HEAD}Accepted password for u${i} from 203.0.113.9 port ${i + 1} ssh2\n`;

  test('packed is as it was', async () => {
    const text = Array.from({ length: 300 }, (_, i) => login(i)).join('');
    const path = await logFile(gzipSync(text), '2026-01-01T00:00:00Z', 'auth.log.2.gz');
    expect((await all(readLog(path, UTC))).map(line)).toEqual((await read(text)).map(line));
  });

  test('larger than all that is kept of it: every login, with its place', async () => {
    const filler = `${HEAD}Failed password for root from 198.51.100.7 port 22 ssh2\n`.repeat(2000);
    const text = Array.from({ length: 160 }, (_, i) => `${filler}${login(i)}`).join('');
    expect(text.length).toBeGreaterThan(1 << 24);
    const events = await read(text);
    expect(events).toHaveLength(160);
    for (const [i, { place }] of events.entries()) expect(place.at).toBe(text.indexOf(login(i)));
  });

  test('whose last line is not whole yet: that one waits', async () => {
    expect(await read(login(0) + login(1).trimEnd())).toHaveLength(1);
  });

  test('with the line ends of another system', async () => {
    expect(await read(login(0).replace('\n', '\r\n'))).toMatchObject([{ kind: 'login', user: 'u0' }]);
  });

  test.each([
    ['is empty', ''],
    ['has one line without an end', 'Jan'],
  ])('that %s tells nothing', async (_, text) => expect(await read(text)).toEqual([]));

  test('that is a folder, or is not there', async () => {
    await expect(all(readLog('/', UTC))).rejects.toMatchObject({ code: 'file-unreadable' });
    await expect(all(readLog('/nonexistent', UTC))).rejects.toMatchObject({ code: 'file-unreadable' });
  });
});

describe('failures before a login', () => {
  const at = (minute: number, message: string, pid = 9) =>
    `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z web1 sshd[${pid}]: ${message}\n`;
  const failed = (minute: number, address = '203.0.113.9') =>
    at(minute, `Failed password for invalid user root from 1.1.1.1 port 1 ssh2 from ${address} port 22 ssh2`);
  const login = (minute: number, address = '203.0.113.9') =>
    at(minute, `Accepted password for a from ${address} port 22 ssh2`);
  const count = async (text: string) => (await read(text)).filter(({ kind }) => kind === 'failure').length;

  test('of the same address within ten minutes', async () => {
    expect(await count(failed(1) + failed(5) + failed(6) + failed(7, '203.0.113.90') + login(15))).toBe(2);
  });

  test('who is repeated counts as often as he tried', async () => {
    const repeated = at(2, 'message repeated 4 times: [ Failed password for bob from 203.0.113.9 port 22 ssh2]');
    expect(await count(failed(1) + repeated + login(3))).toBe(5);
  });

  test('what came before an earlier login counts for that one', async () => {
    expect(await count(failed(1) + failed(1) + login(2) + failed(3) + login(4))).toBe(3);
  });

  test('an address that is only part of another, or stands in a name, does not count', async () => {
    expect(await count(failed(1, '1203.0.113.9') + failed(1, '203.0.113.91') + login(2))).toBe(0);
    expect(await count(failed(1, '203.0.113.5') + login(2, '1.1.1.1'))).toBe(0);
  });

  test('twenty of a thousand tell enough', async () => {
    expect(await count(failed(1).repeat(1000) + login(2))).toBe(20);
  });
});
