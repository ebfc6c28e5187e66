import { expect, test } from 'vitest';
import { type Fault, NEW, OLD } from '../sources/faults.js';
import { sends } from '../sources/server.js';
import { begunProjects } from './begun.js';
import { farProject, lineOf, nodesOf, rulesOf, update, updateJson } from './far.js';

/** A test for each: the source has last good and fails, is asked twice, and tells so to a program and to a person. */
export function testFaults(faults: readonly Fault[]): void {
  const rows = faults.map((fault) => [fault.what, fault.data, fault.code ?? 'no problem', fault] as const);
  const begun = begunProjects();
  test.each(rows)(
    '%s: %s data, %s',
    async (_, data, __, { play, first, keys, isPassing, came, code, line, status }) => {
      const deadline = isPassing === true ? 'fetch: {deadline: 3s}' : '';
      const kind = JSON.stringify([keys, deadline, first === undefined, play === 'gone']);
      const { server, folder } = await begun(kind, first ?? sends(OLD), async (origin) => {
        const made = await farProject(`${origin}/list`, keys, deadline);
        expect(await updateJson(made)).toEqual({ status: 0, data: 'fresh', problem: undefined });
        return made;
      });
      const before = await rulesOf(folder);
      expect(before['nodes4.txt']).toBe(`${OLD}5.6.7.10\n`);

      if (play === 'gone') await server.stop();
      else server.answer = play;
      const told = await updateJson(folder);
      expect(told).toEqual({ status, data: data === 'old' ? 'kept' : 'fresh', problem: code });

      const said = await update(folder, ['--force']);
      expect(said.status).toBe(status);
      expect(said.stderr).not.toContain('defect');
      if (line === undefined) expect(lineOf(said)).toBe('');
      else {
        expect(lineOf(said).slice(0, `far: ${line}`.length)).toBe(`far: ${line}`);
        expect(lineOf(said)).toMatch(data === 'old' ? /^far: .+; last good(, \d+ minutes? old,)? is used$/ : /^far: .+; used all the same$/);
      }

      if (data === 'old') expect(await rulesOf(folder)).toEqual(before);
      else expect(await nodesOf(folder)).toBe(`5.6.7.10\n${came ?? NEW}`);
    },
  );
}
