import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../src/errors.js';
import { IpSet, type ListReport } from '../../src/ip/index.js';
import { compare, judge, refuseHtml, requireNarrow, type SourceLimits, staleness } from '../../src/sources/guards.js';
import { HOUR, LIMITS, NOON } from './specs.js';

const WHERE = 'https://feeds.example/list';
const DAY = 24 * HOUR;

function reportOf(changes: Partial<ListReport> = {}): ListReport {
  const widest = { v4: 0, v6: -1 };
  return { entries: 100, rejected: 0, reasons: {}, samples: [], hostBits: 0, widest, leftOut: 0, ...changes };
}

/** `code: message` of what a guard throws, or `passes`. */
function verdict(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    expect(error).toMatchObject({ where: WHERE, exitStatus: 5 });
    expect(error.hint).toMatch(/\w/);
    return `${error.code}: ${error.message}`;
  }
  return 'passes';
}

type Limits = Partial<SourceLimits>;

describe('judge', () => {
  const judged = (report: Partial<ListReport>, limits: Limits = {}) =>
    verdict(() => judge(reportOf(report), { ...LIMITS, ...limits }, WHERE));

  test.each<[what: string, report: Partial<ListReport>, limits: Limits, expected: string]>([
    ['one entry', { entries: 1 }, {}, 'passes'],
    ['nothing', { entries: 0 }, {}, 'source-empty: no entry: the list holds nothing'],
    ['nothing, which is right', { entries: 0 }, { canBeEmpty: true }, 'passes'],
    [
      'only filtered',
      { entries: 0, leftOut: 7 },
      {},
      'source-empty: no entry: the list holds only what is filtered out',
    ],
    ['only filtered, which is right', { entries: 0, leftOut: 7 }, { canBeEmpty: true }, 'passes'],
    [
      'only rejects',
      { entries: 0, rejected: 3 },
      {},
      'source-empty: no entry: the list holds 3 lines, none of them readable',
    ],
    [
      'only rejects, though it can be empty',
      { entries: 0, rejected: 1 },
      { canBeEmpty: true },
      'source-empty: no entry: the list holds 1 lines, none of them readable',
    ],
    [
      'filtered and rejected, though it can be empty and everything may be rejected',
      { entries: 0, rejected: 1, leftOut: 99 },
      { canBeEmpty: true, maxRejects: 1 },
      'source-empty: no entry: the list holds 1 lines, none of them readable',
    ],
  ])('emptiness: %s', (_, report, limits, expected) => {
    expect(judged(report, limits)).toBe(expected);
  });

  const SAMPLE = { line: 7, text: 'x', reason: 'not an address' } as const;
  test.each<[what: string, report: Partial<ListReport>, limits: Limits, expected: string]>([
    ['none', { entries: 95 }, { maxRejects: 0 }, 'passes'],
    ['at 5 %', { entries: 95, rejected: 5 }, {}, 'passes'],
    ['above 5 %', { entries: 94, rejected: 5 }, {}, 'source-rejects: 5 of 99 lines are unreadable'],
    ['at 5 % with what is filtered', { entries: 1, leftOut: 94, rejected: 5 }, {}, 'passes'],
    ['above 5 % with it', { entries: 1, leftOut: 93, rejected: 5 }, {}, 'source-rejects: 5 of 99 lines are unreadable'],
    [
      'one of many, none allowed',
      { entries: 9999, rejected: 1 },
      { maxRejects: 0 },
      'source-rejects: 1 of 10000 lines are unreadable',
    ],
    ['nearly all, all allowed', { entries: 1, rejected: 999 }, { maxRejects: 1 }, 'passes'],
    [
      'with the first of them',
      { entries: 1, rejected: 1, samples: [SAMPLE, { ...SAMPLE, line: 9 }] },
      {},
      'source-rejects: 1 of 2 lines are unreadable, the first in line 7: not an address',
    ],
  ])('unreadable lines: %s', (_, report, limits, expected) => {
    expect(judged(report, limits)).toBe(expected);
  });

  test.each<[what: string, report: Partial<ListReport>, expected: string]>([
    ['as many', { entries: 100, records: 100 }, 'passes'],
    ['as many, with filtered and rejected ones', { entries: 90, leftOut: 7, rejected: 3, records: 100 }, 'passes'],
    [
      'one is missing',
      { entries: 99, records: 100 },
      'source-records: 99 entries came of the 100 that the list says it holds',
    ],
    [
      'one is too many',
      { entries: 101, records: 100 },
      'source-records: 101 entries came of the 100 that the list says it holds',
    ],
    [
      'it says it holds none',
      { entries: 1, records: 0 },
      'source-records: 1 entry came of the 0 that the list says it holds',
    ],
    ['it does not say', { entries: 1 }, 'passes'],
  ])('the number of records: %s', (_, report, expected) => {
    expect(judged(report)).toBe(expected);
  });

  test('a list that can be empty and says that it holds some is cut off', () => {
    expect(judged({ entries: 0, records: 1 }, { canBeEmpty: true })).toBe(
      'source-records: 0 entries came of the 1 that the list says it holds',
    );
    expect(judged({ entries: 0, records: 0 }, { canBeEmpty: true })).toBe('passes');
  });

  test.each<[v4: number, v6: number, limits: Limits, expected: string]>([
    [-1, -1, { maxPrefixV4: 32, maxPrefixV6: 128 }, 'passes'],
    [0, 0, { maxPrefixV4: 32, maxPrefixV6: 128 }, 'passes'],
    [1, -1, { maxPrefixV4: 32 }, 'source-too-wide: it holds a /31, wider than the /32 allowed'],
    [-1, 1, { maxPrefixV6: 128 }, 'source-too-wide: it holds a /127, wider than the /128 allowed'],
    [24, -1, {}, 'passes'],
    [25, -1, {}, 'source-too-wide: it holds a /7, wider than the /8 allowed'],
    [32, -1, {}, 'source-too-wide: it holds a /0, wider than the /8 allowed'],
    [32, -1, { maxPrefixV4: 1 }, 'source-too-wide: it holds a /0, wider than the /1 allowed'],
    [-1, 112, {}, 'passes'],
    [-1, 113, {}, 'source-too-wide: it holds a /15, wider than the /16 allowed'],
    [-1, 128, {}, 'source-too-wide: it holds a /0, wider than the /16 allowed'],
    [25, 113, {}, 'source-too-wide: it holds a /7, wider than the /8 allowed'],
    [24, 113, {}, 'source-too-wide: it holds a /15, wider than the /16 allowed'],
  ])('the widest entry, %i host bits of IPv4 and %i of IPv6 with %j', (v4, v6, limits, expected) => {
    expect(judged({ widest: { v4, v6 } }, limits)).toBe(expected);
  });

  test('the hint names the key of the family', () => {
    const hintOf = (widest: ListReport['widest']) => {
      try {
        judge(reportOf({ widest }), LIMITS, WHERE);
      } catch (error) {
        return (error as BlocklistError).hint;
      }
      return 'passes';
    };
    expect(hintOf({ v4: 25, v6: -1 })).toContain('max-prefix-v4');
    expect(hintOf({ v4: -1, v6: 113 })).toContain('max-prefix-v6');
  });
});

