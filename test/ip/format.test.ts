import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BlockWalk,
  decompose,
  formatAddress,
  formatPrefix,
  IPV4,
  IPV6,
  IpSet,
  prefixLines,
  writeBlocks,
} from '../../src/ip/index.js';
import { anyHextets, runs } from './arbitraries.js';
import { hextets, lastAddress, plainText, quad, wordsOf } from './oracle.js';

type Eight = [number, number, number, number, number, number, number, number];

describe('formatAddress: IPv4', () => {
  test.each<[value: bigint, text: string]>([
    [0n, '0.0.0.0'],
    [1n, '0.0.0.1'],
    [quad(9, 10, 99, 100), '9.10.99.100'],
    [quad(127, 255, 255, 255), '127.255.255.255'],
    [quad(128, 0, 0, 0), '128.0.0.0'],
    [quad(192, 0, 2, 7), '192.0.2.7'],
    [quad(255, 255, 255, 255), '255.255.255.255'],
  ])('%s is %s', (value, text) => {
    expect(formatAddress(IPV4, wordsOf(IPV4, value))).toBe(text);
  });

  test('every octet value at every place', () => {
    for (let n = 0; n < 256; n++) {
      expect(formatAddress(IPV4, wordsOf(IPV4, quad(n, 255 - n, n, 255 - n)))).toBe(`${n}.${255 - n}.${n}.${255 - n}`);
    }
  });
});

