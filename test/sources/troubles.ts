import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import type { ListSpec } from '../../src/sources/list-source.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { type Answer, sends, testServer } from './server.js';
import { HOUR, keptIn, loadSpec, NOON, textOf, urlSpec } from './specs.js';

/** What a server can do wrong, and what has to come of it. */
export interface Trouble {
  readonly what: string;
  readonly answer: Answer;
  readonly code: ErrorCode;
  /** part of the message */
  readonly message: string;
  readonly changes?: Partial<ListSpec>;
  readonly timeoutMs?: number;
}

/** Two tests for each: a first fetch, and one of a source that has last good. */
export function describeTroubles(troubles: readonly Trouble[]): void {
  describe.each(troubles)('$what', ({ answer, code, message, changes, timeoutMs }) => {
    test('without last good: the error, and nothing is kept', async () => {
      const server = await testServer(answer);
      const cache = join(await tempFolder(), 'cache');
      const problem = await problemOf(() => loadSpec(urlSpec(`${server.origin}/list`, changes, timeoutMs), cache));
      expect(problem.code).toBe(code);
      expect(problem.message).toContain(message);
      expect(problem.exitStatus).toBe(5);
      expect(await keptIn(cache)).toEqual({});
    });

    test('with last good: it serves, with its date and the problem, and stays as it is on disk', async () => {
      const server = await testServer(sends('192.0.2.1\n192.0.2.2\n', { etag: '"1"' }));
      const cache = join(await tempFolder(), 'cache');
      const spec = urlSpec(`${server.origin}/list`, changes, timeoutMs);
      // The first fetch is not the one that must be late.
      await loadSpec(urlSpec(`${server.origin}/list`, changes), cache);
      const before = await keptIn(cache);
      server.answer = answer;

      const { set, state, date, problem, counts } = await loadSpec(spec, cache, 'use', NOON + HOUR);
      expect(textOf(set)).toEqual(['192.0.2.1', '192.0.2.2']);
      expect({ state, date, code: problem?.code, entries: counts.entries }).toEqual({
        state: 'kept',
        date: NOON,
        code,
        entries: 2,
      });
      expect(problem?.message).toContain(message);
      expect(await keptIn(cache)).toEqual(before);

      const offline = await loadSpec(spec, cache, 'avoid', NOON + 2 * HOUR);
      expect(offline).toMatchObject({ state: 'kept', date: NOON });
      expect(offline.problem).toBeUndefined();
    });
  });
}
