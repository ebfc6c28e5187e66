import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { offspring, processTable, statOf, terminalName } from '../../src/host/process-table.js';
import { BOOT, hostWith } from './proc-tree.js';

const REST = '17 18 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 998877 1000 2';

describe('/proc/PID/stat', () => {
  test('all that is taken of it', () => {
    expect(statOf(`17 (bash) S 5 ${REST}`)).toEqual({
      name: 'bash',
      state: 'S',
      parent: 5,
      leader: 18,
      tty: 34_816,
      flags: 4_194_560,
      ticks: 998_877,
    });
  });

  test('no name can pretend to be older, or on another terminal', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (name) => {
        expect(statOf(`17 (${name}) S 5 ${REST}`)).toMatchObject({ name, parent: 5, tty: 34_816, ticks: 998_877 });
      }),
    );
  });

  test.each(['', '17', '17 (bash', '17 bash) S 5', '17 (bash) S 5 1 2'])('%j is none', (text) => {
    expect(statOf(text)).toBeUndefined();
  });
});

test.each([
  [0, undefined],
  [(136 << 8) | 7, 'pts/7'],
  // Beyond 255 the number goes on in the upper bits (new_encode_dev, include/linux/kdev_t.h).
  [(136 << 8) | 1 | (1 << 20), 'pts/257'],
  [(137 << 8) | 3, 'pts/259'],
  [(4 << 8) | 1, 'tty1'],
  [(4 << 8) | 65, 'ttyS1'],
  [(5 << 8) | 1, undefined],
])('terminal %i is %s', (number, name) => expect(terminalName(number)).toBe(name));

test('a process as the kernel has it; threads of the kernel and the dead are left out', async () => {
  const { proc } = await hostWith({
    20: { name: 'a b) (c', parent: 10, exe: '/usr/bin/x (deleted)', uid: 5, pts: 3, loginUid: 1000, audit: 7, at: 60 },
    21: { name: 'kworker', parent: 2, flags: 0x200000 },
    22: { name: 'gone', parent: 10, state: 'Z' },
    23: { name: 'sh', parent: 20, group: '/user.slice/user-1000.slice/session-4.scope' },
  });
  const table = processTable(proc);
  expect([...table.rows.keys()].sort((a, b) => a - b)).toEqual([1, 10, 20, 23]);
  expect(table.rows.get(20)).toEqual({
    ...{ pid: 20, name: 'a b) (c', program: 'x', parent: 10, leader: 20, tty: 'pts/3', uid: 5 },
    ...{ ticks: 6_000, start: BOOT + 60_000, loginUid: 1000, audit: 7, unit: undefined },
  });
  expect(table.rows.get(23)).toMatchObject({
    audit: undefined,
    loginUid: undefined,
    unit: { name: 'session-4.scope' },
  });
  const all = offspring(
    [table.rows.get(10)].filter((row) => row !== undefined),
    table,
  );
  expect(all.map(({ pid }) => pid)).toEqual([10, 20, 23]);
});
