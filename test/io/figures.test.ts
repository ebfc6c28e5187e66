import { describe, expect, test } from 'vitest';
import { addressCount, age, grouped, percent } from '../../src/io/figures.js';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

test.each<[value: number | bigint, text: string]>([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [4_294_967_296, '4,294,967,296'],
  [10n ** 20n, '100,000,000,000,000,000,000'],
])('grouped: %s is %s', (value, text) => {
  expect(grouped(value)).toBe(text);
});

test.each<[value: bigint, text: string]>([
  [0n, '0'],
  [999_999_999_999_999n, '999,999,999,999,999'],
  [10n ** 15n, '2^49.8'],
  [2n ** 64n, '2^64.0'],
  [2n ** 103n + 2n ** 101n, '2^103.3'],
  [2n ** 128n, '2^128.0'],
])('addressCount: %s is %s', (value, text) => {
  expect(addressCount(value)).toBe(text);
});

test.each<[share: number, text: string]>([
  [0, '0 %'],
  [0.000_01, '0 %'],
  [0.000_1, '0.01 %'],
  [0.253_19, '25.31 %'],
  [0.5, '50.00 %'],
  // only the whole is 100 %
  [0.999_999, '99.99 %'],
  [1, '100 %'],
])('percent: %s is %s', (share, text) => {
  expect(percent(share)).toBe(text);
});

describe('age', () => {
  test.each<[ms: number, text: string]>([
    [0, 'now'],
    [MINUTE - 1, 'now'],
    [MINUTE, '1 minute'],
    [2 * MINUTE, '2 minutes'],
    [60 * MINUTE - 1, '59 minutes'],
    [60 * MINUTE, '1 hour'],
    [DAY - 1, '23 hours'],
    [DAY, '1 day'],
    [400 * DAY, '400 days'],
  ])('%i ms is %s', (ms, text) => {
    expect(age(ms)).toBe(text);
  });
});
