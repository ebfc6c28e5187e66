import { describe, expect, test } from 'vitest';
import type { SessionReview } from '../../src/check/sessions.js';
import type { Visit } from '../../src/logins/visit.js';
import { aliceOn } from '../host/proc-tree.js';
import { codes } from './logins/cases.js';
import { ended, FROM, held, loginAt, logindFile, reviewOf, row, type Stage } from './session-stage.js';

const told = ({ findings }: SessionReview) => codes(findings);

const RECORDED = { rows: [row(20, 3)] };

test('a host where all is in order', async () => {
  const review = await reviewOf(aliceOn(3), RECORDED);
  expect(told(review)).toEqual([]);
  expect(review.sessions).toMatchObject([
    {
      user: 'alice',
      address: FROM,
      tty: 'pts/3',
      shownBy: 'utmp',
      records: ['utmp', 'proc'],
      facts: { country: 'de' },
    },
  ]);
});

describe('SESSION-LIVE-SUSPECT', () => {
  const BY: ReadonlyArray<readonly [string, Partial<Visit>]> = [
    ['its process', { pid: 20 }],
    ['the process that has the terminal, as root’s rows have it', { pid: 22 }],
    ['its connection', { port: 50_020 }],
    ['its terminal', { tty: 'pts/3' }],
  ];
  test.each(BY)('a finding about its login, known by %s', async (_, more) => {
    const review = await reviewOf(aliceOn(3), {
      ...RECORDED,
      ...held(loginAt(21, more), 'never seen there', 'medium'),
    });
    expect(told(review)).toEqual(['critical SESSION-LIVE-SUSPECT']);
    const [finding] = review.findings;
    expect(finding).toMatchObject({
      what: `alice from ${FROM} (de) by sshd is here now: never seen there`,
      suggest: 'sudo kill -TERM 20',
      note: expect.stringContaining(`blocklist ban ${FROM}`),
      evidence: {
        pid: 20,
        ticks: 2_000,
        audit: 20,
        pids: [20, 21, 22],
        logins: [{ code: 'LOGIN-UNEXPECTED-COUNTRY' }],
      },
    });
    expect(review.sessions[0]?.findings).toEqual([finding]);
  });

  test.each<[string, Partial<Visit>, number]>([
    ['an older process of the same number', { pid: 20 }, 5],
    ['an older connection with the same ends', { port: 50_020 }, 5],
    ['who had the terminal before', { tty: 'pts/3' }, 5],
    ['somebody else on a terminal of that name', { tty: 'pts/3', user: 'bob' }, 21],
    ['another connection', { port: 50_021 }, 21],
  ])('not by %s', async (_, more, at) => {
    expect(told(await reviewOf(aliceOn(3), { ...RECORDED, ...held(loginAt(at, more), 'x', 'medium') }))).toEqual([]);
  });

  test('not by a finding that nobody has to look at', async () => {
    expect(told(await reviewOf(aliceOn(3), { ...RECORDED, ...held(loginAt(21, { pid: 20 }), 'x', 'low') }))).toEqual(
      [],
    );
  });

  const LIST = { source: 'mine', what: 'list', since: undefined } as const;
  test('a listed address, a blocked country, one that is none of those that may', async () => {
    const reasons = async (facts: Stage['facts']) =>
      (await reviewOf(aliceOn(3), { ...RECORDED, ...(facts && { facts }) })).findings.map(
        ({ evidence }) => evidence.reasons,
      );
    expect(await reasons({ listed: [LIST] })).toEqual([['its address is listed by mine']]);
    expect(await reasons({ listed: [{ ...LIST, what: 'country' }] })).toEqual([['its country, de, is blocked']]);
    expect(await reasons({ isKeptOut: true })).toEqual([['its country, de, is blocked']]);
    expect(await reasons({ listed: [LIST], isAllowed: true })).toEqual([]);
    // A person may have accepted what the review of logins found.
    const visits = [loginAt(21, { pid: 20 })];
    expect(told(await reviewOf(aliceOn(3), { ...RECORDED, visits, facts: { listed: [LIST] } }))).toEqual([]);
  });

  test('with logind it is ended as a whole; whoever asks is not ended; what was accepted is counted', async () => {
    const suspect = { ...RECORDED, ...held(loginAt(21, { pid: 20 }), 'x', 'medium') };
    const files = logindFile('7', { LEADER: 20, AUDIT: 20, REMOTE_HOST: FROM });
    const [finding] = (await reviewOf(aliceOn(3), { ...suspect, files })).findings;
    expect(finding?.suggest).toBe('sudo loginctl terminate-session 7');
    const desk = { line: (command: string) => `blocklist ${command}`, isOwn: () => true };
    const [own] = (await reviewOf(aliceOn(3), { ...suspect, files, desk })).findings;
    expect(own).toMatchObject({ suggest: `blocklist why ${FROM}`, note: expect.stringContaining('your own session') });
    const accepted = new Set([finding?.fingerprint ?? '']);
    const review = await reviewOf(aliceOn(3), { ...suspect, files, accepted });
    expect([review.findings, review.accepted, review.sessions[0]?.findings]).toEqual([[], 1, []]);
  });
});

