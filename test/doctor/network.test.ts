import { expect, test } from 'vitest';
import { type FirewallFacts, judgeFirewalls } from '../../src/doctor/firewalls.js';
import { linksOf, linksSchema } from '../../src/doctor/links.js';
import { parseRuleset } from '../../src/doctor/ruleset.js';
import { judgeUncovered, type UncoveredFacts } from '../../src/doctor/uncovered.js';
import { BlocklistError } from '../../src/errors.js';
import { INCLUDE_LINES } from '../../src/setup/cron.js';
import { bench, named } from './host.js';

const QUIET: FirewallFacts = {
  ruleset: { tables: ['inet blocklist'], chains: ['inet blocklist early'], flowtables: [] },
  legacy: [],
  isUfwEnabled: false,
  nftablesConf: '',
  isNftablesServiceEnabled: true,
  isBootUnitEnabled: false,
};
const firewalls = (more: Partial<FirewallFacts>) => judgeFirewalls({ ...QUIET, ...more }, bench);
const states = (found: ReturnType<typeof firewalls>) => found.map(({ id, state }) => `${id} ${state}`);

test('our own table is nobody else', () => {
  expect(states(firewalls({}))).toEqual(['firewalls good']);
});

test.each([
  ['firewalld', ['inet firewalld'], []],
  ['Docker', ['ip nat'], ['ip nat DOCKER']],
  ['Podman', ['inet netavark'], []],
  ['Kubernetes', ['ip filter'], ['ip filter KUBE-FORWARD']],
  ['fail2ban', ['inet f2b-table'], []],
  ['CrowdSec', ['ip crowdsec'], []],
  ['ufw', ['ip filter'], ['ip filter ufw-before-input']],
  ['libvirt', ['ip filter'], ['ip filter LIBVIRT_FWI']],
] as const)('%s is known by its tables or chains', (name, tables, chains) => {
  const found = firewalls({ ruleset: { tables, chains, flowtables: [] } });
  expect(found).toMatchObject([
    { id: 'firewalls', state: 'note', where: name, fix: expect.stringContaining('nothing') },
  ]);
});

test('a flowtable is a problem: what it took over passes no rule', () => {
  const json = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 'f', handle: 1 } },
      { flowtable: { family: 'inet', name: 'ft', table: 'f', handle: 2, hook: 'ingress', prio: 0, dev: 'eth0' } },
    ],
  });
  expect(named(firewalls({ ruleset: parseRuleset(json) }), 'flowtable')).toEqual([
    { state: 'problem', text: expect.stringContaining('inet f ft'), fix: expect.stringContaining('flow add') },
  ]);
});

test('iptables-legacy: a note when it is used, unknown when it cannot be seen', () => {
  expect(states(firewalls({ legacy: ['filter'] }))).toContain('iptables-legacy note');
  expect(states(firewalls({ legacy: 'denied' }))).toContain('iptables-legacy unknown');
  const ruleset = new BlocklistError('program-failed', 'must be root');
  expect(states(firewalls({ ruleset }))).toEqual(['firewalls unknown']);
});

const FLUSH = '#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter { }\n';
test.each([
  ['a problem', { nftablesConf: FLUSH }, 'nftables-flush problem'],
  ['well, with the boot unit', { nftablesConf: FLUSH, isBootUnitEnabled: true }, 'nftables-flush good'],
  ['well, with the include lines', { nftablesConf: FLUSH + INCLUDE_LINES.join('\n') }, 'nftables-flush good'],
  [
    'a problem when they stand before it',
    { nftablesConf: `${INCLUDE_LINES.join('\n')}\n${FLUSH}` },
    'nftables-flush problem',
  ],
] as const)('flush ruleset in nftables.conf: %s', (_what, more, state) => {
  expect(states(firewalls(more))).toContain(state);
});

test.each([{ nftablesConf: FLUSH, isNftablesServiceEnabled: false }, { nftablesConf: '# flush ruleset\n' }])(
  'a flush that nobody runs is no finding',
  (more) => {
    expect(states(firewalls(more))).toEqual(['firewalls good']);
  },
);

const LINKS = linksOf(
  linksSchema.parse([
    {},
    { ifname: 'lo', link_type: 'loopback', flags: ['UP'] },
    { ifname: 'eth0', link_type: 'ether', flags: ['UP'], master: 'br0', xdp: { mode: 2, prog: { id: 5 } } },
    { ifname: 'br0', link_type: 'ether', flags: ['UP'], linkinfo: { info_kind: 'bridge' } },
    { ifname: 'tap0', link_type: 'ether', master: 'br0', linkinfo: { info_kind: 'tun', info_slave_kind: 'bridge' } },
    { ifname: 'docker0', link_type: 'ether', flags: ['UP'], linkinfo: { info_kind: 'bridge' } },
    { ifname: 'veth1', link_type: 'ether', master: 'docker0', linkinfo: { info_kind: 'veth' } },
    { ifname: 'mv0', link: 'eth0', link_type: 'ether', linkinfo: { info_kind: 'macvlan' } },
    { ifname: 'mt0', link: 'eth0', link_type: 'ether', linkinfo: { info_kind: 'macvtap' } },
  ]),
);
const WAYS: UncoveredFacts = {
  links: LINKS,
  addressed: new Set(['docker0', 'br0']),
  isBridgeFiltered: false,
  others: [],
  seesAll: true,
  virtualFunctions: new Map([['eth1', 4]]),
};

test('bridged guests, macvlan, macvtap, XDP and virtual functions are named, routed containers are not', () => {
  const found = judgeUncovered(WAYS, bench);
  expect(found.map(({ id, state, where }) => [id, state, where])).toEqual([
    ['bridges', 'note', 'br0'],
    ['macvlan', 'note', 'mv0'],
    ['macvlan', 'note', 'mt0'],
    ['xdp', 'note', 'eth0'],
    ['sriov', 'note', 'eth1'],
  ]);
  expect(found.every((each) => 'fix' in each && each.fix.length > 10)).toBe(true);
});

test('with br_netfilter bridged guests are covered', () => {
  expect(named(judgeUncovered({ ...WAYS, isBridgeFiltered: true }, bench), 'bridges')).toEqual([]);
});

test('another namespace with hardware of its own is named, one behind veth is not', () => {
  const card = linksOf([{ ifname: 'eth5', link_type: 'ether', flags: ['UP'] }]);
  const veth = linksOf([{ ifname: 'eth0', link_type: 'ether', flags: ['UP'], linkinfo: { info_kind: 'veth' } }]);
  const found = judgeUncovered(
    {
      ...WAYS,
      links: [],
      virtualFunctions: new Map(),
      others: [
        { name: 'router', links: card },
        { name: 'web', links: veth },
      ],
    },
    bench,
  );
  expect(found).toMatchObject([
    { id: 'namespaces', state: 'note', where: 'router', fix: expect.stringContaining('apply') },
  ]);
});

test('what cannot be seen is unknown, not good', () => {
  const blind = {
    ...WAYS,
    links: new BlocklistError('program-missing', 'no ip'),
    seesAll: false,
    virtualFunctions: new Map(),
  };
  expect(states(judgeUncovered(blind, bench))).toEqual(['links unknown', 'namespaces unknown']);
});