describe('compare', () => {
  const compared = (now: number, then: number, limits: Limits = {}) =>
    verdict(() => compare(reportOf({ entries: now }), reportOf({ entries: then }), { ...LIMITS, ...limits }, WHERE));
  const shrunk = (now: string, then: string, limit = '50.00 %') =>
    `source-shrunk: ${now} ${now === '1' ? 'entry' : 'entries'} came, last good has ${then}: fewer than the ${limit} allowed`;
  const grown = (now: string, then: string, limit = '300 %') =>
    `source-grown: ${now} entries came, last good has ${then}: more than the ${limit} allowed`;

  test.each<[now: number, then: number, limits: Limits, expected: string]>([
    [1000, 1000, {}, 'passes'],
    [501, 1000, {}, 'passes'],
    [500, 1000, {}, 'passes'],
    [499, 1000, {}, shrunk('499', '1,000')],
    [3000, 1000, {}, 'passes'],
    [3001, 1000, {}, grown('3,001', '1,000')],
    [1, 1_234_567, {}, shrunk('1', '1,234,567')],
    [999, 1000, { shrink: 1 }, shrunk('999', '1,000', '100 %')],
    [1000, 1000, { shrink: 1, grow: 1 }, 'passes'],
    [1001, 1000, { grow: 1 }, grown('1,001', '1,000', '100 %')],
    [1, 1000, { shrink: 0 }, 'passes'],
    [667, 1000, { shrink: 0.6667 }, 'passes'],
    [666, 1000, { shrink: 0.6667 }, shrunk('666', '1,000', '66.67 %')],
    // a limit is told as it was written
    [569, 1000, { shrink: 0.57 }, shrunk('569', '1,000', '57.00 %')],
    [689, 1000, { shrink: 0.69 }, shrunk('689', '1,000', '69.00 %')],
    // an odd count has no half
    [50, 101, {}, shrunk('50', '101')],
    [51, 101, {}, 'passes'],
  ])('%i entries after %i, with %j', (now, then, limits, expected) => {
    expect(compared(now, then, limits)).toBe(expected);
  });

  test.each<[now: number, then: number, expected: string]>([
    [1, 19, 'passes'],
    [19, 1, 'passes'],
    [19, 19, 'passes'],
    [9, 20, shrunk('9', '20')],
    [10, 20, 'passes'],
    [20, 6, grown('20', '6')],
    [20, 7, 'passes'],
    [0, 19, 'passes'],
    [0, 20, shrunk('0', '20')],
  ])('small lists change as they like up to 19 entries: %i after %i', (now, then, expected) => {
    expect(compared(now, then)).toBe(expected);
  });

  test.each<[now: number, then: number, expected: string]>([
    [0, 1000, 'passes'],
    [1, 1000, shrunk('1', '1,000')],
    [1000, 0, 'passes'],
    [0, 0, 'passes'],
  ])('a list that can be empty: %i after %i', (now, then, expected) => {
    expect(compared(now, then, { canBeEmpty: true })).toBe(expected);
  });

  test('only entries count', () => {
    const [now, then] = [reportOf({ entries: 100, rejected: 900, leftOut: 9000 }), reportOf({ rejected: 1 })];
    expect(verdict(() => compare(now, then, LIMITS, WHERE))).toBe('passes');
  });
});

