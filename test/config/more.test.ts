import { describe, expect, test } from 'vitest';
import { FILE, messages, refused } from './parsed.js';

describe('aliases that lead nowhere or too far are syntax errors with a line, not a defect', () => {
  test.each([
    ['guards: {}\nallow: *x\n', 2],
    [
      [
        'a: &a [x,x,x,x,x,x,x,x,x,x]',
        ...['b', 'c', 'd'].map((k, i) => `${k}: &${k} [${Array(10).fill(`*${'abc'[i]}`).join(',')}]`),
      ].join('\n'),
      1,
    ],
  ])('%j', (text, line) => {
    const problem = refused(text);
    expect(problem.code).toBe('config-syntax');
    if (line === 2) expect(problem.where).toBe(`${FILE}:2`);
  });
});

test('every unknown key is told, not only the first of a map', () => {
  expect(messages('aaa: 1\nbbb: 2\n').map((line) => line.slice(0, 18))).toEqual([
    '1: unknown key aaa',
    '2: unknown key bbb',
  ]);
});

describe('a key that belongs to the other form is not suggested as itself', () => {
  test.each([
    'sources:\n  custom:\n    - {id: a, file: x, url: "http://x/"}\n',
    'sources:\n  custom:\n    - {id: a, file: x, timeout: 60}\n',
  ])('%j', (text) => {
    const [message = ''] = messages(text);
    expect(message).not.toMatch(/unknown key sources\.custom\[0\]\.(\w+), did you mean '\1'/);
  });
});

describe('shares above the whole', () => {
  test.each(['101%', '999%'])('%s', (share) => {
    expect(refused(`guards: {max-coverage: ${share}}`).code).toBe('config-invalid');
  });
});

describe('ids that would be two sources', () => {
  test.each([
    'sources: {countries: {block: [cn, CN]}}',
    'sources: {countries: {block: [cn]}, custom: [{id: country-cn, file: x}]}',
  ])('%s', (text) => {
    expect(refused(text).code).toBe('config-invalid');
  });
});
