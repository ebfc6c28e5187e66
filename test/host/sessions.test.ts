import { utimes } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { logindSessions } from '../../src/host/logind.js';
import { processTable } from '../../src/host/process-table.js';
import { liveSessions, type UtmpRow } from '../../src/host/sessions.js';
import { sshLogins } from '../../src/host/ssh-logins.js';
import { aliceOn, BOOT, connection, hostWith, type ProcessSamples } from './proc-tree.js';

const NOW = BOOT + 3_600_000;

interface Made {
  readonly utmp?: readonly UtmpRow[];
  readonly files?: Readonly<Record<string, string>>;
  /** of terminals, when something was typed, seconds before now */
  readonly typed?: Readonly<Record<string, number>>;
}

async function sessionsOf(samples: ProcessSamples, { utmp, files = {}, typed = {} }: Made = {}) {
  const devices = Object.fromEntries(Object.keys(typed).map((tty) => [`dev/${tty}`, '']));
  const { proc, run, dev } = await hostWith(samples, { ...files, ...devices });
  for (const [tty, before] of Object.entries(typed)) await utimes(`${dev}/${tty}`, NOW / 1000 - before, NOW / 1000);
  const table = processTable(proc);
  const logins = sshLogins(table, [connection(50_000, 20)], { proc, run, unprivileged: 104 });
  const nameOf = (uid: number) => (uid === 1000 ? 'alice' : undefined);
  return liveSessions({ table, logins, logind: logindSessions(run), utmp, nameOf, dev, now: NOW });
}

const row = (pid: number, tty: string, more: Partial<UtmpRow> = {}): UtmpRow => {
  const time = BOOT + pid * 1_000 + 500;
  return { user: 'alice', tty, pid, address: '203.0.113.7', peer: undefined, time, ...more };
};

const logind = (id: string, text: string) => ({ [`run/systemd/sessions/${id}`]: `CLASS=user\n${text}` });

describe('who is here, each once', () => {
  test('process, utmp and logind tell of one session: where each is best', async () => {
    const files = logind(
      '4',
      'USER=alice\nUID=1000\nSTATE=active\nLEADER=20\nSCOPE=session-4.scope\nTTY=pts/3\nSERVICE=sshd\n',
    );
    const samples = { ...aliceOn(3), 60: { name: 'job', parent: 1, group: '/user.slice/session-4.scope' } };
    const sessions = await sessionsOf(samples, { utmp: [row(20, 'pts/3')], files, typed: { 'pts/3': 90 } });
    expect(sessions).toHaveLength(1);
    expect(sessions[0]).toMatchObject({
      ...{
        user: 'alice',
        uid: 1000,
        address: '203.0.113.7',
        port: 50_000,
        tty: 'pts/3',
        service: 'sshd',
        idle: 90_000,
      },
      ...{ since: BOOT + 20_500, monitor: { pid: 20 }, leader: { pid: 22 }, logind: { id: '4' }, audit: 20 },
      ...{ records: ['utmp', 'logind', 'proc'], shownBy: 'utmp', place: 'here' },
    });
    expect(sessions[0]?.processes.map(({ pid }) => pid)).toEqual([20, 21, 22, 60]);
  });

  test('w(1) goes by utmp where there is one, otherwise by logind', async () => {
    const files = logind('4', 'STATE=active\nLEADER=20\n');
    expect((await sessionsOf(aliceOn(3), { files }))[0]?.shownBy).toBe('logind');
    expect((await sessionsOf(aliceOn(3), { files, utmp: [] }))[0]?.shownBy).toBeUndefined();
    expect((await sessionsOf(aliceOn(3)))[0]?.shownBy).toBeUndefined();
  });

  test('a connection with two terminals is two sessions, with one row each', async () => {
    const samples = { ...aliceOn(3), 25: { name: 'bash', parent: 21, uid: 1000, pts: 4 } };
    const sessions = await sessionsOf(samples, { utmp: [row(20, 'pts/3'), row(20, 'pts/4', { time: BOOT + 90_000 })] });
    expect(sessions.map(({ tty, shownBy, since }) => [tty, shownBy, since])).toEqual([
      ['pts/3', 'utmp', BOOT + 20_500],
      ['pts/4', 'utmp', BOOT + 90_000],
    ]);
  });

  test('logind alone: a desktop, the console; not one that is closing', async () => {
    const files = {
      ...logind(
        '2',
        'USER=alice\nUID=1000\nSTATE=active\nLEADER=50\nTTY=tty1\nSERVICE=login\nREALTIME=1780272100000000\n',
      ),
      ...logind('3', 'USER=bob\nSTATE=closing\n'),
      ...logind('5', 'USER=carol\nSTATE=online\nREMOTE_HOST=host.example\nSERVICE=cockpit\n'),
    };
    const samples = { 50: { name: 'login', parent: 1 }, 51: { name: 'bash', parent: 50, uid: 1000 } };
    const sessions = await sessionsOf(samples, {
      files,
      utmp: [row(50, 'tty1', { address: undefined })],
      typed: { tty1: 5 },
    });
    expect(sessions).toMatchObject([
      {
        user: 'carol',
        peer: 'host.example',
        service: 'cockpit',
        records: ['logind'],
        monitor: undefined,
        processes: [],
      },
      {
        user: 'alice',
        tty: 'tty1',
        idle: 5_000,
        records: ['utmp', 'logind', 'proc'],
        processes: [{ pid: 50 }, { pid: 51 }],
      },
    ]);
  });

  test('utmp alone: while its process is there, and is the one', async () => {
    const samples = {
      50: { name: 'screen', parent: 1, uid: 1000, at: 50 },
      51: { name: 'other', parent: 1, at: 3_000 },
    };
    const utmp = [row(50, 'pts/8', { peer: ':pts/3:S.0', address: undefined }), row(51, 'pts/9'), row(52, 'pts/10')];
    expect(await sessionsOf(samples, { utmp })).toMatchObject([
      { user: 'alice', tty: 'pts/8', peer: ':pts/3:S.0', service: 'login', records: ['utmp', 'proc'] },
    ]);
  });

  test('a name of a terminal leads nowhere else', async () => {
    const utmp = [row(50, '../run/x', { address: undefined })];
    const [session] = await sessionsOf({ 50: { name: 'x', parent: 1, at: 50 } }, { utmp, files: { 'run/x': '' } });
    expect(session?.idle).toBeUndefined();
  });
});
