import { describe, expect, test } from 'vitest';
import { IpSet } from '../../src/ip/index.js';
import { type Lockdown, lockdownScript, preludeScript } from '../../src/respond/lockdown.js';

const allow = [...IpSet.from(['2001:db8::/64', '203.0.113.7']).prefixes()];
const lockdown: Lockdown = { allow, ports: [22, 2222], seconds: 1800, cutOutbound: false };
/** Rules of the script, without the table in them. */
const rules = (script: string) =>
  [...script.matchAll(/^add rule inet blocklist_lockdown (.*)$/gm)].map(([, rule]) => rule);

describe('the script of a lockdown', () => {
  test('as nft is given it: one transaction in which nothing is deleted', () => {
    expect(lockdownScript(lockdown)).toBe(`add table inet blocklist_lockdown
add set inet blocklist_lockdown armed { type nf_proto; flags timeout; }
add chain inet blocklist_lockdown entry { type filter hook prerouting priority -150; policy accept; }
add chain inet blocklist_lockdown forwarded { type filter hook forward priority -150; policy accept; }
add chain inet blocklist_lockdown outward { type filter hook output priority -150; policy accept; }
add chain inet blocklist_lockdown admins
add chain inet blocklist_lockdown admins_out
add chain inet blocklist_lockdown inbound
add chain inet blocklist_lockdown outbound
flush chain inet blocklist_lockdown entry
flush chain inet blocklist_lockdown forwarded
flush chain inet blocklist_lockdown outward
flush chain inet blocklist_lockdown admins
flush chain inet blocklist_lockdown admins_out
flush chain inet blocklist_lockdown inbound
flush chain inet blocklist_lockdown outbound
flush set inet blocklist_lockdown armed
add rule inet blocklist_lockdown admins ip saddr 203.0.113.7 accept
add rule inet blocklist_lockdown admins ip6 saddr 2001:db8::/64 accept
add rule inet blocklist_lockdown admins_out ip daddr 203.0.113.7 accept
add rule inet blocklist_lockdown admins_out ip6 daddr 2001:db8::/64 accept
add rule inet blocklist_lockdown inbound iifname "lo" accept
add rule inet blocklist_lockdown inbound tcp dport 22 jump admins
add rule inet blocklist_lockdown inbound tcp dport 2222 jump admins
add rule inet blocklist_lockdown inbound icmp type { destination-unreachable, time-exceeded, parameter-problem } ct state related accept
add rule inet blocklist_lockdown inbound icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state related accept
add rule inet blocklist_lockdown inbound icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept
add rule inet blocklist_lockdown inbound udp sport 67 udp dport 68 accept
add rule inet blocklist_lockdown inbound ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept
add rule inet blocklist_lockdown inbound ct state established,related ct direction reply accept
add rule inet blocklist_lockdown inbound drop
add rule inet blocklist_lockdown outbound oifname "lo" accept
add rule inet blocklist_lockdown outbound tcp sport 22 jump admins_out
add rule inet blocklist_lockdown outbound tcp sport 2222 jump admins_out
add rule inet blocklist_lockdown outbound tcp flags & (fin | syn | rst | ack) != syn ct state new drop
add rule inet blocklist_lockdown entry meta nfproto @armed jump inbound
add rule inet blocklist_lockdown forwarded meta nfproto @armed drop
add rule inet blocklist_lockdown outward meta nfproto @armed jump outbound
add element inet blocklist_lockdown armed { ipv4 timeout 1800s, ipv6 timeout 1800s }
`);
  });

  test('without a time it stands for good', () => {
    const [last] = lockdownScript({ ...lockdown, seconds: undefined })
      .trimEnd()
      .split('\n')
      .slice(-1);
    expect(last).toBe('add element inet blocklist_lockdown armed { ipv4, ipv6 }');
  });

  test('one family alone has no rule of the other, and neighbours live', () => {
    for (const [text, other] of [
      ['203.0.113.0/24', 'ip6 [sd]addr (?!fe80)'],
      ['2001:db8::7', 'ip [sd]addr'],
    ] as const) {
      const script = lockdownScript({ ...lockdown, allow: [...IpSet.from([text]).prefixes()] });
      expect(script).not.toMatch(new RegExp(other));
      expect(script).toContain('nd-neighbor-solicit');
      expect(script).toContain('{ ipv4 timeout 1800s, ipv6 timeout 1800s }');
    }
  });

  test('cut off outward, no answer comes in either, and all that goes out is named', () => {
    const cut = rules(lockdownScript({ ...lockdown, cutOutbound: true }));
    expect(cut.filter((rule) => rule?.includes('ct state established'))).toEqual([]);
    expect(cut.filter((rule) => rule?.startsWith('outbound '))).toEqual([
      'outbound oifname "lo" accept',
      'outbound tcp sport 22 jump admins_out',
      'outbound tcp sport 2222 jump admins_out',
      expect.stringMatching(/^outbound icmpv6 type \{ nd-router-solicit, .*, mld2-listener-report \} accept$/),
      'outbound udp sport 68 udp dport 67 accept',
      'outbound udp sport 546 udp dport 547 accept',
      'outbound drop',
    ]);
  });

  test('what goes before it drops nothing that comes in, asks conntrack for nothing, and ends by itself', () => {
    const script = preludeScript(lockdown);
    expect(script).not.toContain('ct state');
    expect(script).toContain('{ ipv4 timeout 10s, ipv6 timeout 10s }');
    expect(rules(script)).toEqual([
      'admins_out ip daddr 203.0.113.7 accept',
      'admins_out ip6 daddr 2001:db8::/64 accept',
      'outbound oifname "lo" accept',
      'outbound tcp sport 22 jump admins_out',
      'outbound tcp sport 2222 jump admins_out',
      'outbound tcp flags & (fin | syn | rst | ack) != syn drop',
      'outward meta nfproto @armed jump outbound',
    ]);
  });
});
