import { describe, expect, test } from 'vitest';
import { parseSeen } from '../../src/apply/seen-hosts.js';
import { formatPrefix } from '../../src/ip/index.js';

/** What nft 1.0.6 prints of seen4 and seen6. */
const listing = (name: string, type: string, ...elem: readonly unknown[]) =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } },
      {
        set: {
          family: 'inet',
          name,
          table: 'blocklist',
          type,
          handle: 1,
          size: 65_535,
          flags: ['timeout'],
          timeout: 3600,
          ...(elem.length === 0 ? {} : { elem }),
          stmt: [{ counter: null }],
        },
      },
    ],
  });
const element = (val: unknown, packets: unknown) => ({ elem: { val, expires: 299, counter: { packets, bytes: 70 } } });

describe('the hosts that the rules remember', () => {
  test('IPv4 by address, IPv6 by /64', () => {
    const four = parseSeen(listing('seen4', 'ipv4_addr', element('45.9.1.7', 7), element('45.9.1.8', 0)), 'seen4');
    expect(four.map(({ prefix, packets, bytes }) => [formatPrefix(prefix), packets, bytes])).toEqual([
      ['45.9.1.7', 7, 70],
      ['45.9.1.8', 0, 70],
    ]);
    const six = parseSeen(listing('seen6', 'ipv6_addr', element('2a00:1::', 3)), 'seen6');
    expect(six.map(({ prefix }) => formatPrefix(prefix))).toEqual(['2a00:1::/64']);
  });

  test('none yet', () => {
    expect(parseSeen(listing('seen4', 'ipv4_addr'), 'seen4')).toEqual([]);
  });

  test.each<[what: string, json: string]>([
    ['no JSON', 'Error'],
    ['something else', '{}'],
    ['an element without counter', listing('seen4', 'ipv4_addr', '45.9.1.7')],
    ['a number that is none', listing('seen4', 'ipv4_addr', element('45.9.1.7', 'x'))],
    ['an address that is none', listing('seen4', 'ipv4_addr', element('45.9.1', 1))],
  ])('%s is refused', (_, json) => {
    expect(() => parseSeen(json, 'seen4')).toThrow('nft printed something unexpected');
  });
});
