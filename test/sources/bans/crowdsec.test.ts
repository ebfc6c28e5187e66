import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.js';
import { BlocklistError } from '../../../src/errors.js';
import { formatPrefix, IpSet, parsePrefix } from '../../../src/ip/index.js';
import { banSource } from '../../../src/sources/bans/ban-source.js';
import { bansOfCrowdsec, type NetworksOf } from '../../../src/sources/bans/crowdsec.js';
import { scenarioOf } from '../../../src/sources/bans/crowdsec-scenario.js';
import { readKeptBans } from '../../../src/sources/bans/kept-bans.js';
import { databasesOf } from '../../../src/sources/index.js';
import { networksBy } from '../../../src/sources/networks.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { sends, testServer } from '../server.js';
import { environmentAt, HOUR, NOON, textOf } from '../specs.js';

const LIMITS = { maxPrefixV4: 8, maxPrefixV6: 16, maxRejects: 0.05, maxAgeMs: 14 * 24 * HOUR };

const setOf = (...texts: readonly string[]) => IpSet.from(texts.map(parsePrefix));
const KNOWN: Readonly<Record<string, IpSet>> = {
  cn: setOf('45.9.0.0/16', '2a00:1::/32'),
  us: setOf('6.0.0.0/7'),
  4134: setOf('45.10.0.0/16'),
};
const someNetworks: NetworksOf = async (_, keys) =>
  new Map(keys.flatMap((key) => (KNOWN[key] ? [[key, KNOWN[key]]] : [])));

function decision(scope: string, value: string, duration = '4h0m0s') {
  return { id: 1, origin: 'cscli', scenario: 'manual', type: 'ban', scope, value, duration };
}

const decisions = (...values: readonly string[]) => values.map((value) => decision('Ip', value));

/** A local API with these decisions, and what a source makes of them at a time. */
async function crowdsec(given: readonly object[], networksOf: NetworksOf = someNetworks) {
  const root = await tempFolder();
  await writeFile(join(root, 'key'), 'k-1\n', { mode: 0o600 });
  const server = await testServer(sends(JSON.stringify({ new: given, deleted: [decision('Ip', '45.9.9.9', '-1s')] })));
  const scopes = 'scopes: [ip, range, country, as]';
  const yaml = `sources: {crowdsec: {url: "${server.origin}", key-file: key, ${scopes}}}`;
  const entry = parseConfig(yaml, join(root, 'blocklist.yaml')).sources.crowdsec!;
  const { fetcher } = await environmentAt(join(root, 'http'));
  onTestFinished(() => fetcher.end());
  const load = async (now = NOON, network: 'use' | 'avoid' = 'use') => {
    const reader = await bansOfCrowdsec(entry, { fetcher, now: () => now, networksOf, own: 'blocklist/web1' });
    const place = { cache: join(root, 'bans'), seen: join(root, 'seen') };
    return banSource(reader, { ...place, now: () => now, limits: LIMITS }).load(network);
  };
  const kept = async () => (await readKeptBans(join(root, 'bans', 'crowdsec.jsonl')))?.bans ?? [];
  return { load, server, kept };
}

describe('decisions about countries and networks', () => {
  test('block all that a database gives to them, each until its own end, also without CrowdSec', async () => {
    const { load, server } = await crowdsec([
      decision('Country', 'CN', '2h0m0s'),
      decision('AS', 'AS4134', '1h0m0s'),
      decision('Ip', '45.11.1.7'),
    ]);
    const loaded = await load();
    expect(textOf(loaded.set)).toEqual(['45.9.0.0/16', '45.10.0.0/16', '45.11.1.7', '2a00:1::/32']);
    expect(loaded).toMatchObject({ state: 'fresh', kind: 'bans', counts: { entries: 4 } });
    expect(loaded.problem).toBeUndefined();
    await server.stop();
    expect(textOf((await load(NOON + HOUR)).set)).toEqual(['45.9.0.0/16', '45.11.1.7', '2a00:1::/32']);
    expect(textOf((await load(NOON + 2 * HOUR, 'avoid')).set)).toEqual(['45.11.1.7']);
    expect(textOf((await load(NOON + 4 * HOUR, 'avoid')).set)).toEqual([]);
  });

  test('that no database knows are a problem, and the others block', async () => {
    const unknown = ['AS1', 'AS2', 'AS3', 'AS4', 'AS1'].map((value) => decision('AS', value));
    const { load } = await crowdsec([...unknown, decision('Country', 'XX'), decision('Country', 'CN')]);
    const { set, problem, state } = await load();
    expect(textOf(set)).toEqual(['45.9.0.0/16', '2a00:1::/32']);
    expect([state, problem?.code]).toEqual(['fresh', 'source-suspect']);
    expect(problem?.message).toBe('decisions about networks that no database here knows: xx, AS1, AS2 and 2 more');
  });

  test('without a database at all the problem says why', async () => {
    const { load } = await crowdsec([decision('AS', '4134'), decision('Ip', '45.9.1.7')], async () => {
      throw new BlocklistError('bad-database', 'it is damaged');
    });
    const { set, problem } = await load();
    expect(textOf(set)).toEqual(['45.9.1.7']);
    expect(problem?.message).toContain('AS4134 (it is damaged)');
  });

  test('a country with a wider block than is allowed is refused, with last good', async () => {
    const { load, server } = await crowdsec([decision('Ip', '45.9.1.7')]);
    await load();
    server.answer = sends(JSON.stringify({ new: [decision('Ip', '45.9.1.8'), decision('Country', 'US')] }));
    const { set, problem, state } = await load(NOON + 1);
    expect([textOf(set), state, problem?.code]).toEqual([['45.9.1.7'], 'kept', 'source-too-wide']);
  });
});