describe('staleness', () => {
  const [AGE, UNCHANGED] = [14 * DAY, 7 * DAY];
  const words = (fetched: number, changed: number, limits: Limits = { maxUnchangedMs: UNCHANGED }) => {
    const facts = { fetched: NOON - fetched, changed: NOON - changed };
    const problem = staleness(facts, NOON, { ...LIMITS, ...limits }, WHERE);
    if (problem !== undefined) expect(problem).toMatchObject({ where: WHERE, exitStatus: 5 });
    return problem && `${problem.code}: ${problem.message}`;
  };
  const stale = 'source-stale: not confirmed by its server for';
  const frozen = 'the same for';

  test.each<[fetched: number, changed: number, limits: Limits | undefined, expected: string | undefined]>([
    [0, 0, undefined, undefined],
    [0, UNCHANGED, undefined, undefined],
    [
      0,
      UNCHANGED + 1,
      undefined,
      `source-frozen: ${frozen} 7 days, longer than the 7 days expected: nobody may be tending it`,
    ],
    [
      0,
      30 * DAY,
      undefined,
      `source-frozen: ${frozen} 30 days, longer than the 7 days expected: nobody may be tending it`,
    ],
    [0, 30 * DAY, {}, undefined],
    [AGE, AGE, {}, undefined],
    [AGE + 1, AGE, {}, `${stale} 14 days, longer than the 14 days allowed`],
    [100 * DAY, 100 * DAY, undefined, `${stale} 100 days, longer than the 14 days allowed`],
    [2 * HOUR, 2 * HOUR, { maxAgeMs: HOUR }, `${stale} 2 hours, longer than the 1 hour allowed`],
    // the clock of the host went back
    [-DAY, -DAY, undefined, undefined],
  ])('fetched %i ms ago, changed %i ms ago, with %j', (fetched, changed, limits, expected) => {
    expect(words(fetched, changed, limits)).toBe(expected);
  });
});

