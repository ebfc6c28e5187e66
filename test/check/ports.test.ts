import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../src/check/baseline.js';
import { type DoorKey, doorsOf } from '../../src/check/doors.js';
import { fingerprintOf, statusOf } from '../../src/check/finding.js';
import { judgePorts, type PortFacts } from '../../src/check/ports.js';
import { suspicionOf } from '../../src/check/suspicion.js';
import type { Listener } from '../../src/host/listeners.js';
import { CHOSEN, listenerOf, type ProcessSample, processOf } from './samples.js';

const key = (port: DoorKey['port'], executable: string | null, more: Partial<DoorKey> = {}): DoorKey => ({
  ...{ protocol: 'tcp', port, scope: 'any', executable },
  ...more,
});
const baselineOf = (...listeners: readonly DoorKey[]): Baseline => ({ at: 1, by: 'root', listeners });

function judge(listeners: readonly Listener[], given: Partial<PortFacts> = {}) {
  return judgePorts({
    ...{ doors: doorsOf(listeners, CHOSEN), coverage: 'complete', denied: [], baseline: undefined },
    ...{ packages: new Map([['/usr/sbin/sshd', 'openssh-server']]), digestOf: () => undefined },
    adviceOf: () => ({ kind: 'close', command: 'close it' }),
    commands: { accept: 'accept it', asRoot: 'sudo it' },
    ...given,
  });
}
const SSHD = processOf({ path: '/usr/sbin/sshd', pid: 10 });
const short = ({ findings }: ReturnType<typeof judge>) => findings.map(({ code, severity }) => `${severity} ${code}`);

describe('doors', () => {
  const keys = (...listeners: readonly Listener[]) =>
    doorsOf(listeners, CHOSEN).map((each) => [...Object.values(each.key), each.sockets.length].join(' '));

  test('one for both families and all addresses of a kind, in the order of their ports', () => {
    const ends = ['udp *:53', 'tcp [::]:22', 'tcp 0.0.0.0:22', 'tcp 127.0.0.1:22', 'tcp [::1]:22', 'tcp 10.0.0.1:22'];
    const more = [
      'tcp 192.168.0.1:22',
      'tcp [fe80::1]%eth0:22',
      'tcp 9.9.9.9:22',
      'tcp 0.0.0.0%lo:22',
      'tcp 224.0.0.1:22',
    ];
    expect(keys(...[...ends, ...more].map((end) => listenerOf(end, SSHD)))).toEqual([
      'tcp 22 any /usr/sbin/sshd 2',
      'tcp 22 public /usr/sbin/sshd 1',
      'tcp 22 private /usr/sbin/sshd 4',
      'tcp 22 loopback /usr/sbin/sshd 3',
      'udp 53 any /usr/sbin/sshd 1',
    ]);
  });

  test('a socket that two unrelated programs hold is a door of each', () => {
    const other = processOf({ path: '/opt/x', pid: 11 });
    expect(keys(listenerOf('tcp *:1', other, SSHD))).toEqual(['tcp 1 any /opt/x 1', 'tcp 1 any /usr/sbin/sshd 1']);
  });

  test.each([
    ['/usr/sbin/chronyd', 40_000, 'changing'],
    ['/usr/sbin/chronyd', 32_768, 'changing'],
    ['/usr/sbin/chronyd', 60_999, 'changing'],
    ['/usr/sbin/chronyd', 32_767, 32_767],
    ['/usr/sbin/chronyd', 61_000, 61_000],
    ['/usr/bin/python3.11', 40_000, 40_000],
    ['/usr/bin/node', 40_000, 40_000],
    ['/usr/bin/nodejs', 40_000, 40_000],
    ['/bin/nc.openbsd', 40_000, 40_000],
    ['/usr/sbin/ncd', 40_000, 'changing'],
    [undefined, 51_820, 51_820],
  ])('UDP of %s on %i is %s', (path, port, expected) => {
    const processes = path === undefined ? [] : [processOf({ path })];
    const [door] = doorsOf([listenerOf(`udp *:${port}`, ...processes)], CHOSEN);
    expect(door?.key.port).toBe(expected);
    expect(doorsOf([listenerOf(`tcp *:${port}`, ...processes)], CHOSEN)[0]?.key.port).toBe(port);
  });
});

