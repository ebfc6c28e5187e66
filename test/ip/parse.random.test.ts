import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import IPCIDR from 'ip-cidr';
import { describe, expect, test } from 'vitest';
import {
  type Family,
  formatAddress,
  formatPrefix,
  IPV4,
  IPV6,
  IpSet,
  parseAddress,
  parsePrefix,
} from '../../src/ip/index.js';
import { anyAddress, anyHextets, runs } from './arbitraries.js';
import { codeOf } from './code-of.js';
import { BOTH, lastAddress, plainText, type Range, rangesIn, valueAt, wordsOf } from './oracle.js';

const MAPPED = 0xffffn;

function anyOf(family: Family): fc.Arbitrary<bigint> {
  return family === IPV4 ? anyAddress(IPV4) : fc.oneof(anyAddress(IPV6), anyHextets());
}

/** What the parser must make of an IPv6 value: IPv4 inside ::ffff:0:0/96. */
function unmapped(family: Family, value: bigint): readonly [Family, bigint] {
  return family === IPV6 && value >> 32n === MAPPED ? [IPV4, value & 0xffffffffn] : [family, value];
}

/** The canonical text as the URL parser of this node makes it, which for IPv6 is RFC 5952 but for the mapped prefix. */
function urlText(text: string): string {
  return new URL(`http://${text.includes(':') ? `[${text}]` : text}/`).hostname.replace(/^\[|\]$/g, '');
}

/** Pieces of which both valid addresses and every near miss of one are made. */
const V6_PIECES = [
  '0',
  '1',
  'ffff',
  'ABCD',
  '0db8',
  '00',
  'fffff',
  'g',
  ':',
  ':',
  ':',
  '::',
  '.',
  '192.0.2.1',
  '1.2.3',
  '%',
  '/',
];
/** Mostly hextets with one colon between them, so that many are valid. */
const v6Like = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.oneof(
          { weight: 12, arbitrary: fc.constant(':') },
          { weight: 2, arbitrary: fc.constant('::') },
          { weight: 1, arbitrary: fc.constantFrom('', '.', ':::') },
        ),
        fc.constantFrom('0', '1', 'ffff', 'ABCD', '0db8', '00', '10'),
      ),
      { maxLength: 9 },
    ),
    fc.constantFrom('', '', '', '::', ':', '::192.0.2.1', ':192.0.2.1', ':010.0.0.1'),
  )
  .map(
    ([pairs, tail]) =>
      pairs
        .flat()
        .join('')
        .replace(/^:(?!:)/, '') + tail,
  );
const v6Text = fc.oneof(
  v6Like,
  fc.array(fc.constantFrom(...V6_PIECES), { maxLength: 17 }).map((all) => all.join('')),
);
const V4_PIECES = ['0', '1', '9', '25', '255', '256', '00', '01', '.', '.', '.', '.', '..', '-', 'x', ' '];

