import { rm } from 'node:fs/promises';
import { fingerprintOf } from '../../src/check/finding.js';
import type { Found } from '../../src/check/logins/found.js';
import type { AddressFacts } from '../../src/check/logins/rule.js';
import { gatherSessions } from '../../src/check/session-facts.js';
import type { SessionInput } from '../../src/check/session-input.js';
import { judgeSessions, type SessionReview } from '../../src/check/sessions.js';
import type { Visit } from '../../src/logins/visit.js';
import { BOOT, connection, hostWith, type ProcessSamples } from '../host/proc-tree.js';
import { fileOf, sshLogin } from '../logins/records.mjs';
import { FACTS, visit } from './logins/cases.js';

export const FROM = '203.0.113.7';
const NOW = BOOT + 3_600_000;
const ACCOUNTS = [
  { name: 'root', uid: 0, home: '/root' },
  { name: 'sshd', uid: 104, home: '/run/sshd' },
  { name: 'alice', uid: 1000, home: '/home/alice' },
];

/** A row of utmp of a session that began so many seconds after the start of the host. */
export const row = (pid: number, pts: number, at = pid) =>
  sshLogin({
    pid,
    line: `pts/${pts}`,
    id: `ts/${pts}`,
    seconds: BOOT / 1000 + at,
    host: FROM,
    address: [203, 0, 113, 7],
  });
export const ended = (pid: number, pts: number) => ({ ...row(pid, pts), type: 8, user: '', host: '', address: [] });

/** What logind writes down. */
export const logindFile = (id: string, values: Readonly<Record<string, string | number>>) => {
  const all = { UID: 1000, USER: 'alice', CLASS: 'user', STATE: 'active', SCOPE: `session-${id}.scope`, ...values };
  const text = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
  return { [`run/systemd/sessions/${id}`]: text.join('') };
};

export interface Stage extends Partial<Omit<SessionInput, 'factsOf'>> {
  /** rows of utmp; undefined: there is none */
  readonly rows?: ReadonlyArray<ReturnType<typeof sshLogin>>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly facts?: Partial<AddressFacts>;
  readonly uid?: number;
  /** processes that end while we look */
  readonly meanwhile?: readonly number[];
  /** the first processes of sessions from FROM */
  readonly connected?: readonly number[];
}

async function gathered(samples: ProcessSamples, stage: Stage) {
  const { rows, files = {}, uid = 0, connected = [20], meanwhile = [] } = stage;
  const utmp = rows === undefined ? {} : { 'run/utmp': fileOf(rows) };
  const folders = await hostWith(samples, { ...utmp, ...files });
  const connections = async () => {
    for (const pid of meanwhile) await rm(`${folders.proc}/${pid}`, { recursive: true });
    return connected.map((pid) => connection(50_000 + pid, pid));
  };
  return gatherSessions({ uid, accounts: ACCOUNTS, now: () => NOW, folders, connections });
}

/** What is told of a made-up host. */
export async function reviewOf(samples: ProcessSamples, stage: Stage = {}): Promise<SessionReview> {
  const { facts, ...more } = stage;
  return judgeSessions({
    ...(await gathered(samples, stage)),
    detailsOf: () => undefined,
    against: new Map(),
    visits: [],
    spans: new Map(),
    unreadLogins: [],
    factsOf: () => ({ ...FACTS, ...facts }),
    nameOf: (uid) => ACCOUNTS.find((each) => each.uid === uid)?.name,
    accepted: new Set(),
    desk: { line: (command) => `blocklist ${command}`, isOwn: () => false },
    spared: new Set(),
    asRoot: 'sudo blocklist check sessions',
    ...more,
  });
}

/** A login as wtmp and the log have it, so many seconds after the start of the host. */
export function loginAt(at: number, more: Partial<Visit> = {}) {
  const time = BOOT + at * 1000;
  return visit(0, { time, last: time, address: FROM, port: undefined, pid: undefined, ...more });
}

/** That there is something against a login. */
export function held(
  visit: Visit,
  words: string,
  severity: Found['severity'],
): Pick<SessionInput, 'visits' | 'against'> {
  const found: Found = {
    ...{ code: 'LOGIN-UNEXPECTED-COUNTRY', severity, what: words, words, evidence: {}, suggest: 'x' },
    ...{
      fingerprint: fingerprintOf('LOGIN-UNEXPECTED-COUNTRY', [words]),
      first: visit.time,
      last: visit.time,
      times: 1,
    },
    ...{ visit, address: undefined },
  };
  return { visits: [visit], against: new Map([[visit, [found]]]) };
}