describe('suspicion', () => {
  test.each<[process: ProcessSample, told: string | undefined]>([
    [{ path: '/usr/sbin/sshd' }, undefined],
    [{ path: '/dev/shm/x' }, 'high PROC-TMP-EXE'],
    [{ path: '/tmp/x' }, 'high PROC-TMP-EXE'],
    [{ path: '/var/tmp/a/x' }, 'high PROC-TMP-EXE'],
    [{ path: '/run/user/1000/x' }, 'high PROC-TMP-EXE'],
    [{ path: '/tmp/x', state: 'elsewhere' }, 'high PROC-TMP-EXE'],
    [{ path: '/home/tmp/x' }, undefined],
    [{ path: '/opt/tmp/x' }, undefined],
    [{ path: '/home/ann/.local/bin/x' }, undefined],
    [{ path: '/usr/sbin/nginx', state: 'elsewhere' }, undefined],
    [{ path: '/usr/sbin/nginx', state: 'deleted' }, 'high PROC-DELETED-EXE'],
    [{ path: '/usr/sbin/nginx', state: 'replaced' }, 'low PROC-DELETED-EXE'],
    [{ path: '/dev/shm/x', state: 'replaced' }, 'high PROC-DELETED-EXE'],
    [{ path: '/root/.x/y', state: 'replaced' }, 'high PROC-DELETED-EXE'],
    [{ path: '/memfd:x', state: 'memory' }, 'high PROC-MEMFD'],
    [{ path: '/usr/bin/perl', commandLine: '[kworker/0:1]' }, 'high PROC-FAKE-KTHREAD'],
    [{ path: '/usr/bin/perl', name: 'kworker/u8:0' }, 'high PROC-FAKE-KTHREAD'],
    [{ path: '/usr/bin/perl', name: 'rcu_sched' }, 'high PROC-FAKE-KTHREAD'],
    [{ path: '/usr/bin/irqbalance', name: 'irqbalance' }, undefined],
    [{ path: undefined, name: 'kworker/0:1' }, undefined],
  ])('%j', (sample, told) => {
    const found = suspicionOf(processOf(sample));
    expect(found && `${found.severity} ${found.code}`).toBe(told);
  });
});

