import { expect, test } from 'vitest';
import { firewallsIn } from '../../src/respond/obstacles.js';

const chain = (family: string, table: string, name: string, more: object = {}) => ({
  chain: { family, table, name, ...more },
});
const hooked = (hook: string, policy: string) => ({ type: 'filter', hook, prio: 0, policy });
const listing = (...objects: readonly object[]) =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...objects] });

test.each<[what: string, objects: readonly object[], found: readonly object[]]>([
  ['nobody', [], []],
  [
    'a policy on the way in',
    [
      chain('ip', 'filter', 'INPUT', hooked('input', 'drop')),
      chain('inet', 'mine', 'early', hooked('prerouting', 'drop')),
    ],
    [
      { kind: 'policy', chain: 'ip filter INPUT' },
      { kind: 'policy', chain: 'inet mine early' },
    ],
  ],
  [
    'policies elsewhere, and that of a chain that accepts',
    [
      chain('ip', 'filter', 'FORWARD', hooked('forward', 'drop')),
      chain('ip', 'filter', 'INPUT', hooked('input', 'accept')),
    ],
    [],
  ],
  [
    'firewalld and ufw, each once',
    [
      { table: { family: 'inet', name: 'firewalld' } },
      chain('inet', 'firewalld', 'filter_INPUT', hooked('input', 'accept')),
      chain('ip', 'filter', 'ufw-user-input'),
      chain('ip6', 'filter', 'ufw6-user-input'),
    ],
    [
      { kind: 'firewall', name: 'firewalld' },
      { kind: 'firewall', name: 'ufw' },
    ],
  ],
  [
    'ours are not others',
    [
      chain('inet', 'blocklist', 'early', hooked('prerouting', 'drop')),
      chain('inet', 'blocklist_lockdown', 'entry', hooked('prerouting', 'drop')),
    ],
    [],
  ],
])('who else may drop: %s', (_, objects, found) => {
  expect(firewallsIn(listing(...objects))).toEqual(found);
});
