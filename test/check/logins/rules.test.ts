import { describe, expect, test } from 'vitest';
import { areNeighbours } from '../../../src/check/logins/borders.js';
import { Knowledge } from '../../../src/check/logins/knowledge.js';
import { LOGIN_RULES } from '../../../src/check/logins/rules.js';
import { IpSet } from '../../../src/ip/index.js';
import { codes, DAY, review, T, usual, visit } from './cases.js';

const ABROAD = '203.0.113.9';
const abroad = (country: string) => ({ [ABROAD]: { country } });
const listed = (source: string, what: 'list' | 'country' | 'ban', since?: number) => ({ source, what, since });
const expecting = (...countries: string[]) => ({ countries: new Set(countries), nets: IpSet.empty, users: new Map() });

describe('LOGIN-BLOCKED-ADDR', () => {
  const one = [visit(0, { address: ABROAD })];

  test('from a listed address, on the first day, too: with the list and since when', () => {
    const [found, ...more] = review(one, { facts: { [ABROAD]: { listed: [listed('ipsum-4', 'list', T - 9 * DAY)] } } });
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      code: 'LOGIN-BLOCKED-ADDR',
      severity: 'high',
      suggest: 'sudo usermod --expiredate 1 alice',
    });
    expect(found?.what).toBe('alice from 203.0.113.9 (de) by sshd: its address is listed by ipsum-4 since 2026-05-23');
  });

  test('who is still there is critical', () => {
    const facts = { [ABROAD]: { listed: [listed('a', 'list')] } };
    expect(codes(review(one, { facts, isLive: () => true }))).toEqual(['critical LOGIN-BLOCKED-ADDR']);
  });

  test('listed only after the login is medium, and says so', () => {
    const [found] = review(one, { facts: { [ABROAD]: { listed: [listed('a', 'list', T + DAY)] } } });
    expect(found).toMatchObject({ severity: 'medium', evidence: { isLater: true } });
    expect(found?.what).toContain('after this login');
  });

  test('near misses: who is allowed; no address; not listed', () => {
    const allowed = { [ABROAD]: { listed: [listed('a', 'list')], isAllowed: true } };
    expect(review(one, { facts: allowed })).toEqual([]);
    expect(review([visit(0, { address: undefined, peer: 'tty' })], { facts: allowed })).toEqual([]);
    expect(review(one)).toEqual([]);
  });

  test('root, or a name that no shell should see, is not closed by its name', () => {
    const facts = { [ABROAD]: { listed: [listed('a', 'list')] } };
    for (const user of ['root', '$(reboot)', 'a b', '-r']) {
      const [found] = review([visit(0, { address: ABROAD, user })], { facts });
      expect(found?.suggest).toBe('blocklist lockdown --allow 192.0.2.1 --for 2h');
    }
  });
});

describe('LOGIN-BLOCKED-COUNTRY', () => {
  const one = [visit(0, { address: ABROAD })];

  test('from a blocked country; from outside of those that alone may', () => {
    const blocked = { [ABROAD]: { country: 'cn', listed: [listed('country-cn', 'country')] } };
    expect(codes(review(one, { facts: blocked }))).toEqual(['high LOGIN-BLOCKED-COUNTRY']);
    expect(codes(review(one, { facts: blocked, isLive: () => true }))).toEqual(['critical LOGIN-BLOCKED-COUNTRY']);
    const [found] = review(one, { facts: { [ABROAD]: { country: 'cn', isKeptOut: true } } });
    expect(found?.what).toContain('its country, cn, is none of countries.only');
  });

  test('near misses: allowed; special; not blocked', () => {
    const country = { country: 'cn', listed: [listed('country-cn', 'country')] };
    expect(review(one, { facts: { [ABROAD]: { ...country, isAllowed: true } } })).toEqual([]);
    expect(review(one, { facts: { [ABROAD]: { ...country, place: 'special' } } })).toEqual([]);
    expect(review(one, { facts: abroad('cn') })).toEqual([]);
  });
});

