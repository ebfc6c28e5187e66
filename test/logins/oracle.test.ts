import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { readUtmp } from '../../src/logins/utmp-file.js';
import { tempFolder } from '../io/temp.js';
import { runs } from '../ip/arbitraries.js';
import { systemTest } from '../system/requirements.js';
import { eventsOf, fixture, NOW, T0 } from './read.js';
import { fileOf, type MadeRecord } from './records.mjs';

const ENV = { ...process.env, TZ: 'UTC', LC_ALL: 'C' };
const ask = (program: string, ...args: readonly string[]) =>
  execFileSync(program, args, { env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** A login or logout in the form in which the two are compared. */
const line = (type: number, pid: number, tty: string, user: string, address: string, time: number) =>
  [type, pid, tty, user, address, time].join(' ');

/** Only what utmpdump shows without loss: it writes `?` for control characters and 0.0.0.0 for none. */
const record: fc.Arbitrary<MadeRecord> = fc.record({
  type: fc.constantFrom(7, 8),
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  line: fc.integer({ min: 0, max: 99 }).map((n) => `pts/${n}`),
  user: fc.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/),
  host: fc.stringMatching(/^([a-z][a-z0-9]{0,20}\.example)?$/),
  seconds: fc.integer({ min: T0, max: 2 ** 31 - 1 }),
  micros: fc.integer({ min: 0, max: 999_999 }),
  address: fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 255 }), fc.nat(255), fc.nat(255), fc.nat(255)),
    fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 16, maxLength: 16 }),
  ),
});

const DUMPED = /^\[(\d)\] \[(\d+)\] \[.{4}\] \[(.+?) *\] \[(.+?) *\] \[.*?\] \[(.+?) *\] \[(\S+),(\d{6})\+00:00\]$/;

function dumped(file: string): string[] {
  return ask('utmpdump', file)
    .trim()
    .split('\n')
    .map((text) => {
      const [, type, pid, user = '', tty = '', address = '', time, micros] = DUMPED.exec(text) ?? [];
      expect(text).toMatch(DUMPED);
      return line(Number(type), Number(pid), tty, user, address, Date.parse(`${time}.${micros?.slice(0, 3)}Z`));
    });
}

async function ours(file: string): Promise<string[]> {
  const events = await eventsOf(readUtmp(file, 'wtmp', NOW));
  return events.flatMap((event) => {
    if (event.kind !== 'login' && event.kind !== 'logout') return [];
    const { kind, pid = 0, tty = '', user = '', address = '', time } = event;
    return [line(kind === 'login' ? 7 : 8, pid, tty, user, address, time)];
  });
}

systemTest('utmpdump reads the same from what the tests write', ['utmpdump'], async () => {
  const path = join(await tempFolder(), 'wtmp');
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 60 }), async (records) => {
      writeFileSync(path, fileOf(records));
      expect(await ours(path)).toEqual(dumped(path));
    }),
    runs(20),
  );
});

systemTest('what utmpdump writes is read', ['utmpdump'], async () => {
  const path = join(await tempFolder(), 'wtmp');
  const text = ask('utmpdump', fixture('wtmp.good'));
  writeFileSync(path, execFileSync('utmpdump', ['-r'], { env: ENV, input: text, stdio: ['pipe', 'pipe', 'ignore'] }));
  expect(await ours(path)).toEqual(await ours(fixture('wtmp.good')));
});

/** `alice    pts/0        198.51.100.23    2025-06-15T17:46:40+00:00   gone - no logout` */
const LAST = /^(\S+) +(\S+) +(\S+) +(\d{4}-\S+)\+00:00/;

systemTest('last lists the same logins, from the end', ['last'], async () => {
  for (const name of ['wtmp.good', 'wtmp.backwards', 'wtmp.v6', 'wtmp.orphan-logout', 'wtmp.real-sshd']) {
    const listed = ask('last', '-f', fixture(name), '--time-format', 'iso', '-w', '-i')
      .split('\n')
      .flatMap((text) => {
        const [, user, tty, address, time] = LAST.exec(text) ?? [];
        return user === undefined || user === 'reboot' ? [] : [[user, tty, address, Date.parse(`${time}Z`)].join(' ')];
      });
    const events = await eventsOf(readUtmp(fixture(name), 'wtmp', NOW));
    const logins = events.flatMap((event) => {
      if (event.kind !== 'login') return [];
      const { user, tty, address = '0.0.0.0', time } = event;
      return [[user, tty, address, time - (time % 1000)].join(' ')];
    });
    expect([name, ...logins.reverse()]).toEqual([name, ...listed]);
  }
});