describe.each(BOTH)('random addresses of $name', (family) => {
  test('read from the plain text, and from the formatted text', () => {
    fc.assert(
      fc.property(anyOf(family), (value) => {
        const expected = unmapped(family, value);
        for (const text of [plainText(family, value), formatAddress(family, wordsOf(family, value))]) {
          const read = parseAddress(text);
          expect([read.family, valueAt(read.words, 0, read.family.words)]).toEqual(expected);
        }
      }),
      runs(1500),
    );
  });

  test('upper and lower case and leading zeros of hextets do not matter', () => {
    fc.assert(
      fc.property(anyOf(IPV6), (value) => {
        const padded = plainText(IPV6, value)
          .split(':')
          .map((hextet) => hextet.padStart(4, '0'))
          .join(':');
        const [expected, read] = [unmapped(IPV6, value), parseAddress(padded.toUpperCase())];
        expect([read.family, valueAt(read.words, 0, read.family.words)]).toEqual(expected);
      }),
      runs(300),
    );
  });

  test('any prefix comes back from its own text', () => {
    fc.assert(
      fc.property(anyOf(family), fc.integer({ min: 0, max: family.bits }), (value, length) => {
        const host = BigInt(family.bits - length);
        const network = (value >> host) << host;
        const text = formatPrefix({ family, words: wordsOf(family, network), length });
        const read = parsePrefix(text);
        const [expected, inner] = length >= 96 ? unmapped(family, network) : [family, network];
        const shorter = expected === family ? length : length - 96;
        expect([read.family, valueAt(read.words, 0, expected.words), read.length]).toEqual([expected, inner, shorter]);
      }),
      runs(1000),
    );
  });

  test('ip-cidr finds the same first and last address of a block with host bits', () => {
    fc.assert(
      fc.property(anyAddress(family), fc.integer({ min: 0, max: family.bits }), (value, length) => {
        fc.pre(!(family === IPV6 && value >> 32n === MAPPED));
        const text = `${plainText(family, value)}/${length}`;
        const cidr = new IPCIDR(text);
        const expected = [cidr.start<bigint>({ type: 'bigInteger' }), cidr.end<bigint>({ type: 'bigInteger' })];
        expect(rangesIn(IpSet.from([text]).of(family))).toEqual([expected]);
      }),
      runs(400),
    );
  });

  test('ranges as text, with and without blanks', () => {
    fc.assert(
      fc.property(anyOf(family), anyOf(family), fc.constantFrom('-', ' - ', ' -', '- ', '\t-\t'), (a, b, dash) => {
        const [first, last] = a <= b ? [a, b] : [b, a];
        fc.pre(family === IPV4 || first >> 32n !== MAPPED || last >> 32n !== MAPPED);
        const set = IpSet.from([`${plainText(family, first)}${dash}${plainText(family, last)}`]);
        expect(rangesIn(set.of(family))).toEqual([[first, last] satisfies Range]);
        if (first === last) return;
        const backwards = `${plainText(family, last)}${dash}${plainText(family, first)}`;
        expect(codeOf(() => IpSet.from([backwards]))).toBe('bad-prefix');
      }),
      runs(400),
    );
  });
});

describe('a second opinion', () => {
  test('node:net accepts exactly the same texts as IPv4 addresses', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...V4_PIECES), { maxLength: 9 }), (pieces) => {
        const text = pieces.join('');
        expect(codeOf(() => parseAddress(text)) === 'none').toBe(isIPv4(text));
      }),
      runs(8000),
    );
  });

  test('node:net accepts exactly the same texts as IPv6 addresses, and the URL parser reads the same value', () => {
    let accepted = 0;
    fc.assert(
      fc.property(v6Text, (text) => {
        // node takes zones; a zone is refused here.
        const valid = isIPv6(text) && !text.includes('%');
        expect(codeOf(() => parseAddress(text)) === 'none').toBe(valid || isIPv4(text));
        if (!valid) return;
        accepted++;
        const { family, words } = parseAddress(text);
        if (family === IPV6) expect(formatAddress(IPV6, words)).toBe(urlText(text));
        else expect(urlText(`::ffff:${formatAddress(IPV4, words)}`)).toBe(urlText(text));
      }),
      runs(20_000),
    );
    expect(accepted).toBeGreaterThan(1000);
  });

  test('one wrong letter in a valid address: node:net and the parser agree', () => {
    const letters = [...'0123456789abcdefABCDEFg:./%-* x\0'];
    fc.assert(
      fc.property(
        fc.oneof(
          anyAddress(IPV4).map((value) => plainText(IPV4, value)),
          anyHextets().map((value) => formatAddress(IPV6, wordsOf(IPV6, value))),
        ),
        fc.nat(),
        fc.constantFrom(...letters),
        fc.constantFrom(0, 1),
        (valid, at, letter, replaced) => {
          const k = at % (valid.length + 1);
          const text = valid.slice(0, k) + letter + valid.slice(k + replaced);
          const known = isIPv4(text) || (isIPv6(text) && !text.includes('%'));
          expect(codeOf(() => parseAddress(text)) === 'none').toBe(known);
        },
      ),
      runs(6000),
    );
  });

  test('random text throws nothing but a BlocklistError', () => {
    const grams = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123456789.:/*-%af ') }),
    );
    fc.assert(
      fc.property(grams, (text) => {
        expect(['none', 'bad-address']).toContain(codeOf(() => parseAddress(text)));
        expect(['none', 'bad-prefix']).toContain(codeOf(() => parsePrefix(text)));
        expect(['none', 'bad-prefix']).toContain(codeOf(() => IpSet.from([text])));
      }),
      runs(2500),
    );
  });

  test('the last address of both families', () => {
    expect(valueAt(parseAddress('255.255.255.255').words, 0, 1)).toBe(lastAddress(IPV4));
    expect(valueAt(parseAddress(`ffff${':ffff'.repeat(7)}`).words, 0, 4)).toBe(lastAddress(IPV6));
  });
});
