import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../../src/errors.js';
import { formatPrefix } from '../../../src/ip/index.js';
import { readDecisions, type Wanted } from '../../../src/sources/bans/crowdsec-decisions.js';
import { HOUR, NOON } from '../specs.js';

const WANTED: Wanted = { scopes: ['ip', 'range', 'country', 'as'], own: 'blocklist/web1' };

/** A decision as version 1.4.6 sends it, with changes. */
function decision(changes: object = {}) {
  return {
    ...{ duration: '3h59m58.5s', id: 1, origin: 'crowdsec', scenario: 'crowdsecurity/ssh-bf' },
    ...{ scope: 'Ip', type: 'ban', value: '45.9.1.7' },
    ...changes,
  };
}

function read(decisions: unknown, wanted: Partial<Wanted> = {}) {
  const bytes = Buffer.from(JSON.stringify({ deleted: null, new: decisions }));
  return readDecisions(bytes, 'http://lapi', { ...WANTED, ...wanted }, NOON);
}

function targets(decisions: unknown, wanted: Partial<Wanted> = {}): string[] {
  return read(decisions, wanted).decisions.map(({ target }) =>
    'prefix' in target ? formatPrefix(target.prefix) : `${target.scope} ${target.key}`,
  );
}

test('a decision has its end from its duration, and says where it came from', () => {
  const [first] = read([decision()]).decisions;
  expect(first).toMatchObject({ until: NOON + 4 * HOUR - 1500, origin: 'crowdsec', scenario: 'crowdsecurity/ssh-bf' });
});

describe('what a decision is about', () => {
  test.each<[scope: string, value: string, target: string]>([
    ['Ip', '45.9.1.7', '45.9.1.7'],
    ['ip', '45.9.1.7', '45.9.1.7'],
    ['IP', '2a00:1::7', '2a00:1::7'],
    ['Ip', '::ffff:45.9.1.7', '45.9.1.7'],
    ['Range', '45.9.8.0/22', '45.9.8.0/22'],
    ['range', '2a00:1:2::/48', '2a00:1:2::/48'],
    ['Range', '45.9.8.99/22', '45.9.8.0/22'],
    ['Country', 'CN', 'country cn'],
    ['country', 'cn', 'country cn'],
    ['AS', 'AS4134', 'as 4134'],
    ['as', '4134', 'as 4134'],
    ['As', 'as4294967295', 'as 4294967295'],
  ])('%s %s', (scope, value, target) => {
    expect(targets([decision({ scope, value })])).toEqual([target]);
  });
});

describe('what cannot be read is counted, with a sample', () => {
  test.each<[what: string, value: unknown]>([
    ['no object', 'ban'],
    ['null', null],
    ['no value', { ...decision(), value: undefined }],
    ['no duration', { ...decision(), duration: undefined }],
    ['a number for the value', decision({ value: 7 })],
    ['no address', decision({ value: 'example.org' })],
    ['a leading zero', decision({ value: '045.9.1.7' })],
    ['a zone', decision({ value: 'fe80::1%eth0' })],
    ['a word for the range', decision({ scope: 'Range', value: 'all' })],
    ['a prefix that is too long', decision({ scope: 'Range', value: '45.9.1.0/33' })],
    ['three letters for the country', decision({ scope: 'Country', value: 'CHN' })],
    ['AS 0', decision({ scope: 'AS', value: '0' })],
    ['an AS of 33 bits', decision({ scope: 'AS', value: 'AS4294967296' })],
    ['a name for the AS', decision({ scope: 'AS', value: 'Chinanet' })],
    ['days, which Go has not', decision({ duration: '4d' })],
  ])('%s', (_, value) => {
    const { decisions, rejected, samples } = read([decision(), value]);
    expect([decisions.length, rejected]).toEqual([1, 1]);
    expect(samples).toMatchObject([{ line: 2 }]);
  });

  test('at most five samples, and of each at most 80 characters', () => {
    const { rejected, samples } = read(Array(9).fill({ value: 'x'.repeat(1000) }));
    expect([rejected, samples.length, samples[0]?.text.length]).toEqual([9, 5, 80]);
  });
});

describe('what is left out, and why', () => {
  test.each<[why: string, changes: object, wanted: Partial<Wanted>]>([
    ['not of type ban', { type: 'captcha' }, {}],
    ['not of type ban', { type: 'throttle' }, {}],
    ['simulated', { simulated: true }, {}],
    ['pushed by this host', { scenario: 'blocklist/web1', origin: 'cscli' }, {}],
    ['of another scope', { scope: 'username', value: 'bob' }, {}],
    ['of another scope', { scope: 'Country', value: 'CN' }, { scopes: ['ip', 'range'] }],
    ['of another origin', { origin: 'CAPI' }, { origins: ['crowdsec', 'cscli'] }],
    ['of another origin', { origin: 'lists', scenario: 'tor' }, { origins: ['lists:firehol'] }],
  ])('%s: %j', (why, changes, wanted) => {
    const { decisions, rejected, leftOut } = read([decision(changes)], wanted);
    expect([decisions.length, rejected, Object.fromEntries(leftOut)]).toEqual([0, 0, { [why]: 1 }]);
  });

  test.each<[changes: object, origins: readonly string[] | undefined]>([
    [{ type: 'Ban' }, undefined],
    [{ simulated: false }, undefined],
    [{ simulated: null }, undefined],
    [{ scenario: 'blocklist/web2', origin: 'cscli' }, undefined],
    [{ scenario: 'blocklist/web10' }, undefined],
    [{ origin: 'lists', scenario: 'firehol' }, ['lists:firehol']],
    [{ origin: 'lists', scenario: 'firehol' }, ['lists']],
    [{ origin: 'lists:firehol' }, ['lists:firehol']],
  ])('but not %j from %j', (changes, origins) => {
    expect(targets([decision(changes)], { origins })).toEqual(['45.9.1.7']);
  });
});

describe('an answer', () => {
  test.each(['{"new":null,"deleted":null}', '{"deleted":null,"new":[]}', '{"new":null}', ' {"new":null}\n'])(
    '%s has no decision',
    (text) => {
      expect(readDecisions(Buffer.from(text), 'x', WANTED, NOON)).toMatchObject({ decisions: [], rejected: 0 });
    },
  );

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '7',
    '{"deleted":null}',
    '{"new":{}}',
    '{"new":"none"}',
    '{"message":"access forbidden"}',
    '{"new":[{"duration":"4h","id":1,"origin":"cs',
    '{"new":[]}{"new":[]}',
    '\u0000',
  ])('%j is none', (text) => {
    const work = () => readDecisions(Buffer.from(text), 'http://lapi', WANTED, NOON);
    expect(work).toThrow(expect.objectContaining({ code: 'source-format', where: 'http://lapi' }));
  });

  test('of any bytes is read, or is a BlocklistError', () => {
    const anyJson = fc.oneof(
      fc.json(),
      fc.array(fc.anything()).map((all) => JSON.stringify({ new: all }) ?? ''),
    );
    fc.assert(
      fc.property(anyJson, (text) => {
        try {
          readDecisions(Buffer.from(text), 'x', WANTED, NOON);
        } catch (error) {
          if (!(error instanceof BlocklistError)) throw error;
        }
      }),
    );
  });
});
