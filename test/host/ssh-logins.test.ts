import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { processTable } from '../../src/host/process-table.js';
import type { Socket } from '../../src/host/sockets.js';
import { type SshLogin, sshLogins } from '../../src/host/ssh-logins.js';
import { aliceOn, BOOT, connection, hostWith, type ProcessSamples } from './proc-tree.js';

const UNPRIVILEGED = 104;

async function loginsOf(samples: ProcessSamples, connections: readonly Socket[] = []): Promise<SshLogin[]> {
  const { proc, run } = await hostWith(samples);
  return sshLogins(processTable(proc), connections, { proc, run, unprivileged: UNPRIVILEGED });
}

const brief = (logins: readonly SshLogin[]) =>
  logins.map(({ monitor, uid, terminals }) => [monitor.pid, uid, ...terminals.map(({ tty }) => tty)].join(' '));

describe('who is in by SSH', () => {
  test('a user with a terminal: process, address, terminal, all that came of it', async () => {
    const [login, ...more] = await loginsOf(aliceOn(3), [connection(50_000, 20, 21)]);
    expect(more).toEqual([]);
    expect(login).toMatchObject({
      ...{ monitor: { pid: 20 }, uid: 1000, since: BOOT + 20_000, address: '203.0.113.7', port: 50_000 },
      ...{ terminals: [{ tty: 'pts/3', leader: { pid: 22 } }], audit: 20, place: 'here' },
    });
    expect(login?.processes.map(({ pid }) => pid)).toEqual([20, 21, 22]);
  });

  const CASES: ReadonlyArray<readonly [string, ProcessSamples, readonly string[]]> = [
    ['the listener alone', {}, []],
    [
      'somebody who has not proven who he is',
      {
        20: { name: 'sshd', parent: 10, title: 'sshd: root [priv]' },
        21: { name: 'sshd', parent: 20, uid: UNPRIVILEGED },
        22: { name: 'keys-command', parent: 20, uid: 65_534 },
      },
      [],
    ],
    [
      'the same since OpenSSH 10',
      { 20: { name: 'sshd-session', parent: 10 }, 21: { name: 'sshd-auth', parent: 20, uid: 33 } },
      [],
    ],
    [
      'a user since OpenSSH 9.8, without a terminal',
      {
        20: { name: 'sshd-session', parent: 10 },
        21: { name: 'sshd-session', parent: 20, uid: 1000 },
        22: { name: 'sh', parent: 21, uid: 1000 },
      },
      ['20 1000'],
    ],
    [
      'sftp inside of sshd itself',
      { 20: { name: 'sshd', parent: 10 }, 21: { name: 'sshd', parent: 20, uid: 1000 } },
      ['20 1000'],
    ],
    [
      'root, of whom there is one process',
      { 20: { name: 'sshd', parent: 10, gives: [2] }, 21: { name: 'bash', parent: 20, pts: 2 } },
      ['20 0 pts/2'],
    ],
    ['root who only forwards, with pam', { 20: { name: 'sshd', parent: 10, audit: 5, loginUid: 0 } }, ['20 0']],
    ['root who only forwards, without pam', { 20: { name: 'sshd', parent: 10, title: 'sshd: root@notty' } }, ['20 0']],
    ['one that has just come', { 20: { name: 'sshd', parent: 10, title: 'sshd: [accepted]' } }, []],
    [
      'a helper of pam inside of it',
      { ...aliceOn(3), 25: { name: 'sshd', parent: 20, title: 'sshd: alice [pam]', audit: 20, loginUid: 1000 } },
      ['20 1000 pts/3'],
    ],
    [
      'dropbear',
      {
        10: { name: 'dropbear', parent: 1 },
        20: { name: 'dropbear', parent: 10, gives: [4] },
        21: { name: 'ash', parent: 20, uid: 1000, pts: 4 },
      },
      ['20 1000 pts/4'],
    ],
    [
      'a listener that an administrator started from his own session, and nobody in it',
      {
        10: { name: 'sshd', parent: 1, audit: 9, loginUid: 1000 },
        20: { name: 'sshd', parent: 10, audit: 9, loginUid: 1000 },
      },
      [],
    ],
    [
      'a shell that let go of its terminal',
      {
        20: { name: 'sshd', parent: 10, gives: [6] },
        21: { name: 'sshd', parent: 20, uid: 1000, gives: [6] },
        22: { name: 'sh', parent: 21, uid: 1000 },
      },
      ['20 1000 pts/6'],
    ],
    [
      'two terminals over one connection, and one that tmux opened',
      {
        ...aliceOn(3),
        25: { name: 'bash', parent: 21, uid: 1000, pts: 4 },
        26: { name: 'tmux', parent: 25, uid: 1000, gives: [5] },
        27: { name: 'bash', parent: 26, uid: 1000, pts: 5 },
      },
      ['20 1000 pts/3 pts/4'],
    ],
    [
      'what is not ours to see, by the name that root gave it',
      {
        10: { name: 'sshd', parent: 1, exe: undefined },
        20: { name: 'sshd', parent: 10, exe: undefined, title: 'sshd: root@pts/1' },
      },
      ['20 0'],
    ],
    [
      'a program of a user that is only called so',
      {
        20: { name: 'sshd', parent: 10, exe: '/home/x/app', uid: 1000 },
        21: { name: 'bash', parent: 20, uid: 1000, pts: 1 },
      },
      [],
    ],
  ];
  test.each(CASES)('%s', async (_, samples, expected) => expect(brief(await loginsOf(samples))).toEqual(expected));

  test('one that systemd started for a connection is known by it', async () => {
    const samples = { 20: { name: 'sshd', parent: 1 }, 21: { name: 'sshd', parent: 20, uid: 1000 } };
    expect(await loginsOf(samples)).toEqual([]);
    expect(brief(await loginsOf(samples, [connection(50_000, 20)]))).toEqual(['20 1000']);
  });

  test('without a number of its own by audit: that of the listener is nobody’s', async () => {
    const samples = { ...aliceOn(3, 20, { audit: 9 }), 10: { name: 'sshd', parent: 1, audit: 9, loginUid: 1000 } };
    expect((await loginsOf(samples))[0]?.audit).toBeUndefined();
  });

  test('one with another /run is in a container', async () => {
    const { proc, run } = await hostWith({ ...aliceOn(3), ...aliceOn(4, 30) });
    await mkdir(`${proc}/30/root/run`, { recursive: true });
    const logins = sshLogins(processTable(proc), [], { proc, run, unprivileged: undefined });
    expect(logins.map(({ monitor, place }) => `${monitor.pid} ${place}`)).toEqual(['20 here', '30 elsewhere']);
  });
});
