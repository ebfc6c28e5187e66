import { expect, test } from 'vitest';
import { run } from '../../src/io/run.js';
import { problemOf } from './temp.js';

test('the deadline also holds for a program whose child keeps the pipes open', async () => {
  const began = Date.now();
  const problem = await problemOf(() => run(['sh', '-c', 'sleep 20 & sleep 20'], { timeoutMs: 300 }));
  expect(problem.code).toBe('program-timeout');
  expect(Date.now() - began).toBeLessThan(10_000);
});

test('a program that somebody else killed was not late', async () => {
  const problem = await problemOf(() => run(['sh', '-c', 'kill -KILL $$']));
  expect(problem).toMatchObject({ code: 'program-failed', message: 'sh was ended by SIGKILL' });
});
