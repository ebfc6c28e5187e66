import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLastlog } from '../../src/logins/lastlog.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { eventsOf, T0 } from './read.js';

interface Slot {
  readonly uid: number;
  readonly seconds?: number;
  readonly line?: string;
  readonly host?: string;
  readonly junk?: number;
}

function slotBytes({ seconds = T0, line = 'pts/0', host = '198.51.100.23', junk }: Slot, size: 292 | 296): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(seconds, 0);
  bytes.write(line, size - 288, 32);
  bytes.write(host, size - 256, 256);
  if (junk !== undefined) bytes[junk] = 1;
  return bytes;
}

/** A lastlog with these slots and holes between them. */
async function lastlog(slots: readonly Slot[], size: 292 | 296 = 292): Promise<string> {
  const path = join(await tempFolder(), 'lastlog');
  const file = await open(path, 'w');
  for (const slot of slots) await file.write(slotBytes(slot, size), 0, size, slot.uid * size);
  await file.close();
  return path;
}

const ALICE = { name: 'alice', uid: 4242 };
const ROOT = { name: 'root', uid: 0 };
const NOBODY = { name: 'nobody', uid: 65_534 };
const read = (path: string, ...accounts: readonly { name: string; uid: number }[]) =>
  eventsOf(readLastlog(path, accounts));

test('the last login of each account that ever came, by id; other slots are not looked at', async () => {
  const path = await lastlog([
    { uid: 4242 },
    { uid: 0, line: 'tty1', host: '', seconds: T0 - 5 },
    { uid: 1000, host: 'not asked for' },
  ]);
  expect(await read(path, ALICE, NOBODY, ROOT)).toEqual([
    {
      kind: 'login',
      place: { kind: 'lastlog', file: path, at: 0 },
      time: (T0 - 5) * 1000,
      user: 'root',
      tty: 'tty1',
      service: 'login',
      writer: 'root',
    },
    {
      kind: 'login',
      place: { kind: 'lastlog', file: path, at: 4242 * 292 },
      time: T0 * 1000,
      user: 'alice',
      address: '198.51.100.23',
      tty: 'pts/0',
      service: 'sshd',
      writer: 'root',
    },
  ]);
});

test('slots of a machine whose times have 64 bits', async () => {
  const path = await lastlog(
    [
      { uid: 0, host: '2001:db8::1' },
      { uid: 4242, host: 'vpn.example.net' },
    ],
    296,
  );
  expect(await read(path, ROOT, ALICE)).toMatchObject([
    { user: 'root', address: '2001:db8::1', place: { at: 0 } },
    { user: 'alice', peer: 'vpn.example.net', place: { at: 4242 * 296 } },
  ]);
});

test('the largest id there can be: a terabyte of which three hundred bytes are read', async () => {
  const uid = 0xffff_fffe;
  const path = await lastlog([{ uid: 4242 }]);
  await truncate(path, (uid + 1) * 292).catch(() => undefined);
  const start = performance.now();
  expect(await read(path, ALICE, { name: 'far', uid })).toMatchObject([{ user: 'alice' }]);
  expect(performance.now() - start).toBeLessThan(1000);
});

test('two names of one id have one slot; the first one has it', async () => {
  const path = await lastlog([{ uid: 0 }]);
  expect(await read(path, ROOT, { name: 'toor', uid: 0 })).toMatchObject([{ user: 'root' }]);
});

test('junk behind a text, a time of zero, a file that ends within a slot', async () => {
  const path = await lastlog([{ uid: 1, junk: 30 }, { uid: 2, seconds: 0 }, { uid: 3 }, { uid: 4 }, { uid: 5 }]);
  await truncate(path, 6 * 292 - 10);
  const accounts = [1, 2, 3, 4, 5].map((uid) => ({ name: `u${uid}`, uid }));
  expect(await read(path, ...accounts)).toMatchObject([
    { kind: 'oddity', code: 'damaged', place: { at: 292 }, facts: { from: 292, to: 584, user: 'u1' } },
    { kind: 'oddity', code: 'damaged', place: { at: 584 }, facts: { user: 'u2' } },
    { kind: 'login', user: 'u3' },
    { kind: 'login', user: 'u4' },
    { kind: 'oddity', code: 'partial', place: { at: 1460 }, facts: { bytes: 282 } },
  ]);
});

test('an empty file says nothing; none, or a folder, is told', async () => {
  const root = await tempFolder();
  await writeFile(join(root, 'empty'), '');
  expect(await read(join(root, 'empty'), ROOT)).toEqual([]);
  expect(await problemOf(() => read(join(root, 'none'), ROOT))).toMatchObject({ code: 'file-unreadable' });
  expect(await problemOf(() => read(root, ROOT))).toMatchObject({ code: 'file-unreadable' });
});