describe('SESSION-NO-RECORD', () => {
  const OTHER = { ...aliceOn(3), ...aliceOn(4, 30) };
  const WTMP = { places: [{ kind: 'wtmp', file: 'wtmp', at: 0 }] } as const;

  test('nothing has a session with a terminal', async () => {
    const review = await reviewOf(aliceOn(3), { rows: [] });
    expect(told(review)).toEqual(['high SESSION-NO-RECORD']);
    expect(review.findings[0]).toMatchObject({
      suggest: 'sudo kill -TERM 20',
      evidence: { tty: 'pts/3', records: ['proc'] },
    });
    expect(review.findings[0]?.what).toMatch(/on pts\/3, and stands in no record/);
    expect(review.sessions[0]?.shownBy).toBeUndefined();
  });

  test('utmp lacks it, and logind or wtmp has it', async () => {
    const files = logindFile('7', { LEADER: 20 });
    const byLogind = await reviewOf(OTHER, { rows: [row(30, 4)], files, connected: [20, 30] });
    expect(told(byLogind)).toEqual(['high SESSION-NO-RECORD']);
    expect(byLogind.findings[0]?.what).toMatch(/stands in logind, and not in utmp: its record was removed/);
    const visits = [loginAt(21, { pid: 20, ...WTMP, places: [...WTMP.places] })];
    const byWtmp = await reviewOf(aliceOn(3), { rows: [], visits });
    expect(byWtmp.findings[0]?.what).toMatch(/stands in wtmp, and not in utmp/);
  });

  test('the row of another session on that terminal is none', async () => {
    expect(told(await reviewOf(aliceOn(3), { rows: [row(999, 3, 5)] }))).toEqual(['high SESSION-NO-RECORD']);
    expect(told(await reviewOf(aliceOn(3), { rows: [ended(20, 3)] }))).toEqual(['high SESSION-NO-RECORD']);
  });

  const NEAR: ReadonlyArray<readonly [string, Parameters<typeof reviewOf>]> = [
    [
      'a session without a terminal',
      [
        {
          ...aliceOn(3),
          20: { name: 'sshd', parent: 10 },
          21: { name: 'sshd', parent: 20, uid: 1000 },
          22: { name: 'sh', parent: 21, uid: 1000 },
        },
        { rows: [] },
      ],
    ],
    ['a host without utmp, with logind (Debian 13)', [aliceOn(3), { files: logindFile('7', { LEADER: 20 }) }]],
    [
      'a utmp that only has the start of the host, with logind',
      [aliceOn(3), { rows: [], files: logindFile('7', { LEADER: 20 }) }],
    ],
    ['a host that keeps no records at all', [aliceOn(3), {}]],
    ['somebody who does not see everything', [aliceOn(3), { rows: [], uid: 1000 }]],
    [
      'a window of tmux and what script opened',
      [
        {
          ...aliceOn(3),
          23: { name: 'tmux', parent: 1, uid: 1000, audit: 20, gives: [8] },
          24: { name: 'bash', parent: 23, uid: 1000, pts: 8, audit: 20 },
        },
        RECORDED,
      ],
    ],
  ];
  test.each(NEAR)('not for %s', async (_, [samples, stage]) => {
    expect(told(await reviewOf(samples, stage)).filter((code) => !code.startsWith('info'))).toEqual([]);
  });

  const INSIDE = { rows: [], files: { 'proc/20/root/run/x': '' } };
  test('not for one in a container, which keeps its own records', async () => {
    const review = await reviewOf(aliceOn(3), INSIDE);
    expect(told(review)).toEqual([]);
    expect(review.sessions).toMatchObject([{ place: 'elsewhere', idle: undefined, shownBy: undefined }]);
    // The same numbers are others in there; an address is the same everywhere.
    const login = (more: Partial<Visit>) => held(loginAt(21, more), 'x', 'medium');
    expect(told(await reviewOf(aliceOn(3), { ...INSIDE, ...login({ pid: 20 }) }))).toEqual([]);
    expect(told(await reviewOf(aliceOn(3), { ...INSIDE, ...login({ port: 50_020 }) }))).toEqual([
      'critical SESSION-LIVE-SUSPECT',
    ]);
  });

  test('not for one that ends while we look: its row is gone when the records are read', async () => {
    const review = await reviewOf(aliceOn(3), { rows: [ended(20, 3)], meanwhile: [20, 21, 22] });
    expect([told(review), review.sessions]).toEqual([[], []]);
  });

  test('without utmp, logind has the others and not this one', async () => {
    const files = logindFile('8', { LEADER: 30, SERVICE: 'sshd' });
    expect(told(await reviewOf(OTHER, { files, connected: [20, 30] }))).toEqual(['high SESSION-NO-RECORD']);
  });
});

test('SRC-INCOMPLETE: whoever is not root does not see all', async () => {
  const review = await reviewOf(aliceOn(3), { ...RECORDED, uid: 1000 });
  expect(told(review)).toEqual(['info SRC-INCOMPLETE']);
  expect(review.findings[0]?.suggest).toBe('sudo blocklist check sessions');
  const unreadLogins = [{ name: 'wtmp', why: 'gone', hint: 'look' }];
  expect((await reviewOf(aliceOn(3), { ...RECORDED, unreadLogins })).findings).toMatchObject([
    { code: 'SRC-INCOMPLETE', what: 'wtmp could not be looked at: gone', suggest: 'look' },
  ]);
});