describe('LOGIN-UNEXPECTED-COUNTRY', () => {
  const later = visit(20, { address: ABROAD });

  test('learned: a country where the user never was', () => {
    const [found, ...more] = review([...usual(), later], { facts: abroad('br') });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code: 'LOGIN-UNEXPECTED-COUNTRY', severity: 'medium', evidence: { usual: ['de'] } });
    expect(found?.suggest).toMatch(/^blocklist accept [0-9a-f]{12} --for 90d --reason '/);
  });

  test('of somebody who may become root it is high', () => {
    const root = [...usual({ user: 'root' }), { ...later, user: 'root' }];
    expect(codes(review(root, { facts: abroad('br') }))).toEqual(['high LOGIN-UNEXPECTED-COUNTRY']);
  });

  test('configured: at once, for everybody or for one user', () => {
    const one = [visit(0, { address: ABROAD })];
    expect(codes(review(one, { facts: abroad('br'), expected: expecting('de') }))).toEqual([
      'medium LOGIN-UNEXPECTED-COUNTRY',
    ]);
    expect(review(one, { facts: abroad('br'), expected: expecting('de', 'br') })).toEqual([]);
    const users = new Map([['alice', new Set(['br'])]]);
    expect(review(one, { facts: abroad('br'), expected: { ...expecting('de'), users } })).toEqual([]);
    expect(codes(review([visit(0)], { expected: { ...expecting('de'), users } }))).toEqual([
      'medium LOGIN-UNEXPECTED-COUNTRY',
    ]);
  });

  test('a network where everybody may come from has no country', () => {
    const nets = IpSet.from(['203.0.113.0/24']);
    expect(review([...usual(), later], { facts: abroad('br'), expected: { ...expecting(), nets } })).toEqual([]);
  });

  test('one level lower: a network of earlier good logins, or a country of others of this host', () => {
    const network = { asn: 64_500, name: 'Mobile' };
    const roaming = { '198.51.100.23': { network }, [ABROAD]: { country: 'br', network } };
    expect(codes(review([...usual(), later], { facts: roaming }))).toEqual(['low LOGIN-UNEXPECTED-COUNTRY']);
    const others = [...usual(), ...usual({ user: 'bob', address: ABROAD })].sort((a, b) => a.time - b.time);
    expect(codes(review([...others, later], { facts: abroad('br') }))).toEqual(['low LOGIN-UNEXPECTED-COUNTRY']);
  });

  test('near misses: unknown and special addresses; the first week; the first ten logins', () => {
    expect(review([...usual(), later], { facts: { [ABROAD]: { country: undefined } } })).toEqual([]);
    expect(review([...usual(), later], { facts: { [ABROAD]: { country: 'br', place: 'special' } } })).toEqual([]);
    expect(
      review([...usual().slice(0, 12), { ...later, time: T + 6.5 * DAY, last: T + 6.5 * DAY }], {
        facts: abroad('br'),
      }),
    ).toEqual([]);
    const few = Array.from({ length: 9 }, (_, i) => visit(i * 2));
    expect(review([...few, later], { facts: abroad('br') })).toEqual([]);
  });

  test('what carries a finding is never learned: the tenth time is as odd as the first', () => {
    const often = Array.from({ length: 10 }, (_, i) => visit(20 + i, { address: ABROAD }));
    expect(review([...usual(), ...often], { facts: abroad('br') })).toHaveLength(10);
    // Unless a person accepted it.
    expect(review([...usual(), ...often], { facts: abroad('br'), isAccepted: () => true }).length).toBeLessThan(10);
  });

  test('a country is forgotten after ninety days', () => {
    const before = [...usual(), visit(120, { address: ABROAD })];
    expect(review(before, { facts: abroad('br') })).toEqual([]);
  });
});

describe('LOGIN-FAST-TRAVEL', () => {
  const facts = { ...abroad('us'), '192.0.2.9': { country: 'at' } };
  const soon = (hours: number, address: string) => visit(9.5 + hours / 24, { address });
  const travels = (hours: number, address = ABROAD) =>
    codes(review([...usual(), soon(hours, address)], { facts, expected: expecting('de', 'us', 'at') }));

  test('two countries within eight hours that do not touch', () => {
    expect(travels(2)).toEqual(['medium LOGIN-FAST-TRAVEL']);
  });

  test('near misses: nine hours later; neighbours; the same country; the first week', () => {
    expect(travels(9)).toEqual([]);
    expect(travels(2, '192.0.2.9')).toEqual([]);
    expect(travels(2, '198.51.100.99')).toEqual([]);
    expect(review([visit(0), visit(0.1, { address: ABROAD })], { facts })).toEqual([]);
  });

  test('borders are the same from both sides', () => {
    for (const [one, other] of [
      ['de', 'at'],
      ['fr', 'gb'],
      ['us', 'mx'],
      ['cn', 'hk'],
    ] as const) {
      expect([areNeighbours(one, other), areNeighbours(other, one)]).toEqual([true, true]);
    }
    expect(areNeighbours('de', 'us')).toBe(false);
    expect(areNeighbours('de', '')).toBe(false);
  });
});

