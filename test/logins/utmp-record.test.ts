import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { isCertain, isLikely, LAYOUTS, UtmpRecord } from '../../src/logins/utmp-record.js';
import { fixture, T0 } from './read.js';
import { type MadeRecord, recordBytes, sshLogin } from './records.mjs';

const [SHORT, LONG] = LAYOUTS;
const judged = (some: Partial<MadeRecord>, change: (bytes: Buffer) => void = () => undefined) => {
  const bytes = recordBytes(sshLogin({ seconds: T0, ...some }));
  change(bytes);
  return { certain: isCertain(bytes, 0, SHORT), likely: isLikely(bytes, 0, SHORT) };
};
const BOTH = { certain: true, likely: true };
const NEITHER = { certain: false, likely: false };

test('a record beyond doubt has a known line and a year after 1980; one that may be has neither', () => {
  expect(judged({})).toEqual(BOTH);
  expect(judged({ line: 'strange7' })).toEqual({ certain: false, likely: true });
  expect(judged({ seconds: 30 })).toEqual({ certain: false, likely: true });
  expect(judged({ seconds: 2 ** 32 - 1 })).toEqual(BOTH);
});

test('lines that programs write', () => {
  const lines = [
    '~',
    '|',
    '{',
    ':0',
    'pts/10',
    'tty1',
    'ttyS0',
    'console',
    'hvc0',
    'ssh:notty',
    'ftpd99',
    'vsftpd:9',
    'web console',
  ];
  expect(lines.filter((line) => !judged({ line }).certain)).toEqual([]);
  expect(['pts', 'pts/0\u001b', '~x', 'x'.repeat(32)].filter((line) => judged({ line }).certain)).toEqual([]);
  expect(judged({ line: 'pts/0\u001b' })).toEqual(NEITHER);
});

test('no line: only where there need be none', () => {
  expect([5, 6, 8].map((type) => judged({ type, line: '' }))).toEqual([BOTH, BOTH, BOTH]);
  expect([1, 2, 7].map((type) => judged({ type, line: '' }))).toEqual([NEITHER, NEITHER, NEITHER]);
});

test('what makes it none', () => {
  const spoilt: readonly (readonly [what: string, change: (bytes: Buffer) => void])[] = [
    ['type 0', (bytes) => bytes.writeInt16LE(0, 0)],
    ['type 9', (bytes) => bytes.writeInt16LE(9, 0)],
    ['type beyond a byte', (bytes) => bytes.writeInt16LE(0x107, 0)],
    ['the gap behind the type', (bytes) => bytes.writeUInt8(1, 3)],
    ['junk behind the line', (bytes) => bytes.writeUInt8(1, 39)],
    ['junk behind the user', (bytes) => bytes.writeUInt8(1, 75)],
    ['junk behind the host', (bytes) => bytes.writeUInt8(1, 331)],
    ['no time', (bytes) => bytes.writeUInt32LE(0, 340)],
    ['a million microseconds', (bytes) => bytes.writeUInt32LE(1_000_000, 344)],
    ['negative microseconds', (bytes) => bytes.writeInt32LE(-1, 344)],
    ['the first reserved byte', (bytes) => bytes.writeUInt8(1, 364)],
    ['the last byte', (bytes) => bytes.writeUInt8(1, 383)],
  ];
  for (const [what, change] of spoilt) expect([what, judged({}, change)]).toEqual([what, NEITHER]);
});

test('the other layout fits no record of the samples', async () => {
  const short = await readFile(fixture('wtmp.good'));
  const long = await readFile(fixture('wtmp.aarch64'));
  const fits = (bytes: Buffer, step: number, layout: typeof SHORT) =>
    Array.from({ length: 14 }, (_, i) => isLikely(bytes, i * step, layout)).filter(Boolean).length;
  expect([fits(short, 384, SHORT), fits(long, 400, LONG)]).toEqual([14, 14]);
  expect([fits(short, 384, LONG), fits(long, 400, SHORT)]).toEqual([0, 0]);
});

test('full fields have no end of their own', () => {
  const bytes = recordBytes(
    sshLogin({ seconds: T0, line: `pts/${'0'.repeat(28)}`, user: 'u'.repeat(32), host: 'h'.repeat(256) }),
  );
  const record = new UtmpRecord(bytes, 0, SHORT);
  expect([record.line.length, record.user, record.host]).toEqual([32, 'u'.repeat(32), 'h'.repeat(256)]);
  expect([record.hostIs('h'.repeat(256)), record.hostIs('h')]).toEqual([true, false]);
});