describe('formatAddress: RFC 5952', () => {
  test.each<[rule: string, value: Eight, text: string]>([
    ['4.1 no leading zeros', [0x2001, 0x0db8, 0, 0, 0, 0, 0, 1], '2001:db8::1'],
    ['4.1 a zero hextet is one 0', [0x2001, 0xdb8, 0, 1, 0, 1, 0, 1], '2001:db8:0:1:0:1:0:1'],
    ['4.2.1 shorten as much as possible', [0x2001, 0xdb8, 0, 0, 0, 0, 2, 1], '2001:db8::2:1'],
    ['4.2.1 not 2001:db8::0:1', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], '2001:db8::1'],
    ['4.2.2 one zero hextet is not ::', [0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1'],
    ['4.2.2 one at the start', [0, 1, 2, 3, 4, 5, 6, 7], '0:1:2:3:4:5:6:7'],
    ['4.2.2 one at the end', [1, 2, 3, 4, 5, 6, 7, 0], '1:2:3:4:5:6:7:0'],
    ['4.2.3 the longest run', [0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1'],
    ['4.2.3 the first of equal runs', [0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1'],
    ['4.2.3 the first of three equal runs', [0, 0, 1, 0, 0, 1, 0, 0], '::1:0:0:1:0:0'],
    ['4.2.3 a longer run at the end', [0, 0, 1, 0, 0, 0, 0, 0], '0:0:1::'],
    ['4.2.3 a longer run at the start', [0, 0, 0, 1, 1, 0, 0, 1], '::1:1:0:0:1'],
    [
      '4.3 lower case',
      [0xabcd, 0xef01, 0xabcd, 0xef01, 0xabcd, 0xef01, 0xabcd, 0xef01],
      'abcd:ef01:abcd:ef01:abcd:ef01:abcd:ef01',
    ],
    ['appendix: loopback', [0, 0, 0, 0, 0, 0, 0, 1], '::1'],
    ['all zeros', [0, 0, 0, 0, 0, 0, 0, 0], '::'],
    ['all ones', Array(8).fill(0xffff) as Eight, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['run to the end', [1, 0, 0, 0, 0, 0, 0, 0], '1::'],
    ['run of two in the middle', [1, 2, 3, 0, 0, 6, 7, 8], '1:2:3::6:7:8'],
    ['run of two at the start', [0, 0, 3, 4, 5, 6, 7, 8], '::3:4:5:6:7:8'],
    ['run of two at the end', [1, 2, 3, 4, 5, 6, 0, 0], '1:2:3:4:5:6::'],
    ['digits of every width', [0x1, 0x10, 0x100, 0x1000, 0xf, 0xff, 0xfff, 0xffff], '1:10:100:1000:f:ff:fff:ffff'],
    ['zeros inside a hextet stay', [0x1000, 0x0100, 0x0010, 0x0a0b, 0x1, 0x2, 0x3, 0x4], '1000:100:10:a0b:1:2:3:4'],
    ['words beyond the sign bit', [0x8000, 0, 0, 0, 0x8000, 0, 0x8000, 1], '8000::8000:0:8000:1'],
    ['5 mapped, mixed form', [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201], '::ffff:192.0.2.1'],
    ['5 mapped 0.0.0.0', [0, 0, 0, 0, 0, 0xffff, 0, 0], '::ffff:0.0.0.0'],
    ['5 mapped 255.255.255.255', [0, 0, 0, 0, 0, 0xffff, 0xffff, 0xffff], '::ffff:255.255.255.255'],
    ['not mapped: fffe', [0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x0201], '::fffe:c000:201'],
    ['not mapped: one bit before', [0, 0, 0, 0, 1, 0xffff, 0xc000, 0x0201], '::1:ffff:c000:201'],
    ['not mapped: first bit set', [0x8000, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201], '8000::ffff:c000:201'],
    ['not mapped: translated', [0, 0, 0, 0, 0xffff, 0, 0xc000, 0x0201], '::ffff:0:c000:201'],
    ['64:ff9b::/96 stays hexadecimal', [0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x0221], '64:ff9b::c000:221'],
    ['deprecated compatible stays hexadecimal', [0, 0, 0, 0, 0, 0, 0xc000, 0x0201], '::c000:201'],
  ])('%s', (_rule, value, text) => {
    expect(formatAddress(IPV6, wordsOf(IPV6, hextets(...value)))).toBe(text);
  });

  test('agrees with the URL parser of node, but for the mapped form', () => {
    fc.assert(
      fc.property(anyHextets(), (value) => {
        const text = formatAddress(IPV6, wordsOf(IPV6, value));
        if (value >> 32n === 0xffffn) expect(text).toBe(`::ffff:${plainText(IPV4, value & 0xffffffffn)}`);
        else expect(`[${text}]`).toBe(new URL(`http://[${plainText(IPV6, value)}]/`).hostname);
      }),
      runs(4000),
    );
  });

  test('each pattern of zero hextets agrees with the URL parser', () => {
    for (let pattern = 0; pattern < 256; pattern++) {
      const value = hextets(...Array.from({ length: 8 }, (_, k) => ((pattern >> k) & 1 ? 0 : 0xa + k)));
      const text = formatAddress(IPV6, wordsOf(IPV6, value));
      expect(`[${text}]`).toBe(new URL(`http://[${plainText(IPV6, value)}]/`).hostname);
    }
  });
});

test('formatAddress takes the address at an offset of a column', () => {
  const v4 = Uint32Array.of(0xc0000201, 0xc0000202);
  expect([formatAddress(IPV4, v4), formatAddress(IPV4, v4, 1)]).toEqual(['192.0.2.1', '192.0.2.2']);
  const v6 = Uint32Array.of(0x20010db8, 0, 0, 1, 0, 0, 0xffff, 0xc0000201, 0x20010db8, 0, 0, 0xffff);
  expect([0, 4, 8].map((i) => formatAddress(IPV6, v6, i))).toEqual([
    '2001:db8::1',
    '::ffff:192.0.2.1',
    '2001:db8::ffff',
  ]);
});

describe('formatPrefix', () => {
  test.each<[value: bigint, length: number, text: string]>([
    [0n, 0, '0.0.0.0/0'],
    [quad(10, 0, 0, 0), 8, '10.0.0.0/8'],
    [quad(192, 0, 2, 0), 24, '192.0.2.0/24'],
    [quad(192, 0, 2, 6), 31, '192.0.2.6/31'],
    [quad(192, 0, 2, 7), 32, '192.0.2.7'],
    [quad(255, 255, 255, 255), 32, '255.255.255.255'],
  ])('IPv4 %s/%s', (value, length, text) => {
    expect(formatPrefix({ family: IPV4, words: wordsOf(IPV4, value), length })).toBe(text);
  });

  test.each<[value: bigint, length: number, text: string]>([
    [0n, 0, '::/0'],
    [0n, 128, '::'],
    [1n, 128, '::1'],
    [0x20010db8n << 96n, 32, '2001:db8::/32'],
    [0x20010db8n << 96n, 9, '2001:db8::/9'],
    [hextets(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0200), 120, '::ffff:192.0.2.0/120'],
    [lastAddress(IPV6), 128, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    [lastAddress(IPV6) - 1n, 127, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127'],
  ])('IPv6 %s/%s', (value, length, text) => {
    expect(formatPrefix({ family: IPV6, words: wordsOf(IPV6, value), length })).toBe(text);
  });

  test('every length but that of a single address is written', () => {
    for (let length = 0; length < 32; length++) {
      expect(formatPrefix({ family: IPV4, words: Uint32Array.of(0), length })).toBe(`0.0.0.0/${length}`);
    }
    for (let length = 0; length < 128; length++) {
      expect(formatPrefix({ family: IPV6, words: new Uint32Array(4), length })).toBe(`::/${length}`);
    }
  });
});

describe('blocks as lines', () => {
  const longest = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124';
  const v4 = ['192.0.2.1', '192.0.2.4/30', '198.51.100.0/24'];
  const v6 = ['2001:db8::/32', '2001:db9::1', longest];
  const both = IpSet.from([...v4, ...v6]);
  const lines = { before: '', after: '\n' };

  function text(bytes: Uint8Array): string {
    return new TextDecoder().decode(bytes);
  }

  test('prefixLines: all of a column, each between its decoration', () => {
    const decoration = { before: 'add ', after: ',\n' };
    expect(text(prefixLines(decompose(both.v4), decoration))).toBe(v4.map((one) => `add ${one},\n`).join(''));
    expect(text(prefixLines(decompose(both.v6), lines))).toBe(v6.map((one) => `${one}\n`).join(''));
    expect(text(prefixLines(decompose(both.v6), { before: '', after: '' }))).toBe(v6.join(''));
    expect(prefixLines(decompose(IpSet.empty.v4), decoration)).toHaveLength(0);
  });

  test('prefixLines: a thousand of the longest', () => {
    const last = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:';
    const many = Array.from({ length: 1000 }, (_, k) => `${last}${(0xf000 + 4 * k).toString(16)}/127`);
    expect(text(prefixLines(decompose(IpSet.from(many).v6), { before: '<', after: '>' }))).toBe(`<${many.join('><')}>`);
  });

  test('writeBlocks: all in one go, then 0 for ever', () => {
    const out = new Uint8Array(4096);
    const walk = new BlockWalk(both.v4);
    expect(text(out.subarray(0, writeBlocks(walk, { before: '- ', after: '\n' }, out)))).toBe(
      '- 192.0.2.1\n- 192.0.2.4/30\n- 198.51.100.0/24\n',
    );
    expect([writeBlocks(walk, lines, out), writeBlocks(walk, lines, out)]).toEqual([0, 0]);
    expect(writeBlocks(new BlockWalk(IpSet.empty.v6), lines, out)).toBe(0);
  });

  test('writeBlocks: goes on where the room ended, and never writes beyond it', () => {
    for (const family of [IPV4, IPV6]) {
      const expected = (family === IPV4 ? v4 : v6).map((one) => `+ ${one} ;\n`).join('');
      for (let room = 64; room < 250; room++) {
        const out = new Uint8Array(room + 64);
        const walk = new BlockWalk(both.of(family));
        let all = '';
        for (let bytes = -1; bytes !== 0; all += text(out.subarray(0, bytes))) {
          bytes = writeBlocks(walk, { before: '+ ', after: ' ;\n' }, out.subarray(0, room));
          expect(bytes).toBeLessThanOrEqual(room);
        }
        expect(all).toBe(expected);
        expect(out.subarray(room).every((byte) => byte === 0)).toBe(true);
      }
    }
  });
});
