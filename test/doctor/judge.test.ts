import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { judgeClock } from '../../src/doctor/clock.js';
import { judgeConfiguration } from '../../src/doctor/configuration.js';
import type { Finding } from '../../src/doctor/contract.js';
import { judgeDisk, type Place } from '../../src/doctor/disk.js';
import { judgeIpv6 } from '../../src/doctor/ipv6.js';
import { judgeMemory } from '../../src/doctor/memory.js';
import { judgePrivileges } from '../../src/doctor/privileges.js';
import { judgeProbe } from '../../src/doctor/probe.js';
import { judgePrograms, type ProgramFacts } from '../../src/doctor/programs.js';
import { judgeProxy } from '../../src/doctor/proxy.js';
import { judgeRules, type RulesFacts } from '../../src/doctor/rules.js';
import { BlocklistError } from '../../src/errors.js';
import { IpSet, parsePrefix } from '../../src/ip/index.js';
import { bench, NOW, named } from './host.js';

const missing = (name: string) => new BlocklistError('program-missing', `cannot run ${name}`, { where: name });

type Row = readonly [what: string, found: Finding[], id: string, state: Finding['state'], fix: string];

/** Every row is a fault with the finding that names it, and what it tells to do. */
function faults(title: string, healthy: Finding[], rows: readonly Row[]): void {
  describe(title, () => {
    test('nothing to tell where all is well', () => {
      expect(healthy.filter(({ state }) => state !== 'good')).toEqual([]);
    });
    test.each(rows)('%s', (_what, found, id, state, fix) => {
      expect(named(found, id)).toContainEqual({ state, text: expect.any(String), fix: expect.stringContaining(fix) });
    });
  });
}

const ALL: ProgramFacts = {
  node: '20.19.0',
  kernel: '4.18.0-553.el8',
  nft: '1.0.2',
  others: new Map<'ip' | 'ss' | 'unshare' | 'conntrack' | 'git', string | BlocklistError>([
    ['ip', 'ip utility'],
    ['ss', 'ss utility'],
    ['unshare', ''],
    ['conntrack', 'conntrack v1'],
    ['git', missing('git')],
  ]),
  isInGit: false,
};
const without = (name: 'ip' | 'ss' | 'unshare' | 'conntrack') => ({
  ...ALL,
  others: new Map([...ALL.others, [name, missing(name)] as const]),
});
faults('programs', judgePrograms(ALL), [
  ['node of last year', judgePrograms({ ...ALL, node: '20.18.9' }), 'node', 'problem', 'Node 20.19'],
  ['node 18', judgePrograms({ ...ALL, node: '18.20.0' }), 'node', 'problem', 'Node 20.19'],
  ['a kernel of 2016', judgePrograms({ ...ALL, kernel: '4.9.0-13' }), 'kernel', 'problem', '4.10'],
  ['no nft', judgePrograms({ ...ALL, nft: missing('nft') }), 'nft', 'problem', 'install'],
  ['no ip', judgePrograms(without('ip')), 'ip', 'problem', 'iproute2'],
  ['no ss', judgePrograms(without('ss')), 'ss', 'problem', 'iproute2'],
  ['no unshare', judgePrograms(without('unshare')), 'unshare', 'note', 'util-linux'],
  ['no conntrack', judgePrograms(without('conntrack')), 'conntrack', 'note', 'conntrack'],
  ['rules in git and no git', judgePrograms({ ...ALL, isInGit: true }), 'git', 'problem', 'apt-get install git'],
]);

const ROOT = { uid: 0, mayChangeFirewall: true, unreadable: [], untrusted: [] };
const open = { where: '/etc/blocklist', what: 'writable by everybody', fix: 'chmod go-w /etc/blocklist' };
faults('privileges', judgePrivileges(ROOT, bench), [
  ['a plain user', judgePrivileges({ ...ROOT, uid: 7, mayChangeFirewall: false }, bench), 'rights', 'note', 'sudo'],
  [
    'root in a container',
    judgePrivileges({ ...ROOT, mayChangeFirewall: false }, bench),
    'rights',
    'problem',
    'NET_ADMIN',
  ],
  [
    'rules that may not be read',
    judgePrivileges({ ...ROOT, uid: 7, unreadable: ['/x'] }, bench),
    'readable',
    'unknown',
    'chmod a+rX /x',
  ],
  ['open to all', judgePrivileges({ ...ROOT, untrusted: [open] }, bench), 'owners', 'problem', 'chmod go-w'],
]);

const failed = (lacking: string[]) =>
  ({ ran: true, done: ['load'], failed: { step: 'swap', why: 'no', lacking } }) as const;
