import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decompose,
  type Family,
  firstOverlap,
  IPV4,
  IPV6,
  IpSet,
  overlapping,
  type Prefixes,
  parsePrefix,
  parseRendered,
  prefixLines,
  readCanonical,
} from '../../src/ip/index.js';
import { anyAddress, anyRanges, runs } from './arbitraries.js';
import { BOTH, blocksIn, setOf, wordsOf } from './oracle.js';

const bytes = (text: string) => Buffer.from(text);
const LINES = { before: '', after: '\n' };
const anyPrefixes = (family: Family): fc.Arbitrary<Prefixes> =>
  anyRanges(family).map((ranges) => decompose(setOf(family, ranges)));

describe.each(BOTH)('lists of IPv$version as they were rendered', (family) => {
  test('every minimal set is read as what it is', () => {
    fc.assert(
      fc.property(anyPrefixes(family), (prefixes) => {
        for (const read of [readCanonical, parseRendered].map((each) => each(prefixLines(prefixes, LINES), family))) {
          expect(read.ok && blocksIn(read.prefixes)).toEqual(blocksIn(prefixes));
        }
      }),
      runs(300),
    );
  });

  test('a line twice, two lines exchanged, or a block in two halves is refused with its line', () => {
    const several = anyPrefixes(family).filter(({ size }) => size >= 2);
    fc.assert(
      fc.property(several, fc.nat(), ({ ...prefixes }, pick) => {
        const lines = Buffer.from(prefixLines(prefixes, LINES)).toString().trimEnd().split('\n');
        const i = pick % (lines.length - 1);
        const refused = (changed: readonly string[]) => {
          const read = readCanonical(bytes(`${changed.join('\n')}\n`), family);
          expect(read).toMatchObject({ ok: false, problem: expect.stringContaining('canonical form') });
        };
        refused([...lines.slice(0, i + 1), ...lines.slice(i)]);
        refused(lines.toSpliced(i, 2, lines[i + 1] ?? '', lines[i] ?? ''));
        const { words, length } = parsePrefix(lines[i] ?? '');
        if (length === family.bits) return;
        const halves = [0, 1].map((half) => {
          const own = words.slice();
          if (half === 1) own[length >> 5] = (own[length >> 5]! | (0x80000000 >>> (length & 31))) >>> 0;
          return { family, size: 1, words: own, lengths: Uint8Array.of(length + 1) };
        });
        const split = halves.map((each) => Buffer.from(prefixLines(each, LINES)).toString().trimEnd());
        refused(lines.toSpliced(i, 1, ...split));
      }),
      runs(200),
    );
  });

  test('a prefix in common with a block is found, as intersecting sets finds it', () => {
    fc.assert(
      fc.property(anyPrefixes(family), anyAddress(family), fc.nat(family.bits), (prefixes, address, length) => {
        const words = wordsOf(family, (address >> BigInt(family.bits - length)) << BigInt(family.bits - length));
        const block = { family, words: Uint32Array.from(words), length };
        const hit = overlapping(prefixes, block);
        const common = IpSet.ofPrefixes(prefixes).intersect(IpSet.from([block]));
        expect(hit !== undefined).toBe(!common.isEmpty);
        if (hit !== undefined) expect(IpSet.from([hit]).intersect(common).isEmpty).toBe(false);
      }),
      runs(400),
    );
  });

  test('the first of a list that another one covers', () => {
    fc.assert(
      fc.property(anyPrefixes(family), anyPrefixes(family), (a, b) => {
        const other = IpSet.ofPrefixes(b);
        const naive = [...IpSet.ofPrefixes(a).prefixes()].findIndex(
          (block) => !IpSet.from([block]).intersect(other).isEmpty,
        );
        expect(firstOverlap(a, b)).toBe(naive);
      }),
      runs(300),
    );
  });
});

describe('what is not as we write it', () => {
  test.each<[what: string, family: Family, text: string, line: number]>([
    ['no end of the last line', IPV4, '9.0.0.1\n9.0.0.3', 2],
    ['a length that says nothing', IPV4, '9.0.0.1\n9.0.0.3/32\n', 2],
    ['a carriage return', IPV4, '9.0.0.1\r\n', 1],
    ['bits of hosts', IPV4, '9.0.0.0/24\n10.0.0.1/24\n', 2],
    ['a leading zero', IPV4, '09.0.0.1\n', 1],
    ['a mask in place of a length', IPV4, '9.0.0.0/255.255.255.0\n', 1],
    ['a range', IPV4, '9.0.0.0-9.0.0.3\n', 1],
    ['a comment', IPV4, '# nothing\n9.0.0.1\n', 1],
    ['an empty line', IPV4, '9.0.0.1\n\n9.0.0.3\n', 2],
    ['a blank behind', IPV4, '9.0.0.1 \n', 1],
    ['the other family', IPV4, '9.0.0.1\n2a00::1\n', 2],
    ['the other family', IPV6, '2a00::1\n9.0.0.1\n', 2],
    ['capitals', IPV6, '2A00::1\n', 1],
    ['zeros written out', IPV6, '2a00:0:0:0:0:0:0:1\n', 1],
    ['IPv4 in IPv6', IPV6, '::ffff:9.0.0.1\n', 1],
    ['a zone', IPV6, 'fe80::1%eth0\n', 1],
    ['two neighbours that are one block', IPV4, '9.0.0.0\n9.0.0.1\n', 2],
    ['inside the one before', IPV4, '9.0.0.0/24\n9.0.0.7\n', 2],
  ])('%s in a list of %o', (_, family, text, line) => {
    expect(readCanonical(bytes(text), family)).toMatchObject({ ok: false, line });
  });

  test('an empty list is an empty set', () => {
    expect(readCanonical(bytes(''), IPV4)).toMatchObject({ ok: true, prefixes: { size: 0 } });
  });
});