describe('how somebody came in', () => {
  test('LOGIN-AFTER-FAILURES: five failures, not four', () => {
    expect(codes(review([visit(0, { failures: 5 })]))).toEqual(['high LOGIN-AFTER-FAILURES']);
    expect(review([visit(0, { failures: 4 })])).toEqual([]);
  });

  test('LOGIN-NEW-KEY: another key of somebody whose keys are known', () => {
    const [found] = review([...usual(), visit(20, { key: 'SHA256:other' })]);
    expect(found).toMatchObject({
      code: 'LOGIN-NEW-KEY',
      severity: 'low',
      suggest: 'sudo ssh-keygen -lf ~alice/.ssh/authorized_keys',
    });
    expect(review([...usual(), visit(20)])).toEqual([]);
    expect(review([...usual({ key: undefined }), visit(20, { key: 'SHA256:other' })])).toEqual([]);
    expect(review([visit(0), visit(1, { key: 'SHA256:other' })])).toEqual([]);
  });

  test('LOGIN-NEW-METHOD: a password where it was a key', () => {
    expect(codes(review([...usual(), visit(20, { method: 'password', key: undefined })]))).toEqual([
      'info LOGIN-NEW-METHOD',
    ]);
    expect(review([...usual({ method: undefined }), visit(20, { method: 'password' })])).toEqual([]);
  });

  test('LOGIN-ROOT-PASSWORD: root, and by a password', () => {
    const root = (method: string) => codes(review([visit(0, { user: 'root', method })]));
    expect(root('password')).toEqual(['medium LOGIN-ROOT-PASSWORD']);
    expect(root('keyboard-interactive/pam')).toEqual(['medium LOGIN-ROOT-PASSWORD']);
    expect(root('publickey')).toEqual([]);
    expect(review([visit(0, { method: 'password' })])).toEqual([]);
    expect(review([visit(0, { user: 'root', method: 'password', address: undefined })])).toEqual([]);
  });

  test('LOG-FORGED: only the log has it, and pam knows nothing of it, as it does of others', () => {
    const genuine = visit(0, { writer: 'anyone' });
    const alone = visit(1, { writer: 'anyone', isOpened: undefined });
    expect(codes(review([genuine, alone]))).toEqual(['medium LOG-FORGED']);
    // A host without pam; one that root's records have, too; another service.
    expect(review([alone])).toEqual([]);
    expect(review([genuine, { ...alone, writer: 'root' }])).toEqual([]);
    expect(review([genuine, { ...alone, service: 'dovecot' }])).toEqual([]);
  });
});

describe('every rule', () => {
  test('has a code of its own, and makes no difference between runs', () => {
    expect(new Set(LOGIN_RULES.map(({ code }) => code)).size).toBe(LOGIN_RULES.length);
    const visits = [...usual(), visit(20, { address: ABROAD, failures: 9, key: 'SHA256:x', method: 'password' })];
    const made = () => review(visits, { facts: { [ABROAD]: { country: 'us', listed: [listed('a', 'list')] } } });
    expect(made()).toEqual(made());
    expect(codes(made())).toEqual([
      'high LOGIN-BLOCKED-ADDR',
      'high LOGIN-AFTER-FAILURES',
      'medium LOGIN-UNEXPECTED-COUNTRY',
      'low LOGIN-NEW-KEY',
      'info LOGIN-NEW-METHOD',
    ]);
  });

  test('the fingerprint is that of the person and the place: not of the hour, the port or the process', () => {
    const facts = abroad('br');
    const of = (more: object) =>
      review([...usual(), visit(20, { address: ABROAD, ...more })], { facts })[0]?.fingerprint;
    expect(of({ pid: 1, port: 2 })).toBe(of({}));
    expect(review([...usual(), visit(25, { address: ABROAD })], { facts })[0]?.fingerprint).toBe(of({}));
    expect(
      review([...usual({ user: 'bob' }), visit(20, { user: 'bob', address: ABROAD })], { facts })[0]?.fingerprint,
    ).not.toBe(of({}));
  });

  test('what was learned is written down, read again, and not learned twice', () => {
    const first = new Knowledge({}, 0);
    review(usual(), { knowledge: first });
    const kept = first.kept(T + 10 * DAY);
    const second = new Knowledge(kept.users, kept.until);
    review(usual(), { knowledge: second });
    expect(second.kept(T + 10 * DAY)).toEqual(kept);
    expect(second.countriesOf('alice', T + 11 * DAY)).toEqual(['de']);
    expect(codes(review([visit(20, { address: ABROAD })], { knowledge: second, facts: abroad('br') }))).toEqual([
      'medium LOGIN-UNEXPECTED-COUNTRY',
    ]);
    expect(first.kept(T + 200 * DAY).users.alice?.countries).toEqual({});
  });
});