faults('probe', judgeProbe({ ran: true, done: ['load', 'swap'] }, bench), [
  [
    'no namespaces',
    judgeProbe({ ran: false, why: 'not permitted', fix: undefined }, bench),
    'probe',
    'unknown',
    'as root',
  ],
  [
    'no unshare',
    judgeProbe({ ran: false, why: '', fix: 'apt-get install util-linux' }, bench),
    'probe',
    'unknown',
    'util-linux',
  ],
  ['a kernel without', judgeProbe(failed(['named counters']), bench), 'probe', 'problem', 'modprobe'],
  ['nobody knows why', judgeProbe(failed([]), bench), 'probe', 'problem', 'report'],
]);
test('the probe names what is missing', () => {
  expect(judgeProbe(failed(['named counters', 'interval sets']), bench)[0]?.what).toContain(
    'named counters, interval sets',
  );
});

const config = (yaml: string) => parseConfig(yaml, '/etc/blocklist/blocklist.yaml');
const CONFIGURED = { config: config('{}'), isNamed: true, sources: undefined, missing: [], caller: undefined };
const broken = (text: string) => {
  try {
    return config(text) as never;
  } catch (error) {
    return error as BlocklistError;
  }
};
const noConfig = new BlocklistError('config-missing', 'there is no blocklist.yaml here');
const caller = parsePrefix('203.0.113.7');
faults('config', judgeConfiguration(CONFIGURED, bench), [
  [
    'none yet',
    judgeConfiguration({ ...CONFIGURED, config: noConfig, isNamed: false }, bench),
    'config',
    'note',
    'blocklist init',
  ],
  [
    'one that is named and not there',
    judgeConfiguration({ ...CONFIGURED, config: noConfig }, bench),
    'config',
    'problem',
    '',
  ],
  ['a mistake', judgeConfiguration({ ...CONFIGURED, config: broken('a: 1') }, bench), 'config', 'problem', 'schema'],
  [
    'a file that is not there',
    judgeConfiguration({ ...CONFIGURED, missing: ['/l'] }, bench),
    'config-files',
    'problem',
    'make it',
  ],
  [
    'no database of fail2ban',
    judgeConfiguration({ ...CONFIGURED, fail2ban: '/var/lib/fail2ban/fail2ban.sqlite3' }, bench),
    'fail2ban',
    'problem',
    'dbfile',
  ],
  [
    'an unknown feed',
    judgeConfiguration({ ...CONFIGURED, sources: missing('feed') }, bench),
    'config',
    'problem',
    'mend',
  ],
  [
    'an SSH session without admins',
    judgeConfiguration({ ...CONFIGURED, caller }, bench),
    'admins',
    'note',
    '"203.0.113.7"',
  ],
]);
test('each mistake of a configuration has its own line', () => {
  const found = judgeConfiguration({ ...CONFIGURED, config: broken('polity: 1\nsources:\n  feed: []') }, bench);
  expect(found.map(({ where }) => where)).toEqual([
    '/etc/blocklist/blocklist.yaml:1',
    '/etc/blocklist/blocklist.yaml:3',
  ]);
});
test('an admin who is logged in is no finding', () => {
  const admins = { ...CONFIGURED, caller, config: config('local: {admins: [203.0.113.0/24]}') };
  expect(named(judgeConfiguration(admins, bench), 'admins')).toEqual([]);
});

const RULES: RulesFacts = {
  folder: '/rules',
  artefact: { digest: 'a', prefixes: 7 },
  lastBuild: NOW - 1000,
  maxAge: 86_400_000,
  loaded: { digest: 'a' },
  hold: undefined,
  waiting: undefined,
};
const invalid = new BlocklistError('artefact-invalid', 'nodes4.txt:3', { hint: 'run blocklist build' });
const nothing = new BlocklistError('artefact-missing', 'no rules');
const denied = new BlocklistError('no-permission', 'must be root');
const waiting = { version: 1, at: NOW, deadline: NOW + 5000, from: null, to: 'a', watchdog: {} } as never;
const held = { what: 'unloaded', at: NOW, by: 'ada' } as const;
faults('rules', judgeRules(RULES, bench), [
  ['damaged', judgeRules({ ...RULES, artefact: invalid }, bench), 'rules', 'problem', 'blocklist build'],
  ['none yet', judgeRules({ ...RULES, artefact: nothing }, bench), 'rules', 'note', 'blocklist update'],
  ['old', judgeRules({ ...RULES, lastBuild: NOW - 90_000_000 }, bench), 'rules-age', 'problem', 'blocklist update'],
  ['not loaded', judgeRules({ ...RULES, loaded: 'nothing' }, bench), 'loaded', 'note', 'blocklist apply'],
  ['others loaded', judgeRules({ ...RULES, loaded: { digest: 'b' } }, bench), 'loaded', 'note', 'apply --dry-run'],
  ['not to be seen', judgeRules({ ...RULES, loaded: denied }, bench), 'loaded', 'unknown', 'root'],
  [
    'unloaded by hand',
    judgeRules({ ...RULES, loaded: 'nothing', hold: held }, bench),
    'hold',
    'note',
    'blocklist apply',
  ],
  ['unconfirmed', judgeRules({ ...RULES, waiting }, bench), 'unconfirmed', 'note', 'blocklist confirm'],
]);
test('without a configuration nobody knows of rules', () => {
  expect(judgeRules(undefined, bench)).toEqual([]);
});

