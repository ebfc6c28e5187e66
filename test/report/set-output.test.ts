import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { IpSet } from '../../src/ip/index.js';
import { summary, writeSet } from '../../src/report/set-output.js';

/** A stream that takes a piece at a time, late, and remembers what it got. */
function slowSink() {
  const pieces: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      pieces.push(Buffer.from(chunk));
      setImmediate(done);
    },
  });
  return { stream, text: () => Buffer.concat(pieces).toString() };
}

async function written(set: IpSet, format: Parameters<typeof writeSet>[1]): Promise<string> {
  const { stream, text } = slowSink();
  await writeSet(set, format, stream);
  await new Promise<void>((resolve) => stream.end(resolve));
  return text();
}

/** Every second address: no two of them join, and the text is some megabytes. */
const MANY = Array.from({ length: 180_000 }, (_, i) => {
  const word = 0x05000000 + 2 * i;
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
});
const LONG = Array.from(
  { length: 9000 },
  (_, i) => `2001:db8:ffff:ffff:ffff:ffff:ffff:${(0x1000 + 2 * i).toString(16)}`,
);

describe('more than one piece of output, to a slow reader', () => {
  const set = IpSet.from([...MANY, ...LONG]);
  const all = [...MANY, ...LONG];

  test.each<[format: Parameters<typeof writeSet>[1], text: string]>([
    ['cidr', all.map((line) => `${line}\n`).join('')],
    ['range', all.map((line) => `${line}\n`).join('')],
    ['nft', `{\n${all.map((line) => `\t${line},\n`).join('')}}\n`],
    ['json', `${JSON.stringify({ v4: MANY, v6: LONG })}\n`],
  ])('%s', async (format, text) => {
    expect((await written(set, format)) === text).toBe(true);
  });
});

describe('the ends of the space', () => {
  const set = IpSet.from(['0.0.0.0', '255.255.255.255', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127']);
  test.each<[format: Parameters<typeof writeSet>[1], text: string]>([
    ['cidr', '0.0.0.0\n255.255.255.255\n::\nffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127\n'],
    [
      'range',
      '0.0.0.0\n255.255.255.255\n::\nffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n',
    ],
  ])('%s', async (format, text) => {
    expect(await written(set, format)).toBe(text);
  });

  test.each<[prefix: string, text: string]>([
    ['0.0.0.0/0', '0.0.0.0-255.255.255.255\n'],
    ['::/0', '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n'],
  ])('all of it: %s', async (prefix, text) => {
    expect(await written(IpSet.from([prefix]), 'range')).toBe(text);
    expect(await written(IpSet.from([prefix]), 'cidr')).toBe(`${prefix}\n`);
  });

  test('figures of all of it', () => {
    expect(summary(IpSet.from(['0.0.0.0/0', '::/0']), 'text', 0)).toBe(
      [
        'nodes4\t0 prefixes\t0 addresses',
        'nets4\t1 prefixes\t4294967296 addresses',
        'nodes6\t0 prefixes\t0 addresses',
        'nets6\t1 prefixes\t340282366920938463463374607431768211456 addresses',
        '',
      ].join('\n'),
    );
  });
});