test('what cannot be read is a share of the decisions, however many networks one of them stands for', async () => {
  const many = setOf(...Array.from({ length: 100 }, (_, i) => `45.9.${2 * i}.0/24`));
  const { load, server } = await crowdsec(decisions('45.9.1.7'), async () => new Map([['cn', many]]));
  await load();
  server.answer = sends(JSON.stringify({ new: [decision('Country', 'CN'), decision('Ip', 'x')] }));
  const { state, problem } = await load(NOON + 1);
  expect([state, problem?.message]).toEqual(['kept', expect.stringContaining('1 of 2 bans are unreadable')]);
});

test('an address that left CrowdSec’s list is open, and what was there before is told', async () => {
  const { load, server } = await crowdsec([decision('Ip', '45.9.1.7'), decision('Ip', '45.9.1.8')]);
  await load();
  server.answer = sends('{"new":null,"deleted":null}');
  const { set, before } = await load(NOON + 1);
  expect([textOf(set), before && textOf(before)]).toEqual([[], ['45.9.1.7', '45.9.1.8']]);
});

test('of several decisions about one address with the same words the longest counts', async () => {
  const bans = [decision('Ip', '45.9.1.7', '1h'), decision('Ip', '45.9.1.7', '3h'), decision('Ip', '45.9.1.7', '2h')];
  const { load, kept } = await crowdsec([...bans, { ...decision('Ip', '45.9.1.7', '5h'), scenario: 'ssh' }]);
  expect((await load()).counts.entries).toBe(2);
  expect((await kept()).map(({ until = 0, reason }) => [(until - NOON) / HOUR, reason])).toEqual([
    [3, 'manual'],
    [5, 'ssh'],
  ]);
});

test('a decision is known since it was first read, for as long as it was there without a break', async () => {
  const { load, server, kept } = await crowdsec([decision('Ip', '45.9.1.7'), decision('Ip', '45.9.1.8', '1h0m0s')]);
  const made = (value: string, scenario: string) => ({ ...decision('Ip', value), scenario });
  const sinceOf = async () => (await kept()).map(({ prefix, since }) => [formatPrefix(prefix), (since - NOON) / HOUR]);
  await load();
  server.answer = sends(JSON.stringify({ new: [...decisions('45.9.1.7', '45.9.1.8'), made('45.9.1.7', 'ssh')] }));
  await load(NOON + 2 * HOUR);
  const again = [
    ['45.9.1.7', 0],
    ['45.9.1.8', 2],
    ['45.9.1.7', 2],
  ];
  expect(await sinceOf()).toEqual(again);
  await load(NOON + 3 * HOUR);
  expect(await sinceOf()).toEqual(again);
  server.answer = sends('{"new":null}');
  await load(NOON + 3.5 * HOUR);
  server.answer = sends(JSON.stringify({ new: decisions('45.9.1.7') }));
  await load(NOON + 3.75 * HOUR);
  expect(await sinceOf()).toEqual([['45.9.1.7', 3.75]]);
});

describe('networks by what they are', () => {
  async function networksIn(yaml: string): Promise<NetworksOf> {
    const root = await tempFolder();
    const { now, fetcher, progress } = await environmentAt(join(root, 'http'));
    const config = parseConfig(yaml, join(root, 'blocklist.yaml'));
    const place = { cache: root, state: root, accepted: new Set<string>() };
    return networksBy(config, await databasesOf(config, { ...place, now, fetcher, progress }));
  }

  test('of countries come from the database of countries; one that it does not know is left out', async () => {
    const found = await (await networksIn('{}'))('country', ['kp', 'zz', '!']);
    expect([...found.keys()]).toEqual(['kp']);
    expect(found.get('kp')?.has('175.45.176.1')).toBe(true);
  });

  test('of autonomous systems come from geo.asn, and need it', async () => {
    const needed = await problemOf(async () => (await networksIn('{}'))('as', ['4134']));
    expect(needed.message).toContain('geo.asn');
    const file = fileURLToPath(new URL('../../fixtures/geo/asn-ipv4.csv', import.meta.url));
    const found = await (await networksIn(`geo: {asn: "${file}"}`))('as', ['4134', '64512']);
    expect([...found.keys()]).toEqual(['4134']);
    expect(found.get('4134')?.v4.size).toBeGreaterThan(0);
  });
});

test.each([
  ['web1', 'blocklist/web1'],
  ['Web1.example.org', 'blocklist/web1.example.org'],
  ['a b"<c>/..', 'blocklist/a-b--c--..'],
  ['x'.repeat(100), `blocklist/${'x'.repeat(64)}`],
])('the scenario of %j', (host, scenario) => {
  expect(scenarioOf(host)).toBe(scenario);
  expect(scenarioOf(hostname())).toMatch(/^blocklist\/[a-z0-9.-]+$/);
});