const place = (more: Partial<Place>): Place => ({
  name: 'state',
  path: '/s',
  free: 1e9,
  freeInodes: undefined,
  isReadOnly: false,
  ...more,
});
const disk = (more: Partial<Place>, prefixes = 0) => judgeDisk({ places: [place(more)], prefixes }, bench);
faults('disk', disk({}), [
  ['full', disk({ free: 1e6 }), 'disk', 'problem', 'make room'],
  ['too small for so many', disk({ free: 50e6 }, 220_000), 'disk', 'problem', 'make room'],
  ['no inodes', disk({ freeInodes: 3 }), 'disk', 'problem', 'df -i'],
  ['read-only', disk({ isReadOnly: true }), 'disk', 'problem', 'remount,rw'],
  [
    'not to be seen',
    judgeDisk({ places: [{ path: '/s', why: 'EACCES' }], prefixes: 0 }, bench),
    'disk',
    'unknown',
    'sudo',
  ],
]);

const CLOCK = { newest: { path: '/s', at: NOW - 1 }, keeper: 'chronyd' };
faults('clock', judgeClock(CLOCK, bench), [
  [
    'a file of next year',
    judgeClock({ ...CLOCK, newest: { path: '/s', at: NOW + 1e10 } }, bench),
    'clock',
    'problem',
    'touch /s',
  ],
  ['1970', judgeClock({ ...CLOCK, newest: undefined }, { ...bench, now: 5 }), 'clock', 'problem', 'timedatectl'],
  ['nobody keeps it', judgeClock({ ...CLOCK, keeper: undefined }, bench), 'clock', 'note', 'chrony'],
]);

faults('memory', judgeMemory({ available: 500e6, prefixes: 220_000 }), [
  ['a small machine', judgeMemory({ available: 200e6, prefixes: 220_000 }), 'memory', 'problem', 'swap'],
  ['no /proc', judgeMemory({ available: undefined, prefixes: 1 }), 'memory', 'unknown', '/proc'],
]);

faults('ipv6', judgeIpv6({ interfaces: ['eth0'], prefixes: 4 }), [
  ['no IPv6 in the rules', judgeIpv6({ interfaces: ['eth0'], prefixes: 0 }), 'ipv6', 'note', 'spamhaus-drop-v6'],
]);

const cdn = { id: 'cloudflare', set: IpSet.from(['104.16.0.0/13']) };
const peers = (count: number, make: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => parsePrefix(make(k)));
const fromCdn = peers(8, (k) => `104.16.0.${k}`);
const visitors = peers(8, (k) => `203.0.113.${k}`);
faults('proxy', judgeProxy({ peers: visitors, ranges: [cdn], allowed: [] }, bench), [
  [
    'a CDN',
    judgeProxy({ peers: fromCdn, ranges: [cdn], allowed: [] }, bench),
    'proxy',
    'note',
    'allow: {feeds: [cloudflare]}',
  ],
  [
    'one peer for all',
    judgeProxy({ peers: peers(8, () => '192.0.2.1'), ranges: [], allowed: [] }, bench),
    'proxy',
    'note',
    'allow 192.0.2.1',
  ],
  ['no ss', judgeProxy({ peers: missing('ss'), ranges: [], allowed: [] }, bench), 'proxy', 'unknown', 'iproute2'],
]);
test('a CDN that is allowed is told as such, and few connections say nothing', () => {
  expect(judgeProxy({ peers: fromCdn, ranges: [cdn], allowed: ['cloudflare'] }, bench)[0]?.state).toBe('good');
  expect(judgeProxy({ peers: fromCdn.slice(0, 4), ranges: [cdn], allowed: [] }, bench)[0]?.state).toBe('good');
});
