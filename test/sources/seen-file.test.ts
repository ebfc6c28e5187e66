import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeColumns } from '../../src/io/columns-file.js';
import { IpSet, parseAddress } from '../../src/ip/index.js';
import { SeenFile } from '../../src/sources/seen-file.js';
import { problemOf, tempFolder } from '../io/temp.js';

const DAY = 86_400_000;
/** 22 August 2026, 12:00 UTC: so many whole days since 1970 as date(1) prints seconds / 86400. */
const NOON = 1_787_400_000_000;
const TODAY = 20_687;

function body(day: number, ...entries: string[]) {
  return { set: IpSet.from(entries), at: NOON + day * DAY };
}

const CURRENT = body(0, '192.0.2.1');

async function fileIn(folder: string) {
  const path = join(folder, 's', 'seen');
  const seen = new SeenFile(path);
  const days = (address: string, current = CURRENT) => {
    const found = seen.days(current, IpSet.from([address]))(parseAddress(address));
    return found && [found.first - TODAY, found.last - TODAY];
  };
  return { path, seen, days };
}

describe('without a file', () => {
  test('the body that is there counts since its date', async () => {
    const { days } = await fileIn(await tempFolder());
    expect(days('192.0.2.1')).toEqual([0, 0]);
    expect(days('192.0.2.2')).toBeUndefined();
    expect(days('2001:db8::1')).toBeUndefined();
  });

  test('the first change: what was there counts since its date', async () => {
    const { seen, days } = await fileIn(await tempFolder());
    await seen.advance(
      body(-9, '192.0.2.1', '192.0.2.2', '2001:db8::/64'),
      body(0, '192.0.2.2', '192.0.2.3', '2001:db8::1'),
    );
    expect(days('192.0.2.1')).toEqual([-9, -9]);
    expect(days('192.0.2.2')).toEqual([-9, 0]);
    expect(days('192.0.2.3')).toEqual([0, 0]);
    expect(days('2001:db8::1')).toEqual([-9, 0]);
    expect(days('2001:db8::2')).toEqual([-9, -9]);
    expect(days('192.0.2.4')).toBeUndefined();
  });

  test('a first body leaves none', async () => {
    const { seen, path, days } = await fileIn(await tempFolder());
    await seen.advance(undefined, CURRENT);
    await expect(readFile(path)).rejects.toThrow('ENOENT');
    expect(days('192.0.2.1')).toEqual([0, 0]);
  });
});

describe('days after days', () => {
  test('what stays keeps its first day, what goes keeps its last one', async () => {
    const { seen, days } = await fileIn(await tempFolder());
    await seen.advance(body(-30, '192.0.2.0/24'), body(-20, '192.0.2.0/25'));
    await seen.advance(body(-20, '192.0.2.0/25'), body(-10, '192.0.2.0/26', '198.51.100.1'));
    await seen.advance(body(-10, '192.0.2.0/26', '198.51.100.1'), body(0, '192.0.2.0/24'));
    expect(days('192.0.2.1')).toEqual([-30, 0]);
    expect(days('192.0.2.64')).toEqual([-30, 0]);
    expect(days('192.0.2.200')).toEqual([-30, 0]);
    expect(days('198.51.100.1')).toEqual([-10, -10]);
  });

  test('the file counts, not the body before', async () => {
    const { seen, days } = await fileIn(await tempFolder());
    await seen.advance(body(-30, '192.0.2.1'), body(-20, '192.0.2.1', '192.0.2.2'));
    await seen.advance(body(-1, '192.0.2.1', '192.0.2.9'), body(0, '192.0.2.1'));
    expect(days('192.0.2.1')).toEqual([-30, 0]);
    expect(days('192.0.2.2')).toEqual([-20, -20]);
    expect(days('192.0.2.9')).toBeUndefined();
  });

  test.each([
    [90, [-100, -100]],
    [91, undefined],
  ])('what went %i days ago', async (ago, expected) => {
    const { seen, days } = await fileIn(await tempFolder());
    await seen.advance(body(-100, '192.0.2.1'), body(-100 + ago, '198.51.100.1'));
    expect(days('192.0.2.1')).toEqual(expected);
  });

  test('days begin at midnight UTC', async () => {
    const { seen, days } = await fileIn(await tempFolder());
    const midnight = { set: IpSet.from(['192.0.2.1']), at: NOON - DAY / 2 };
    await seen.advance({ ...midnight, at: midnight.at - 1 }, midnight);
    expect(days('192.0.2.1')).toEqual([-1, 0]);
  });
});

describe('a file that is', () => {
  const valid = encodeColumns({ header: 'seen', columns: Array.from({ length: 8 }, () => new Uint32Array(0)) });
  test.each<[what: string, bytes: Buffer]>([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('192.0.2.1\n'.repeat(9))],
    ['cut off', valid.subarray(0, -1)],
    ['damaged', Buffer.concat([valid.subarray(0, 20), Buffer.from([0]), valid.subarray(21)])],
  ])('%s is as good as none', async (_, bytes) => {
    const { seen, path, days } = await fileIn(await tempFolder());
    await mkdir(join(path, '..'));
    await writeFile(path, bytes);
    expect(days('192.0.2.1')).toEqual([0, 0]);
    await seen.advance(body(-3, '192.0.2.1'), CURRENT);
    expect(days('192.0.2.1')).toEqual([-3, 0]);
  });

  test('empty, but whole: nothing was seen', async () => {
    const { path, days } = await fileIn(await tempFolder());
    await mkdir(join(path, '..'));
    await writeFile(path, valid);
    expect(days('192.0.2.1')).toBeUndefined();
  });

  test('a folder is told', async () => {
    const { seen, path } = await fileIn(await tempFolder());
    await mkdir(path, { recursive: true });
    expect(await problemOf(() => seen.advance(body(-3, '192.0.2.1'), CURRENT))).toMatchObject({
      code: 'file-unreadable',
    });
  });
});
