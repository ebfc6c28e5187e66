import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goDuration, parseGoDuration } from '../../../src/sources/bans/go-duration.js';

describe('a duration of Go is read', () => {
  test.each<[text: string, ms: number]>([
    ['3h59m55.123s', 14_395_123],
    ['87599h59m59.647908517s', 315_359_999_647.908_5],
    ['1m0s', 60_000],
    ['59m58.611091767s', 3_598_611.091_767],
    ['8.61109403s', 8611.094_03],
    ['999.5ms', 999.5],
    ['1.5µs', 0.0015],
    ['1.5μs', 0.0015],
    ['1.5us', 0.0015],
    ['500000ns', 0.5],
    ['0s', 0],
    ['0', 0],
    ['-1s', -1000],
    ['-41m26.451550727s', -2_486_451.550_727],
    ['+2h', 7_200_000],
    ['.5h', 1_800_000],
    ['1.h', 3_600_000],
    ['2540400h10m10s', 9_145_440_610_000],
  ])('%s', (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 3);
  });
});

test.each([
  '',
  ' ',
  's',
  '-',
  '4',
  '4d',
  '1w',
  '4h ',
  ' 4h',
  '4 h',
  '4H',
  '4h-1m',
  '1e3s',
  '0x4h',
  '.s',
  '1..5s',
  '∞h',
  'NaNs',
  '4h\n',
  '2562048h',
  `${'9'.repeat(99)}h`,
  `${'1s'.repeat(51)}`,
])('%j is none', (text) => {
  expect(parseGoDuration(text)).toBeUndefined();
});

test('what is written is read again, as whole seconds and never shorter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 * 365 * 86_400_000 }), (ms) => {
      const text = goDuration(ms);
      expect(text).toMatch(/^\d+s$/);
      const read = parseGoDuration(text) ?? Number.NaN;
      expect(read - ms).toBeGreaterThanOrEqual(0);
      expect(read - ms).toBeLessThan(1000);
    }),
  );
});

test('any text is a finite time or none', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[-+]?[0-9.hmsnu]{0,60}$/), (text) => {
      const read = parseGoDuration(text);
      expect(read === undefined || Number.isFinite(read)).toBe(true);
    }),
  );
});
