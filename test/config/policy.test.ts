import { describe, expect, test } from 'vitest';
import { messages, parsed, refused } from './parsed.js';

const policy = (text: string) => parsed(`policy: {${text}}`).policy;

describe('values that are taken', () => {
  test.each<[text: string, expected: object]>([
    ['drop: new', { drop: 'new' }],
    ['drop: all', { drop: 'all' }],
    ['ports: all', { ports: [] }],
    ['ports: [22]', { ports: [22] }],
    ['ports: [443, 22, 443, 65535, 1]', { ports: [1, 22, 443, 65_535] }],
    ['skip-interfaces: []', { 'skip-interfaces': [] }],
    [
      'skip-interfaces: [wg0, "docker*", wg0, br-0123456789ab]',
      { 'skip-interfaces': ['br-0123456789ab', 'docker*', 'wg0'] },
    ],
    ['skip-interfaces: [eth0.100]', { 'skip-interfaces': ['eth0.100'] }],
    ['also-outbound: true', { 'also-outbound': true }],
    ['log: true', { log: { count: 10, per: 'minute' } }],
    ['log: false', { log: undefined }],
    ['log: 1/day', { log: { count: 1, per: 'day' } }],
    ['log: 999999/hour', { log: { count: 999_999, per: 'hour' } }],
    ['icmp-echo-limit: 10/second', { 'icmp-echo-limit': { count: 10, per: 'second' } }],
    ['icmp-echo-limit: false', { 'icmp-echo-limit': undefined }],
  ])('%s', (text, expected) => {
    const given = policy(text);
    expect(given).toEqual({ ...policy(''), ...expected });
  });
});

describe('values that are refused, with what was expected', () => {
  const INTERFACE = 'expected the name of an interface, like wg0 or docker*';
  const PORTS = 'expected all, or a list of ports like [22, 443]';
  const LOG = 'expected true, false, or a rate like 10/minute';
  const RATE = 'expected a rate like 10/second or 30/minute';
  const ECHO = 'expected false, or a rate like 10/second';
  test.each<[text: string, message: string]>([
    ['drop: some', 'policy.drop: expected one of all, new, found "some"'],
    ['ports: some', `policy.ports: ${PORTS}, found "some"`],
    ['ports: 22', `policy.ports: ${PORTS}, found 22`],
    ['ports: []', 'policy.ports: expected at least 1, found []'],
    ['ports: [0]', 'policy.ports[0]: expected at least 1, found 0'],
    ['ports: [65536]', 'policy.ports[0]: expected at most 65535, found 65536'],
    ['ports: [22.5]', 'policy.ports[0]: expected int, found 22.5'],
    ['skip-interfaces: wg0', 'policy.skip-interfaces: expected array, found "wg0"'],
    ['skip-interfaces: ["*"]', `policy.skip-interfaces[0]: ${INTERFACE}, found "*"`],
    ['skip-interfaces: ["a*b"]', `policy.skip-interfaces[0]: ${INTERFACE}, found "a*b"`],
    ['skip-interfaces: [""]', `policy.skip-interfaces[0]: ${INTERFACE}, found ""`],
    ['skip-interfaces: [sixteen-letters0]', `policy.skip-interfaces[0]: ${INTERFACE}, found "sixteen-letters0"`],
    ["skip-interfaces: ['a\" drop']", `policy.skip-interfaces[0]: ${INTERFACE}, found "a\\" drop"`],
    ['skip-interfaces: ["a/b"]', `policy.skip-interfaces[0]: ${INTERFACE}, found "a/b"`],
    ['also-outbound: 1', 'policy.also-outbound: expected boolean, found 1'],
    ['log: 10', `policy.log: ${LOG}, found 10`],
    ['log: 10/week', `policy.log: ${RATE}, found "10/week"`],
    ['log: 0/minute', `policy.log: ${RATE}, found "0/minute"`],
    ['icmp-echo-limit: true', `policy.icmp-echo-limit: ${ECHO}, found true`],
    ['icmp-echo-limit: 10', `policy.icmp-echo-limit: ${ECHO}, found 10`],
    ['icmp-echo-limit: 10/second burst 9', `policy.icmp-echo-limit: ${RATE}, found "10/second burst 9"`],
  ])('%s', (text, message) => {
    expect(messages(`policy: {${text}}`)).toEqual([`1: ${message}`]);
    expect(refused(`policy: {${text}}`)).toMatchObject({ code: 'config-invalid', exitStatus: 2 });
  });

  test('an unknown key, with what was meant', () => {
    expect(messages('policy: {prots: [22]}')).toEqual(["1: unknown key policy.prots, did you mean 'ports'?"]);
  });
});
