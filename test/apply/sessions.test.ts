import { describe, expect, test } from 'vitest';
import { droppedBy } from '../../src/apply/sessions.js';
import type { Policy } from '../../src/build/policy.js';
import { decompose, fourSets, IpSet, parsePrefix } from '../../src/ip/index.js';
import { DEFAULT_POLICY } from '../../src/render/default-policy.js';

const IN = ['45.9.20.7', '91.200.1.0/24', '2a0d:f302::1'];
const OUT = ['77.91.64.0/22', '2a0d:f303::/32'];
const ADDRESS = {
  in: ['45.9.20.7', '91.200.1.9', '2a0d:f302::1'],
  out: ['77.91.64.1', '2a0d:f303::9'],
  free: ['9.0.0.1', '2a02::1'],
} as const;

/** What is asked: a host of one of the lists that came to a port, or to which this host went. */
type Column = readonly [who: keyof typeof ADDRESS, port: number | undefined];
const COLUMNS: readonly Column[] = [
  ['in', 22],
  ['in', 80],
  ['in', undefined],
  ['out', 22],
  ['out', undefined],
  ['free', 22],
  ['free', undefined],
];

/** As the columns: x goes, - stays. */
test.each<[what: string, policy: Partial<Policy>, gone: string]>([
  ['all', {}, 'xxxxx--'],
  ['new', { drop: 'new' }, 'xx-----'],
  ['all, ports', { ports: [22] }, 'x--xx--'],
  ['new, ports', { drop: 'new', ports: [22] }, 'x------'],
  ['all, outbound', { alsoOutbound: true }, 'xxxxx--'],
  ['new, outbound', { drop: 'new', alsoOutbound: true }, 'xx-----'],
  // Nothing is sent to whoever is listed: on no port.
  ['all, ports, outbound', { ports: [22], alsoOutbound: true }, 'xxxxx--'],
  ['new, ports, outbound', { drop: 'new', ports: [22], alsoOutbound: true }, 'x------'],
])('whose connections go: %s', (_what, policy, gone) => {
  const sets = {
    in: fourSets(IpSet.from(IN)),
    out: fourSets(IpSet.from(OUT)),
    policy: { ...DEFAULT_POLICY, ...policy },
  };
  const isDropped = droppedBy({ sets }, IpSet.empty, IpSet.empty);
  const found = COLUMNS.map(([who, port]) => {
    const answers = new Set(ADDRESS[who].map((address) => isDropped(parsePrefix(address), port)));
    return answers.size > 1 ? '?' : answers.has(true) ? 'x' : '-';
  });
  expect(found.join('')).toBe(gone);
});

describe('beside the lists', () => {
  const policy: Policy = { ...DEFAULT_POLICY, drop: 'new', ports: [22] };
  const sets = { in: fourSets(IpSet.from(IN)), policy };
  const [listed, free] = [parsePrefix('45.9.20.7'), parsePrefix('9.0.0.1')];

  test('a ban holds for everything, whatever the policy', () => {
    const isDropped = droppedBy({ sets }, IpSet.from(['9.0.0.1']), IpSet.empty);
    for (const port of [22, 80, undefined]) expect(isDropped(free, port), String(port)).toBe(true);
  });

  test('what is allowed here stays, banned or listed', () => {
    const both = IpSet.from(['45.9.20.7', '9.0.0.1']);
    const isDropped = droppedBy({ sets }, both, both);
    for (const address of [listed, free]) expect(isDropped(address, 22)).toBe(false);
  });

  test('only: who is elsewhere loses what came, on its ports; the policy does not spare it', () => {
    const alone = IpSet.from(['45.9.0.0/16', '2a02::/16']);
    const only = { nets4: decompose(alone.v4), nets6: decompose(alone.v6), ports: [443] };
    const isDropped = droppedBy({ sets: { ...sets, only } }, IpSet.empty, IpSet.empty);
    expect([443, 22, undefined].map((port) => isDropped(free, port))).toEqual([true, false, false]);
    expect([443, 22, undefined].map((port) => isDropped(listed, port))).toEqual([false, true, false]);
  });
});
