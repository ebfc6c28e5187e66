import type { Found } from '../../../src/check/logins/found.js';
import { Knowledge } from '../../../src/check/logins/knowledge.js';
import { type ReviewInput, reviewLogins } from '../../../src/check/logins/review.js';
import type { AddressFacts } from '../../../src/check/logins/rule.js';
import { IpSet } from '../../../src/ip/index.js';
import type { Visit } from '../../../src/logins/visit.js';

export const DAY = 86_400_000;
export const T = Date.UTC(2026, 5, 1);

/** A login that nobody has anything against. */
export function visit(days: number, more: Partial<Visit> = {}): Visit {
  const time = T + days * DAY;
  return {
    user: 'alice',
    address: '198.51.100.23',
    peer: undefined,
    service: 'sshd',
    time,
    last: time,
    times: 1,
    port: 50_000,
    tty: undefined,
    pid: 1000 + Math.floor(days),
    method: 'publickey',
    key: 'SHA256:known',
    end: undefined,
    endedBy: undefined,
    writer: 'root',
    hasTerminal: false,
    isOpened: true,
    failures: 0,
    places: [{ kind: 'journal', file: 'journal', at: `s=${days}` }],
    ...more,
  };
}

export const FACTS: AddressFacts = {
  place: 'public',
  country: 'de',
  network: undefined,
  listed: [],
  isAllowed: false,
  isKeptOut: false,
};

/** Ten days with two logins a day from Germany: then a user is known. */
export function usual(more: Partial<Visit> = {}): Visit[] {
  return Array.from({ length: 20 }, (_, i) => visit(i / 2, more));
}

export interface Made extends Partial<Omit<ReviewInput, 'visits' | 'factsOf'>> {
  /** what is known of addresses; of all others: Germany */
  readonly facts?: Readonly<Record<string, Partial<AddressFacts>>>;
}

export function review(visits: readonly Visit[], { facts = {}, ...more }: Made = {}): Found[] {
  return reviewLogins({
    visits,
    factsOf: (address) => ({ ...FACTS, ...facts[address] }),
    expected: { countries: new Set(), nets: IpSet.empty, users: new Map() },
    knowledge: new Knowledge({}, 0),
    admins: new Set(['root']),
    isLive: () => false,
    isAccepted: () => false,
    desk: { line: (command) => `blocklist ${command}`, path: (path) => path, callerAddress: '192.0.2.1' },
    ...more,
  });
}

export const codes = (found: ReadonlyArray<Pick<Found, 'code' | 'severity'>>) =>
  found.map(({ code, severity }) => `${severity} ${code}`);
