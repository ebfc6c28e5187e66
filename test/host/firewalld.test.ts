import { expect, test } from 'vitest';
import { listed } from '../../src/host/firewalld.js';

/** As firewall-cmd 1.3.3 prints it, cut. */
const ZONES = `blocklist (active)
  target: DROP
  sources: ipset:blocklist-nodes4

public (default, active)
  target: default
  interfaces: eth0
  services: ssh
  rich rules: 
\trule family="ipv4" source address="192.0.2.0/24" accept

work
  target: default
`;

test('each line has the name of its zone; our own zone and the interfaces do not count', () => {
  expect(listed(ZONES, 'blocklist')).toEqual([
    'public',
    'public: target: default',
    'public: services: ssh',
    'public: rich rules:',
    'public: rule family="ipv4" source address="192.0.2.0/24" accept',
    'work',
    'work: target: default',
  ]);
});

test('direct rules are taken as they are', () => {
  expect(listed('ipv4 filter INPUT 0 -p tcp --dport 9 -j DROP\n', 'blocklist')).toEqual([
    'ipv4 filter INPUT 0 -p tcp --dport 9 -j DROP',
  ]);
  expect(listed('\n', 'blocklist')).toEqual([]);
});
