import { expect, test } from 'vitest';
import { verdict } from './requirements.js';

const ABSENT = 'no-such-program-anywhere';

test('a test runs when everything it needs is there', () => {
  expect(verdict(['sh', 'cat'], {})).toEqual({ run: true });
  expect(verdict([], { CI: 'true' })).toEqual({ run: true });
});

test('a missing program skips, with the reason', () => {
  expect(verdict(['sh', ABSENT], {})).toEqual({ run: false, mustFail: false, why: `${ABSENT} is not installed` });
});

test('under CI=true a missing program fails', () => {
  expect(verdict([ABSENT], { CI: 'true' })).toEqual({ run: false, mustFail: true, why: `${ABSENT} is not installed` });
  expect(verdict([ABSENT], { CI: '' })).toEqual({ run: false, mustFail: false, why: `${ABSENT} is not installed` });
});
