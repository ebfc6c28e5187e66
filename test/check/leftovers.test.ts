import { describe, expect, test } from 'vitest';
import type { Found } from '../../src/check/logins/found.js';
import type { ProcessFacts } from '../../src/host/process-facts.js';
import type { Visit } from '../../src/logins/visit.js';
import { aliceOn, BOOT, type ProcessSamples } from '../host/proc-tree.js';
import { codes } from './logins/cases.js';
import { processOf } from './samples.js';
import { FROM, held, loginAt, logindFile, reviewOf, row, type Stage } from './session-stage.js';

const told = async (samples: ProcessSamples, stage: Stage = {}) =>
  codes((await reviewOf(samples, { connected: [], ...stage })).findings);

/** A login from 40 to 60 seconds after the start of the host, against which there is something. */
function suspect(more: Partial<Visit> = {}, severity: Found['severity'] = 'high'): Stage {
  const visit = loginAt(40, { end: BOOT + 60_000, endedBy: 'logout', ...more });
  return held(visit, 'its address is listed by mine', severity);
}

/** What setsid and nohup leave below the first process. */
const LEFT: ProcessSamples = {
  40: { name: 'miner', parent: 1, uid: 1000, loginUid: 1000, audit: 5, at: 50 },
  41: { name: 'sh', parent: 40, uid: 0, loginUid: 1000, audit: 5, at: 3_000 },
};

describe('SESSION-LEFTOVER', () => {
  test('of a login that there is something against, with all that came of it', async () => {
    const { findings } = await reviewOf(LEFT, { connected: [], ...suspect() });
    expect(findings).toMatchObject([
      {
        ...{ code: 'SESSION-LEFTOVER', severity: 'medium', suggest: 'sudo kill -TERM 40 41' },
        what: 'alice has gone and left 2 processes (miner, sh), of whose login there is: its address is listed by mine',
        evidence: { user: 'alice', audit: 5, address: FROM, pids: [40, 41], since: BOOT + 50_000 },
      },
    ]);
  });

  const NEAR: ReadonlyArray<readonly [string, ProcessSamples, Stage]> = [
    ['nobody has anything against the login', LEFT, {}],
    ['little is against it', LEFT, suspect({}, 'low')],
    ['it is of somebody else', LEFT, suspect({ user: 'bob' })],
    [
      'the oldest of it was there before',
      { ...LEFT, 40: { name: 'x', parent: 1, loginUid: 1000, audit: 5, at: 30 } },
      suspect(),
    ],
    [
      'it was started after the login had ended',
      { 40: { name: 'x', parent: 1, loginUid: 1000, audit: 5, at: 70 } },
      suspect(),
    ],
    ['nobody came in for it', { 40: { name: 'x', parent: 1, at: 50 } }, suspect()],
    [
      'cron did it',
      { 40: { name: 'x', parent: 1, loginUid: 1000, audit: 5, at: 50, group: '/system.slice/cron.service' } },
      suspect(),
    ],
    [
      'the manager of the user did it',
      {
        40: {
          name: 'x',
          parent: 1,
          loginUid: 1000,
          audit: 5,
          at: 50,
          group: '/user.slice/user@1000.service/app.slice/x.service',
        },
      },
      suspect(),
    ],
  ];
  test.each(NEAR)('not when %s', async (_, samples, stage) => expect(await told(samples, stage)).toEqual([]));

  test('not while the session is there: it belongs to it', async () => {
    const samples = {
      ...aliceOn(3, 40),
      45: { name: 'miner', parent: 1, uid: 1000, loginUid: 1000, audit: 40, at: 50 },
    };
    const stage = { connected: [40], rows: [row(40, 3)], ...suspect({ pid: 40, end: undefined }) };
    const review = await reviewOf(samples, stage);
    expect(codes(review.findings)).toEqual(['critical SESSION-LIVE-SUSPECT']);
    expect(review.sessions[0]?.processes.map(({ pid }) => pid)).toEqual([40, 41, 42, 45]);
  });

  const scope = '/user.slice/user-1000.slice/session-7.scope';
  const closing = logindFile('7', { STATE: 'closing', REMOTE_HOST: FROM });
  test('logind cannot close it: by its scope, although a process lost its number', async () => {
    const samples = { 40: { name: 'nc', parent: 1, uid: 1000, group: scope } };
    const { findings, sessions } = await reviewOf(samples, { connected: [], files: closing });
    expect(findings).toMatchObject([
      {
        severity: 'medium',
        suggest: 'sudo systemctl stop session-7.scope',
        evidence: { logind: '7', pids: [40], address: FROM },
      },
    ]);
    expect(sessions).toEqual([]);
    expect(await told({}, { files: closing })).toEqual([]);
  });

  test('what tmux keeps is low, unless there is something against the login', async () => {
    const samples: ProcessSamples = {
      40: { name: 'tmux', parent: 1, uid: 1000, group: scope, at: 50 },
      41: { name: 'bash', parent: 40, uid: 1000, group: scope, at: 51 },
    };
    expect(await told(samples, { files: closing })).toEqual(['low SESSION-LEFTOVER']);
    expect(await told(samples, { files: closing, ...suspect() })).toEqual(['medium SESSION-LEFTOVER']);
    const beside = { ...samples, 42: { name: 'nc', parent: 1, uid: 1000, group: scope } };
    expect(await told(beside, { files: closing })).toEqual(['medium SESSION-LEFTOVER']);
    // Whoever asks from inside of it is not ended.
    const [own] = (await reviewOf(samples, { connected: [], files: closing, spared: new Set([41]) })).findings;
    expect(own).toMatchObject({
      suggest: expect.stringMatching(/^ps .* -p 40,41$/),
      note: expect.stringContaining('your own'),
    });
  });
});

describe('PROC-*: what is run in sessions', () => {
  const details = (path: string, state: 'there' | 'replaced' | 'memory' = 'there') => ({
    detailsOf: ({ pid }: { readonly pid: number }): ProcessFacts | undefined =>
      pid === 22 ? processOf({ pid, path, state, uid: 1000 }) : undefined,
  });
  const stage = { connected: [20], rows: [row(20, 3)] };

  test('out of a folder where anybody may write, and out of memory', async () => {
    const [finding] = (await reviewOf(aliceOn(3), { ...stage, ...details('/dev/shm/.x') })).findings;
    expect(finding).toMatchObject({
      ...{ code: 'PROC-TMP-EXE', severity: 'high', suggest: 'sudo kill -STOP 22' },
      what: 'in a session of alice, /dev/shm/.x (22) runs from a folder where anybody may write',
    });
    expect(await told(aliceOn(3), { ...stage, ...details('/memfd:x', 'memory') })).toEqual(['high PROC-MEMFD']);
  });

  test('not a shell, nor one that was not restarted after an upgrade', async () => {
    expect(await told(aliceOn(3), { ...stage, ...details('/usr/bin/bash') })).toEqual([]);
    expect(await told(aliceOn(3), { ...stage, ...details('/usr/bin/bash', 'replaced') })).toEqual([]);
  });
});
