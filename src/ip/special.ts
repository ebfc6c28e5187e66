import { IPV4, IPV6 } from './family.js';
import { IpSet, IpSetBuilder } from './ip-set.js';
import { parsePrefix } from './parse.js';

/**
 * Address space that no feed may make us block: loopback, private, link-local, multicast and the like. Source: the IANA
 * IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, as updated by RFC 8190), and the multicast
 * registries. Rows that the registries mark as globally reachable and that ordinary hosts use (192.31.196.0/24 AS112,
 * 192.52.193.0/24 AMT, 2620:4f:8000::/48) are not listed.
 */
export const SPECIAL_PURPOSE: ReadonlyArray<readonly [prefix: string, name: string, rfc: string]> = [
  ['0.0.0.0/8', 'this network', 'RFC 791'],
  ['10.0.0.0/8', 'private use', 'RFC 1918'],
  ['100.64.0.0/10', 'shared address space (carrier NAT)', 'RFC 6598'],
  ['127.0.0.0/8', 'loopback', 'RFC 1122'],
  ['169.254.0.0/16', 'link local', 'RFC 3927'],
  ['172.16.0.0/12', 'private use', 'RFC 1918'],
  ['192.0.0.0/24', 'IETF protocol assignments', 'RFC 6890'],
  ['192.0.2.0/24', 'documentation (TEST-NET-1)', 'RFC 5737'],
  ['192.88.99.0/24', 'deprecated 6to4 relay anycast', 'RFC 7526'],
  ['192.168.0.0/16', 'private use', 'RFC 1918'],
  ['198.18.0.0/15', 'benchmarking', 'RFC 2544'],
  ['198.51.100.0/24', 'documentation (TEST-NET-2)', 'RFC 5737'],
  ['203.0.113.0/24', 'documentation (TEST-NET-3)', 'RFC 5737'],
  ['224.0.0.0/4', 'multicast', 'RFC 5771'],
  ['240.0.0.0/4', 'reserved, and limited broadcast', 'RFC 1112'],
  ['::/128', 'unspecified', 'RFC 4291'],
  ['::1/128', 'loopback', 'RFC 4291'],
  ['::/96', 'deprecated IPv4-compatible', 'RFC 4291'],
  ['64:ff9b:1::/48', 'local-use translation', 'RFC 8215'],
  ['100::/64', 'discard only', 'RFC 6666'],
  ['100:0:0:1::/64', 'dummy prefix', 'RFC 9780'],
  ['2001::/32', 'Teredo', 'RFC 4380'],
  ['2001:2::/48', 'benchmarking', 'RFC 5180'],
  ['2001:10::/28', 'deprecated ORCHID', 'RFC 4843'],
  ['2001:20::/28', 'ORCHIDv2', 'RFC 7343'],
  ['2001:db8::/32', 'documentation', 'RFC 3849'],
  ['3fff::/20', 'documentation', 'RFC 9637'],
  ['5f00::/16', 'segment routing SIDs', 'RFC 9602'],
  ['fc00::/7', 'unique local', 'RFC 4193'],
  ['fe80::/10', 'link local', 'RFC 4291'],
  ['fec0::/10', 'deprecated site local', 'RFC 3879'],
  ['ff00::/8', 'multicast', 'RFC 4291'],
];

/** Where IPv6 addresses carry an IPv4 address: a private IPv4 address is private inside them, too. `at` is its first bit. */
const CARRIERS: ReadonlyArray<{ readonly words: readonly number[]; readonly at: number }> = [
  // IPv4-mapped, RFC 4291 section 2.5.5.2
  { words: [0, 0, 0xffff, 0], at: 96 },
  // the well-known prefix of IPv4/IPv6 translation, RFC 6052 section 2.1
  { words: [0x0064ff9b, 0, 0, 0], at: 96 },
  // 6to4, RFC 3056 section 2
  { words: [0x20020000, 0, 0, 0], at: 16 },
];

/** All of SPECIAL_PURPOSE, and the IPv4 rows again wherever IPv6 carries IPv4. */
export function specialPurpose(): IpSet {
  const builder = new IpSetBuilder().addSet(IpSet.from(SPECIAL_PURPOSE.map(([prefix]) => prefix)));
  for (const [text] of SPECIAL_PURPOSE) {
    const prefix = parsePrefix(text);
    if (prefix.family !== IPV4) continue;
    for (const { words, at } of CARRIERS) {
      builder.addPrefix({ family: IPV6, words: carried(words, at, prefix.words[0]!), length: at + prefix.length });
    }
  }
  return builder.build();
}

/** The IPv6 address `words` with the IPv4 address `v4` written at bit `at` (a multiple of 16). */
function carried(words: readonly number[], at: number, v4: number): Uint32Array {
  const out = Uint32Array.from(words);
  const k = at >> 5;
  if (at % 32 === 0) {
    out[k] = v4;
  } else {
    out[k] = out[k]! | (v4 >>> 16);
    out[k + 1] = v4 << 16;
  }
  return out;
}
