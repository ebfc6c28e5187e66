import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { journalEvents } from '../../src/logins/journal.js';
import { all, fixture, line } from './lines.js';

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

const eventsOf = (...entries: readonly object[]) =>
  all(journalEvents(each(entries.map((entry) => JSON.stringify(entry))), 'j'));

const GENUINE = {
  __CURSOR: 's=1;i=1',
  __REALTIME_TIMESTAMP: '1767225605123456',
  SYSLOG_IDENTIFIER: 'sshd',
  _PID: '2177',
  _UID: '0',
  _EXE: '/usr/sbin/sshd',
  MESSAGE: 'Accepted password for bob from 203.0.113.77 port 40001 ssh2',
};

describe('the journal', () => {
  test('the sample: one login, one line that logger made; bytes and a missing message are no login', async () => {
    const lines = (await readFile(fixture('journal.ndjson'), 'utf8')).split('\n');
    expect((await all(journalEvents(each(lines), 'j'))).map(line)).toEqual([
      'login 2026-01-01T00:00:05 alice 198.51.100.23 50122 2177 sshd publickey SHA256:TCyqLECDAeR/AIeAyRqTxqWWAvp58VIyjoa4zEYyy7I',
      'oddity 2026-01-01T00:00:06 forged',
    ]);
  });

  test('what is of root and of the program is believed', async () => {
    expect(await eventsOf(GENUINE)).toMatchObject([
      { kind: 'login', writer: 'root', place: { at: 's=1;i=1' }, pid: 2177 },
    ]);
  });

  test.each([
    ['by an update of the package', { _EXE: '/usr/sbin/sshd (deleted)' }],
    ['since 9.8', { _EXE: '/usr/lib/openssh/sshd-session', SYSLOG_IDENTIFIER: 'sshd-session' }],
    ['by a process that ended at once', { _EXE: undefined }],
    ['with a field that came twice', { _UID: ['0', '0'], __REALTIME_TIMESTAMP: ['1767225605123456'] }],
    ['as bytes', { MESSAGE: [...Buffer.from(GENUINE.MESSAGE)] }],
  ])('%s, too', async (_, changed) => {
    expect(await eventsOf({ ...GENUINE, ...changed })).toMatchObject([{ kind: 'login', user: 'bob' }]);
  });

  test.each([
    ['another user', { _UID: '1001' }],
    ['another program', { _EXE: '/usr/bin/logger' }],
    ['a file of the same name elsewhere, by a user', { _EXE: '/tmp/sshd', _UID: '1001' }],
    ['nobody knows whom', { _UID: undefined, _EXE: undefined }],
  ])('a login that was written by %s is forged', async (_, changed) => {
    expect((await eventsOf({ ...GENUINE, ...changed })).map(line)).toEqual(['oddity 2026-01-01T00:00:05 forged']);
  });

  test('the process of the user may tell of his end', async () => {
    const end = { ...GENUINE, _UID: '1000', MESSAGE: 'Disconnected from user bob 203.0.113.77 port 40001' };
    expect(await eventsOf(end)).toMatchObject([{ kind: 'logout', user: 'bob' }]);
  });

  test('failures, and such that came several times', async () => {
    const failed = 'Failed password for bob from 203.0.113.9 port 1 ssh2';
    expect(await eventsOf({ ...GENUINE, MESSAGE: failed })).toHaveLength(1);
    expect(await eventsOf({ ...GENUINE, MESSAGE: `message repeated 3 times: [ ${failed}]` })).toHaveLength(3);
  });

  test('a line end in a message makes no second line', async () => {
    const message = `Invalid user x\n${GENUINE.MESSAGE}`;
    expect((await eventsOf({ ...GENUINE, MESSAGE: message })).filter(({ kind }) => kind === 'login')).toEqual([]);
  });

  test('any JSON, and what is none, is no login', async () => {
    const value = fc.oneof(fc.json(), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 5 }), fc.anything(), async (lines, anything) => {
        const odd = JSON.stringify({ ...GENUINE, MESSAGE: anything }) ?? '';
        const events = await all(journalEvents(each([...lines, odd]), 'j'));
        expect(events.filter(({ kind }) => kind === 'login')).toEqual([]);
      }),
    );
  });
});