describe('requireNarrow', () => {
  const narrow = (limit: number, ...entries: string[]) =>
    verdict(() => requireNarrow(IpSet.from(entries), limit, WHERE));

  test.each<[limit: number, entries: string[], expected: string]>([
    [0, [], 'passes'],
    [0.0625, ['0.0.0.0/4'], 'passes'],
    [0.0625, ['0.0.0.0/4', '16.0.0.0'], 'allow-coverage: it would allow 6.25 % of IPv4, more than the 6.25 % allowed'],
    [0.1, ['0.0.0.0/3'], 'allow-coverage: it would allow 12.50 % of IPv4, more than the 10.00 % allowed'],
    [0.1, ['0.0.0.0/0'], 'allow-coverage: it would allow 100 % of IPv4, more than the 10.00 % allowed'],
    [1, ['0.0.0.0/0', '2000::/3'], 'passes'],
    // of 2000::/3, which is an eighth of all
    [0.125, ['2000::/6'], 'passes'],
    [0.125, ['2000::/6', '2600::'], 'passes'],
    [0.1, ['2000::/6'], 'allow-coverage: it would allow 12.50 % of IPv6, more than the 10.00 % allowed'],
    [0.1, ['2000::/3'], 'allow-coverage: it would allow 100 % of IPv6, more than the 10.00 % allowed'],
    [1, ['::/0'], 'allow-coverage: it would allow 800 % of IPv6, more than the 100 % allowed'],
    [0, ['192.0.2.1'], 'allow-coverage: it would allow 0 % of IPv4, more than the 0 % allowed'],
    [0.1, ['0.0.0.0/3', '2000::/3'], 'allow-coverage: it would allow 12.50 % of IPv4, more than the 10.00 % allowed'],
  ])('at most %d: %j', (limit, entries, expected) => {
    expect(narrow(limit, ...entries)).toBe(expected);
  });
});

describe('refuseHtml', () => {
  const HTML = 'source-html: a web page came in place of a list';
  const refused = (text: string | Buffer) => verdict(() => refuseHtml(Buffer.from(text), WHERE));
  const html = (bytes: number) => `${'#'.repeat(bytes)}<html`;

  test.each<[what: string, text: string | Buffer, expected: string]>([
    ['nothing', '', 'passes'],
    ['a list', '192.0.2.1\n', 'passes'],
    ['a doctype', '<!DOCTYPE html>\n<p>192.0.2.1', HTML],
    ['a doctype in lower case behind blanks', '\n\n  <!doctype html>', HTML],
    ['behind a byte order mark', '\ufeff<!doctype html>', HTML],
    ['html', '<HTML lang=en>', HTML],
    ['head', '<head>', HTML],
    ['head with an attribute', '<head prefix="x">', HTML],
    ['a comment first', '<!-- maintenance -->\n<html>', HTML],
    ['XHTML', '<?xml version="1.0"?>\n<html xmlns="x">', HTML],
    ['a header is no head', '<header>', 'passes'],
    ['a table of its own', '<table>', 'passes'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80]), 'passes'],
    ['html, the last five of 512 bytes', html(507), HTML],
    ['html, cut off by byte 512', html(508), 'passes'],
  ])('%s', (_, text, expected) => {
    expect(refused(text)).toBe(expected);
  });
});
