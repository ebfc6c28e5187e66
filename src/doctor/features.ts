import type { Nft } from '../apply/nft.js';
import { BlocklistError } from '../errors.js';

/** What our rules use of nft and the kernel, each by itself: when the whole is refused, these tell why. */
const FEATURES: ReadonlyMap<string, readonly string[]> = new Map([
  ['tables of the family inet', []],
  ['sets of IPv4 addresses', ['add set T s { type ipv4_addr; }', 'add element T s { 192.0.2.1 }']],
  ['sets of IPv6 addresses', ['add set T s { type ipv6_addr; }', 'add element T s { 2001:db8::1 }']],
  ['comments of sets', ['add set T s { type mark; comment "probe"; }']],
  ['interval sets', ['add set T s { type ipv4_addr; flags interval; }', 'add element T s { 192.0.2.0/24 }']],
  [
    'interval sets with timeouts',
    ['add set T s { type ipv4_addr; flags interval,timeout; }', 'add element T s { 192.0.2.0/24 timeout 60s }'],
  ],
  ['named counters', ['add counter T c', 'add chain T l', 'add rule T l counter name "c" drop']],
  [
    'chains before connection tracking (prerouting, priority -310)',
    ['add chain T e { type filter hook prerouting priority -310; policy accept; }'],
  ],
  ['chains in output (priority -310)', ['add chain T o { type filter hook output priority -310; policy accept; }']],
  [
    'rules that look addresses up in sets',
    ['add set T s { type ipv4_addr; }', 'add chain T l', 'add rule T l ip saddr @s return'],
  ],
  [
    'rules by ICMP type',
    ['add chain T l', 'add rule T l icmp type time-exceeded accept', 'add rule T l icmpv6 type packet-too-big accept'],
  ],
]);

/** Names those that this nft and this kernel refuse. The namespace is one of our own. */
export async function lackingFeatures(nft: Nft): Promise<string[]> {
  const lacking: string[] = [];
  let made = 0;
  for (const [name, lines] of FEATURES) {
    const table = `inet probe${++made}`;
    const script = [`add table ${table}`, ...lines.map((line) => line.replace(' T ', ` ${table} `))];
    try {
      await nft.load(Buffer.from(`${script.join('\n')}\n`));
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      lacking.push(name);
    }
  }
  return lacking;
}