describe('judgement', () => {
  test('without a baseline everything that is reached from outside is new', () => {
    const review = judge([listenerOf('tcp *:22', SSHD), listenerOf('tcp 127.0.0.1:25', SSHD)]);
    expect(short(review)).toEqual(['medium PORT-UNEXPECTED']);
    expect(review.doors.map(({ state }) => state)).toEqual(['new', 'inside']);
    expect(review.findings[0]).toMatchObject({
      what: 'tcp port 22 on every address is held by /usr/sbin/sshd (10)',
      suggest: 'close it',
      evidence: { package: 'openssh-server', pids: [10], addresses: ['*:22'], unit: null },
    });
  });

  test.each<[what: string, accepted: DoorKey, isFound: boolean]>([
    ['the same', key(22, '/usr/sbin/sshd'), false],
    ['another port', key(23, '/usr/sbin/sshd'), true],
    ['another protocol', key(22, '/usr/sbin/sshd', { protocol: 'udp' }), true],
    ['another program', key(22, '/opt/sshd'), true],
    ['a narrower address', key(22, '/usr/sbin/sshd', { scope: 'private' }), true],
    ['nobody', key(22, null), true],
  ])('a baseline with %s', (_, accepted, isFound) => {
    const review = judge([listenerOf('tcp *:22', SSHD)], { baseline: baselineOf(accepted) });
    expect(review.findings.length > 0).toBe(isFound);
  });

  test('who else was accepted there is told', () => {
    const baseline = baselineOf(key(22, '/usr/sbin/sshd'), key(22, null, { scope: 'public' }), key(23, '/opt/y'));
    const review = judge([listenerOf('tcp *:22', processOf({ path: '/opt/x' }))], { baseline });
    expect(review.findings[0]?.what).toBe(
      'tcp port 22 on every address is held by /opt/x (100); accepted there is /usr/sbin/sshd, nobody that is seen on a public address',
    );
    expect(review.vanished.map(({ port, scope }) => `${port} ${scope}`)).toEqual(['22 public', '23 any']);
  });

  test('nobody: by what can reach it, and as it was accepted', () => {
    const both = [listenerOf('udp *:51820'), listenerOf('tcp 127.0.0.1:1')];
    expect(short(judge(both))).toEqual(['medium PORT-NO-OWNER', 'low PORT-NO-OWNER']);
    const baseline = baselineOf(key(51_820, null, { protocol: 'udp' }));
    expect(short(judge(both, { baseline }))).toEqual(['low PORT-NO-OWNER']);
    const hidden = judge([listenerOf('tcp *:5', processOf({ path: undefined, name: 'odd' }))]);
    expect(hidden.findings[0]).toMatchObject({
      code: 'PORT-NO-OWNER',
      what: expect.stringContaining('odd, what it runs is not known'),
    });
  });

  test('a suspicious program is found on loopback, accepted or not, and is the one finding', () => {
    const odd = processOf({ path: '/dev/shm/x' });
    for (const end of ['tcp *:22', 'tcp 127.0.0.1:22']) {
      const baseline = baselineOf(key(22, '/dev/shm/x'));
      const review = judge([listenerOf(end, odd)], {
        baseline,
        digestOf: ({ pid }) => (pid === 100 ? 'ab' : undefined),
      });
      expect(short(review)).toEqual(['high PROC-TMP-EXE']);
      expect(review.findings[0]?.evidence).toMatchObject({ sha256: 'ab', executable: '/dev/shm/x' });
    }
  });

  test('an old file behind a new port is a new port; behind an accepted one it is told', () => {
    const old = listenerOf('tcp *:80', processOf({ path: '/usr/sbin/nginx', state: 'replaced', group: '/a.service' }));
    expect(short(judge([old]))).toEqual(['medium PORT-UNEXPECTED']);
    const review = judge([old], { baseline: baselineOf(key(80, '/usr/sbin/nginx')) });
    expect(short(review)).toEqual(['low PROC-DELETED-EXE']);
    expect(review.findings[0]?.suggest).toBe('systemctl restart a.service');
    expect(statusOf(review.findings, 'complete')).toBe(0);
  });

  test('what is not seen is neither new nor accepted nor gone', () => {
    const baseline = baselineOf(key(22, '/usr/sbin/sshd'), key('changing', '/usr/sbin/chronyd', { protocol: 'udp' }));
    const given = { coverage: 'incomplete', baseline } as const;
    const others = judge([listenerOf('tcp *:22'), listenerOf('udp *:40000')], { ...given, denied: 'others' });
    expect([others.doors.map(({ state }) => state), short(others), others.vanished]).toEqual([
      ['unseen', 'unseen'],
      ['info SRC-INCOMPLETE'],
      [],
    ]);
    expect(others.findings[0]).toMatchObject({ suggest: 'sudo it', evidence: { unseen: 2 } });
    const root = judge([listenerOf('tcp *:22')], { ...given, denied: [1, 7] });
    expect(root.findings[0]?.what).toBe('process 1, 7 does not show what it holds; listeners without a known owner: 1');
    expect(statusOf(root.findings, 'incomplete')).toBe(3);
    const mine = judge([listenerOf('tcp *:23', SSHD)], { ...given, denied: 'others' });
    expect(statusOf(mine.findings, 'incomplete')).toBe(1);
  });

  test('what must be kept is accepted, not closed', () => {
    const review = judge([listenerOf('tcp *:22', SSHD)], { adviceOf: () => ({ kind: 'keep', why: 'so it is' }) });
    expect(review.findings[0]).toMatchObject({ suggest: 'accept it', note: 'keep it: so it is' });
  });

  test('a fingerprint is that of the thing, not of the run', () => {
    const found = (end: string, sample: ProcessSample) =>
      judge([listenerOf(end, processOf({ path: '/opt/x', ...sample }))]).findings[0]?.fingerprint;
    const first = found('tcp *:22', { pid: 1, uid: 0 });
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    expect(first).toBe(fingerprintOf('PORT-UNEXPECTED', ['tcp', 22, 'any', '/opt/x']));
    expect([found('tcp 0.0.0.0:22', { pid: 2, uid: 5 }), found('tcp [::]:22', {})]).toEqual([first, first]);
    const others = [
      found('tcp *:23', {}),
      found('udp *:22', {}),
      found('tcp 10.0.0.1:22', {}),
      found('tcp *:22', { path: '/opt/y' }),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });
});
