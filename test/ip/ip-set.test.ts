import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decompose, formatPrefix, IPV4, IPV6, IpSet, IpSetBuilder, parsePrefix } from '../../src/ip/index.js';
import { anyRanges, runs } from './arbitraries.js';
import { codeOf } from './code-of.js';
import { hextets, normal, quad, type Range, rangesIn, setOf, trieBlocks, valueAt } from './oracle.js';

function textOf(set: IpSet): string[] {
  return [...set.prefixes()].map(formatPrefix);
}

describe('IpSet.from', () => {
  test.each<[name: string, entries: string[], prefixes: string[]]>([
    ['nothing', [], []],
    ['one address of each family', ['2001:db8::1', '192.0.2.1'], ['192.0.2.1', '2001:db8::1']],
    ['numeric order, not text order', ['192.0.2.10', '192.0.2.9', '10.0.0.1'], ['10.0.0.1', '192.0.2.9', '192.0.2.10']],
    ['repeats and overlap', ['192.0.2.0/24', '192.0.2.7', '192.0.2.0/25'], ['192.0.2.0/24']],
    ['siblings', ['192.0.2.0/25', '192.0.2.128/25'], ['192.0.2.0/24']],
    ['neighbours that are no siblings', ['192.0.1.0/24', '192.0.2.0/24'], ['192.0.1.0/24', '192.0.2.0/24']],
    ['a range', ['192.0.2.1-192.0.2.6'], ['192.0.2.1', '192.0.2.2/31', '192.0.2.4/31', '192.0.2.6']],
    ['a range with blanks', ['192.0.2.0 - 192.0.2.255'], ['192.0.2.0/24']],
    ['an IPv6 range', ['2001:db8::-2001:db8::ff'], ['2001:db8::/120']],
    ['a mapped range is IPv4', ['::ffff:192.0.2.0-::ffff:192.0.2.3'], ['192.0.2.0/30']],
    [
      'a range into the mapped prefix stays IPv6',
      ['::fffe:ffff:ffff-::ffff:0.0.0.0'],
      ['::fffe:ffff:ffff', '::ffff:0.0.0.0'],
    ],
    [
      'a range out of the mapped prefix stays IPv6',
      ['::ffff:255.255.255.255-::1:0:0:0'],
      ['::ffff:255.255.255.255', '::1:0:0:0'],
    ],
    [
      'netmask, wildcard, star',
      ['192.0.2.7/255.255.255.0', '192.0.4.7/0.0.0.255', '192.0.6.*'],
      ['192.0.2.0/24', '192.0.4.0/24', '192.0.6.0/24'],
    ],
    ['host bits', ['192.0.2.5/24', '2001:db8::5/64'], ['192.0.2.0/24', '2001:db8::/64']],
    ['everything', ['::/0', '0.0.0.0/0'], ['0.0.0.0/0', '::/0']],
    ['both halves', ['128.0.0.0/1', '0.0.0.0/1', '8000::/1', '::/1'], ['0.0.0.0/0', '::/0']],
    [
      'the last addresses',
      ['255.255.255.255', '255.255.255.254', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
      ['255.255.255.254/31', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ],
  ])('%s', (_name, entries, prefixes) => {
    expect(textOf(IpSet.from(entries))).toEqual(prefixes);
    expect(textOf(IpSet.from(entries.toReversed()))).toEqual(prefixes);
  });

  test('parsed values and text together, from any iterable', () => {
    const entries = new Set([
      '192.0.2.0/25',
      parsePrefix('192.0.2.128/25'),
      parsePrefix('2001:db8::/33'),
      '2001:db8:8000::/33',
    ]);
    expect(textOf(IpSet.from(entries))).toEqual(['192.0.2.0/24', '2001:db8::/32']);
  });

  test.each([
    ...[
      '',
      ' ',
      '192.0.2.1 ',
      '# comment',
      '192.0.2',
      '192.0.2.9-192.0.2.1',
      '192.0.2.1-',
      '192.0.2.1 -',
      '-192.0.2.1',
    ],
    ...[
      '192.0.2.1--192.0.2.2',
      '192.0.2.1-2001:db8::1',
      '2001:db8::1-192.0.2.1',
      '::2-::1',
      '192.0.2.0/24-192.0.2.255',
    ],
    ...[
      '192.0.2.0-192.0.2.255/24',
      '192.0.2.1-9',
      '192.0.2.1-192.0.2.9-192.0.2.20',
      'fe80::1%eth0-fe80::2',
      'fe80::1-fe80::2%eth0',
    ],
    ...[
      '192.0.2.1-192.0.2.256',
      '192.0.2.1 192.0.2.2',
      '192.0.2.1–192.0.2.9',
      '192.0.2.1\0-192.0.2.2',
      '192.0.2.1-192.0.2.2\0',
    ],
  ])('refuses %j', (text) => {
    expect(codeOf(() => IpSet.from(['192.0.2.1', text]))).toBe('bad-prefix');
  });
});

describe('has', () => {
  const set = IpSet.from(['192.0.2.0/24', '2001:db8::/32', '0.0.0.0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']);

  test.each<[address: string, held: boolean]>([
    ['192.0.2.0', true],
    ['192.0.2.255', true],
    ['192.0.1.255', false],
    ['192.0.3.0', false],
    ['::ffff:192.0.2.7', true],
    ['0.0.0.0', true],
    ['0.0.0.1', false],
    ['255.255.255.255', false],
    ['2001:db8::', true],
    ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', false],
    ['2001:db9::', false],
    ['::', false],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', false],
  ])('%s: %s', (address, held) => {
    expect(set.has(address)).toBe(held);
    expect(IpSet.empty.has(address)).toBe(false);
    expect(IpSet.empty.complement().has(address)).toBe(true);
  });

  test('an address as words', () => {
    expect(set.has({ family: IPV4, words: Uint32Array.of(0xc0000207) })).toBe(true);
    expect(set.has({ family: IPV6, words: Uint32Array.of(0x20010db8, 0, 0, 7) })).toBe(true);
    // Only the parser unmaps: these words are an IPv6 address.
    expect(set.has({ family: IPV6, words: Uint32Array.of(0, 0, 0xffff, 0xc0000207) })).toBe(false);
  });

  test.each(['192.0.2.0/24', '192.0.2.1-192.0.2.2', '192.0.2.1/32', 'host.example', ''])('refuses %j', (text) => {
    expect(codeOf(() => set.has(text))).toBe('bad-address');
  });
});

describe('prefixes', () => {
  test('the blocks of both families, as the walk over the trie finds them', () => {
    fc.assert(
      fc.property(anyRanges(IPV4, 6), anyRanges(IPV6, 6), (v4, v6) => {
        const prefixes = [...IpSet.of(setOf(IPV4, v4), setOf(IPV6, v6)).prefixes()];
        expect(
          prefixes.map(({ family, words, length }) => [family.name, valueAt(words, 0, family.words), length]),
        ).toEqual([
          ...trieBlocks(IPV4, normal(v4)).map((block) => ['IPv4', ...block]),
          ...trieBlocks(IPV6, normal(v6)).map((block) => ['IPv6', ...block]),
        ]);
      }),
      runs(60),
    );
  });

  test('each block has words of its own', () => {
    const [first, second] = [...IpSet.from(['192.0.2.1', '192.0.2.4']).prefixes()];
    first!.words[0] = 0;
    expect([...second!.words]).toEqual([0xc0000204]);
    expect(second!.words.buffer.byteLength).toBe(4);
  });
});

describe('blocks back into sets', () => {
  test('addPrefix, block by block', () => {
    const builder = new IpSetBuilder();
    for (const text of ['192.0.2.0/25', '192.0.2.128/25', '2001:db8::/32', '255.255.255.255']) {
      expect(builder.addPrefix(parsePrefix(text))).toBe(builder);
    }
    const set = builder.build();
    expect(rangesIn(set.v4)).toEqual([
      [quad(192, 0, 2, 0), quad(192, 0, 2, 255)],
      [0xffffffffn, 0xffffffffn],
    ]);
    expect(rangesIn(set.v6)).toEqual([[0x20010db8n << 96n, (0x20010db9n << 96n) - 1n]] satisfies Range[]);
  });

  test.each([IPV4, IPV6])('ofPrefixes undoes decompose, $name', (family) => {
    fc.assert(
      fc.property(anyRanges(family), (ranges) => {
        const set = IpSet.ofPrefixes(decompose(setOf(family, ranges)));
        expect(rangesIn(set.of(family))).toEqual(normal(ranges));
        expect(set.of(family === IPV4 ? IPV6 : IPV4).size).toBe(0);
      }),
      runs(100),
    );
  });
});

test('IpSet.from keeps the words of a prefix apart from the set', () => {
  const prefix = { family: IPV6, words: Uint32Array.of(0x20010db8, 0, 0, 0), length: 127 };
  const set = IpSet.from([prefix]);
  prefix.words.fill(0);
  expect(rangesIn(set.v6)).toEqual([
    [hextets(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), hextets(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)],
  ]);
});
