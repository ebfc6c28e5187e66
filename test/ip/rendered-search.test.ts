import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decompose,
  FAMILIES,
  formatPrefix,
  IpSet,
  type Prefixes,
  parsePrefix,
  prefixLines,
  searchRendered,
  widened,
} from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import { setOf } from './oracle.js';

const rendered = (prefixes: Prefixes) => prefixLines(prefixes, { before: '', after: '\n' });
const texts = ({ family, size, words, lengths }: Prefixes) =>
  Array.from({ length: size }, (_, i) =>
    formatPrefix({ family, words: words.slice(i * family.words, (i + 1) * family.words), length: lengths[i]! }),
  );

describe('searchRendered', () => {
  const list = Buffer.from('45.9.1.0/24\n45.9.3.7\n45.9.4.0/22\n45.9.9.9\n');
  test.each<[block: string, found: string[]]>([
    ['45.9.0.255', []],
    ['45.9.1.0', ['45.9.1.0/24']],
    ['45.9.1.255', ['45.9.1.0/24']],
    ['45.9.2.0', []],
    ['45.9.3.7', ['45.9.3.7']],
    ['45.9.3.8', []],
    ['45.9.7.255', ['45.9.4.0/22']],
    ['45.9.8.0', []],
    ['45.9.9.9', ['45.9.9.9']],
    ['255.255.255.255', []],
    ['0.0.0.0', []],
    ['45.9.0.0/21', ['45.9.1.0/24', '45.9.3.7', '45.9.4.0/22']],
    ['45.9.5.0/24', ['45.9.4.0/22']],
    ['0.0.0.0/0', ['45.9.1.0/24', '45.9.3.7', '45.9.4.0/22', '45.9.9.9']],
  ])('%s', (block, found) => {
    expect(texts(searchRendered(list, parsePrefix(block))!)).toEqual(found);
  });

  test('in an empty list there is nothing', () => {
    for (const block of ['45.9.1.7', '0.0.0.0/0', '::/0']) {
      expect(searchRendered(new Uint8Array(0), parsePrefix(block))).toMatchObject({ size: 0 });
    }
  });

  test.each<[what: string, text: string]>([
    ['text', 'hello\n'],
    ['the other family', '2a0a::1\n'],
    ['a last line without an end', '45.9.1.7'],
    ['an empty line', '\n'],
    ['bytes', '\u0000\u0001\u0002\n'],
  ])('%s is no list', (_, text) => {
    expect(searchRendered(Buffer.from(text), parsePrefix('45.9.1.7'))).toBeUndefined();
  });

  test.each(FAMILIES)('$name: what it finds is what a look at every prefix finds', (family) => {
    fc.assert(
      fc.property(anyRanges(family, 12), fc.nat(20), fc.nat(family.bits), (ranges, pick, length) => {
        const prefixes = decompose(setOf(family, ranges));
        const all = texts(prefixes);
        const near = all[pick % Math.max(1, all.length)] ?? (family.version === 4 ? '45.9.1.7' : '::1');
        const block = widened(parsePrefix(near), length);
        const whole = IpSet.from([block]);
        const expected = all.filter((text) => !IpSet.from([text]).intersect(whole).isEmpty);
        expect(texts(searchRendered(rendered(prefixes), block)!)).toEqual(expected);
      }),
      runs(200),
    );
  });
});
