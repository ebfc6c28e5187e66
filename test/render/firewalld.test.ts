import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RuleSets } from '../../src/build/build.js';
import { fourSets, IpSet, SET_KEYS } from '../../src/ip/index.js';
import { DEFAULT_POLICY } from '../../src/render/default-policy.js';
import { beyondFirewalld, ipsetName, MARK, renderFirewalld, ZONE_FILE } from '../../src/render/firewalld.js';

function textOf(entries: readonly string[]): Map<string, string> {
  const files = renderFirewalld(fourSets(IpSet.from(entries)));
  return new Map([...files].map(([name, bytes]) => [name, bytes.toString()]));
}

describe('the files', () => {
  test('an ipset of each kind that has addresses, and the zone that asks for them', () => {
    const files = textOf(['45.9.20.7', '91.200.0.0/22', '2a02:4780::/32']);
    expect([...files.keys()]).toEqual([
      'ipsets/blocklist-nodes4.xml',
      'ipsets/blocklist-nets4.xml',
      'ipsets/blocklist-nets6.xml',
      'zones/blocklist.xml',
    ]);
    expect(files.get('ipsets/blocklist-nets6.xml')).toBe(
      [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<ipset type="hash:net">',
        `  <description>${MARK}</description>`,
        '  <option name="family" value="inet6"/>',
        '  <entry>2a02:4780::/32</entry>',
        '</ipset>',
        '',
      ].join('\n'),
    );
    expect(files.get('ipsets/blocklist-nodes4.xml')).toContain('<ipset type="hash:ip">');
    expect(files.get(ZONE_FILE)?.match(/<source ipset="[^"]+"\/>/g)).toEqual(
      ['nodes4', 'nets4', 'nets6'].map((key) => `<source ipset="blocklist-${key}"/>`),
    );
    expect(files.get(ZONE_FILE)).toContain('<zone target="DROP">');
  });

  test('without an address a zone without a source', () => {
    expect([...textOf([]).keys()]).toEqual([ZONE_FILE]);
  });

  test('beyond 65,536 entries an ipset is given the room', () => {
    const many = Array.from({ length: 65_537 }, (_, i) => `45.${i >> 15}.${(i >> 7) & 255}.${(i << 1) & 255}`);
    expect(textOf(many).get('ipsets/blocklist-nodes4.xml')).toContain('<option name="maxelem" value="65537"/>');
    expect(textOf(many.slice(1)).get('ipsets/blocklist-nodes4.xml')).not.toContain('maxelem');
  });

  test('any set: the entries of all ipsets are the set again, and every name is short enough', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 8, max: 32 })).map(([a, l]) => `${a}/${l}`);
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 8, max: 128 })).map(([a, l]) => `${a}/${l}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(v4, v6), { maxLength: 30 }), (entries) => {
        const set = IpSet.from(entries);
        const files = renderFirewalld(fourSets(set));
        const read = [...files.values()].flatMap((bytes) =>
          [...bytes.toString().matchAll(/<entry>([^<]+)<\/entry>/g)].map(([, text = '']) => text),
        );
        expect(IpSet.from(read).equals(set)).toBe(true);
      }),
    );
    // firewalld.zone(5): 17 characters; ipset(8): 31.
    for (const key of SET_KEYS) expect(ipsetName(key).length).toBeLessThanOrEqual(31);
  });
});

test('what a zone cannot do is named, each thing; what it does is not', () => {
  const sets: RuleSets = { in: fourSets(IpSet.empty) };
  expect(beyondFirewalld(sets)).toEqual([]);
  expect(beyondFirewalld({ ...sets, policy: { ...DEFAULT_POLICY, drop: 'new' } })).toEqual([]);
  const { nets4, nets6 } = fourSets(IpSet.empty);
  const rate = { count: 1, per: 'second' } as const;
  expect(
    beyondFirewalld({
      in: sets.in,
      out: sets.in,
      only: { nets4, nets6, ports: [] },
      policy: { drop: 'all', ports: [22], skipInterfaces: ['wg0'], alsoOutbound: true, log: rate, echoLimit: rate },
    }),
  ).toHaveLength(7);
});
