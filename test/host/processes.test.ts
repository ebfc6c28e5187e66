import { mkdir, symlink, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineage, parseStat, socketOwners, startedWith } from '../../src/host/processes.js';
import { tempFolder } from '../io/temp.js';

describe('/proc/PID/stat', () => {
  test.each([
    ['17 (bash) S 5 17 17 0 -1 ', { name: 'bash', parent: 5 }],
    ['17 (tmux: server) S 1 17 17 ', { name: 'tmux: server', parent: 1 }],
    ['17 (a) S 1 (b) R 9 17 ', { name: 'a) S 1 (b', parent: 9 }],
    ['17 () R 9 17 ', { name: '', parent: 9 }],
    ['17 (x\\ny) R 0 17 ', { name: 'x\\ny', parent: 0 }],
    ['', undefined],
    ['17 (bash', undefined],
    ['17 bash) S 5 ', undefined],
    ['17 (bash) S -5 ', undefined],
    ['17 (bash) S', undefined],
  ])('%j', (text, expected) => expect(parseStat(text)).toEqual(expected));

  test('no name can pretend another parent', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), fc.nat(), (name, parent) => {
        expect(parseStat(`5 (${name}) S ${parent} 1 2`)).toEqual({ name, parent });
      }),
    );
  });
});

/** A folder that looks like /proc. */
async function proc(
  processes: Readonly<Record<number, { comm: string; parent: number; fds: readonly string[]; environ?: string }>>,
) {
  const folder = await tempFolder();
  for (const [pid, { comm, parent, fds, environ }] of Object.entries(processes)) {
    await mkdir(`${folder}/${pid}/fd`, { recursive: true });
    await writeFile(`${folder}/${pid}/comm`, `${comm}\n`);
    await writeFile(`${folder}/${pid}/stat`, `${pid} (${comm}) S ${parent} 1 1`);
    if (environ !== undefined) await writeFile(`${folder}/${pid}/environ`, environ);
    for (const [fd, target] of fds.entries()) await symlink(target, `${folder}/${pid}/fd/${fd}`);
  }
  await mkdir(`${folder}/sys`);
  // One that ended while we looked, and one that is a file.
  await mkdir(`${folder}/99`);
  await writeFile(`${folder}/100`, '');
  return folder;
}

describe('who holds a socket', () => {
  test('several sockets, several processes, one socket twice in one process', async () => {
    const folder = await proc({
      5: { comm: 'sshd', parent: 1, fds: ['/dev/null', 'socket:[11]', 'socket:[11]', 'socket:[12]'] },
      6: {
        comm: '",pid=1,fd=3),(',
        parent: 5,
        fds: ['socket:[11]', 'pipe:[12]', 'socket:[12] (deleted)', '/socket:[13]'],
      },
      7: { comm: 'a\nb', parent: 5, fds: ['socket:[14]'] },
    });
    const owners = socketOwners(new Set([11, 12, 13, 14]), folder);
    expect([...owners]).toEqual([
      [
        11,
        [
          { name: 'sshd', pid: 5 },
          { name: '",pid=1,fd=3),(', pid: 6 },
        ],
      ],
      [12, [{ name: 'sshd', pid: 5 }]],
      [14, [{ name: 'a\nb', pid: 7 }]],
    ]);
    expect(socketOwners(new Set(), folder).size).toBe(0);
  });

  test('a main thread that has ended does not hide the others', async () => {
    const folder = await proc({ 5: { comm: 'x', parent: 1, fds: [] }, 6: { comm: 'kworker', parent: 2, fds: [] } });
    await mkdir(`${folder}/5/task/5/fd`, { recursive: true });
    await mkdir(`${folder}/5/task/8/fd`, { recursive: true });
    await mkdir(`${folder}/6/task/6/fd`, { recursive: true });
    await symlink('socket:[11]', `${folder}/5/task/8/fd/3`);
    expect([...socketOwners(new Set([11]), folder)]).toEqual([[11, [{ name: 'x', pid: 5 }]]]);
  });

  test('this process, really', async () => {
    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { readdirSync, readlinkSync } = await import('node:fs');
    const links = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        // the folder's own descriptor is gone by now
        return [];
      }
    });
    const inodes = links.flatMap((link) => Number(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? 0) || []);
    const owners = [...socketOwners(new Set(inodes)).values()].flat();
    expect(owners.map(({ pid }) => pid)).toContain(process.pid);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the parents of a process', () => {
  test('up to process 1, which is left out', async () => {
    const folder = await proc({
      1: { comm: 'init', parent: 0, fds: [] },
      5: { comm: 'sshd', parent: 1, fds: [] },
      6: { comm: 'x) S 1 (', parent: 5, fds: [] },
    });
    expect(lineage(6, folder)).toEqual([
      { name: 'x) S 1 (', pid: 6 },
      { name: 'sshd', pid: 5 },
    ]);
    expect(lineage(77, folder)).toEqual([]);
  });

  test('a circle, as numbers that are used again can make one, ends', async () => {
    const folder = await proc({ 5: { comm: 'a', parent: 6, fds: [] }, 6: { comm: 'b', parent: 5, fds: [] } });
    expect(lineage(6, folder).length).toBeLessThanOrEqual(1_000);
  });

  test('our own begin with us', () => {
    expect(lineage(process.pid)[0]?.pid).toBe(process.pid);
    expect(lineage(process.pid)[1]?.pid).toBe(process.ppid);
  });
});

test('a variable that a process was started with', async () => {
  const folder = await proc({
    5: { comm: 'a', parent: 1, fds: [], environ: 'A=1\0SSH_CONNECTION=x y=z\0NOT_SSH_CONNECTION=q\0' },
    6: { comm: 'a', parent: 1, fds: [] },
  });
  expect(startedWith(5, 'SSH_CONNECTION', folder)).toBe('x y=z');
  expect(startedWith(5, 'SSH', folder)).toBeUndefined();
  expect(startedWith(6, 'SSH_CONNECTION', folder)).toBeUndefined();
});
