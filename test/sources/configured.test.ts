import { describe, expect, test } from 'vitest';
import { readCatalogue } from '../../src/sources/feeds/catalogue.js';
import { problemOf } from '../io/temp.js';
import { configuredIn, FILE, requestsOf, rows, specsOf } from './configuring.js';
import { HOUR } from './specs.js';

const DAY = 24 * HOUR;

describe('a feed that cannot be used', () => {
  test.each(
    rows<[what: string, yaml: string, message: string]>(
      [
        'is dead, with one in its place',
        'sources: {feeds: [cybercure]}',
        "the feed 'cybercure' (CyberCure IPs) is no more: Answered on 2026-08-12 without any readable list; take threatview-ip instead",
      ],
      [
        'is dead, with two in its place',
        'sources: {feeds: [dragon-research]}',
        "the feed 'dragon-research' (Dragon Research Group) is no more: Not updated since 2016; take dataplane-sshpwauth or dataplane-vncrfb instead",
      ],
      [
        'is dead, with none in its place',
        'allow: {feeds: [jigsaw]}',
        "the feed 'jigsaw' (Jigsaw/SLC security) is no more: Deleted before 2026-08",
      ],
      [
        'is to be allowed',
        'sources: {feeds: [cloudflare]}',
        "the feed 'cloudflare' lists addresses to allow, not to block",
      ],
      ['is to be blocked', 'allow: {feeds: [ipsum-4]}', "the feed 'ipsum-4' lists offenders, not addresses to allow"],
      [
        'is unknown',
        'allow: {feeds: [cloudflair]}',
        "there is no feed 'cloudflair' in the catalogue, did you mean 'cloudflare'?",
      ],
      ['is known as a profile', 'sources: {feeds: [server-basic]}', "there is no feed 'server-basic' in the catalogue"],
      [
        'is a key of every object',
        'sources: {feeds: [constructor]}',
        "there is no feed 'constructor' in the catalogue",
      ],
      [
        'has no key for',
        'sources: {feeds: [{id: ipsum-4, for: [cn]}]}',
        "the feed 'ipsum-4' is one list: expected no key for",
      ],
      [
        'wants countries',
        'sources: {feeds: [ipdeny]}',
        "the feed 'ipdeny' needs the key for: country codes, like [cn, ru]",
      ],
      [
        'wants networks',
        'allow: {feeds: [ripestat-asn]}',
        "the feed 'ripestat-asn' needs the key for: AS numbers, like [4134]",
      ],
      [
        'wants ids',
        'sources: {feeds: [crowdsec-integration]}',
        "the feed 'crowdsec-integration' needs the key for: ids",
      ],
      ['wants a key', 'sources: {feeds: [abuseipdb-api]}', "the feed 'abuseipdb-api' needs a key: expected key-file"],
      [
        'takes no key',
        'sources: {feeds: [{id: ipsum-4, key-file: /nonexistent/key}]}',
        "the feed 'ipsum-4' takes no key: expected no key-file",
      ],
    ),
  )('%s', async (_, yaml, message) => {
    const problem = await problemOf(() => configuredIn(yaml));
    expect(problem).toMatchObject({ code: 'config-invalid', message, where: FILE, exitStatus: 2 });
    expect(problem.hint).toMatch(/\w/);
  });

  test.each(['spamhaus-asndrop', 'isc-intelfeed', 'rir-delegated', 'maxmind-geolite2'])(
    '%s is refused, with the reason of the catalogue',
    async (id) => {
      const { feeds } = await readCatalogue();
      const reason = feeds.find((feed) => feed.id === id)?.refused;
      expect(reason).toMatch(/\w+ \w+/);
      const problem = await problemOf(() => configuredIn(`sources: {feeds: [${id}]}`));
      expect(problem).toMatchObject({
        code: 'config-invalid',
        message: `the feed '${id}' cannot be used: ${reason}`,
        where: FILE,
      });
    },
  );

  test('every dead feed of the catalogue is answered by its name', async () => {
    const { dead } = await readCatalogue();
    expect(dead.length).toBeGreaterThan(40);
    for (const { id, why } of dead) {
      const { code, message } = await problemOf(() => configuredIn(`sources: {feeds: [${id}]}`));
      expect([code, message]).toEqual(['config-invalid', expect.stringContaining(why.replace(/\.$/, ''))]);
    }
  });

  test.each(
    rows<[id: string, value: string]>(
      ['ipdeny', 'china'],
      ['ipdeny', 'AS4134'],
      ['ripestat-country', 'c'],
      ['ripestat-asn', 'cn'],
      ['ripestat-asn', 'AS'],
      ['bgptools-table', 'AS-COMPANY'],
    ),
  )('%s with for: [%s], which is neither a country nor a network', async (id, value) => {
    const problem = await problemOf(() => configuredIn(`sources: {feeds: [{id: ${id}, for: [${value}]}]}`));
    expect(problem).toMatchObject({ code: 'config-invalid', where: expect.stringContaining(FILE) });
  });
});

describe('a profile', () => {
  test.each(
    rows<[name: string, message: string]>(
      ['server-basik', "there is no profile 'server-basik', did you mean 'server-basic'?"],
      [
        'quite-another-name',
        "there is no profile 'quite-another-name'; known here: server-basic, server-strict, egress, web, tor-policy",
      ],
      [
        'constructor',
        "there is no profile 'constructor'; known here: server-basic, server-strict, egress, web, tor-policy",
      ],
    ),
  )('%s is unknown', async (name, message) => {
    const problem = await problemOf(() => configuredIn(`sources: {profile: ${name}}`));
    expect(problem).toMatchObject({ code: 'config-invalid', message, where: FILE, exitStatus: 2 });
  });

  test('its feeds, then those of feeds, whose settings win, and lists of your own', async () => {
    const { block, allow } = await configuredIn(`
sources:
  profile: server-basic
  feeds: [greensnow, {id: cins-army, direction: both}]
  custom: [{id: mine, file: mine.txt}]
allow: {feeds: [googlebot]}`);
    expect(block.map(({ id, direction }) => `${id} ${direction}`)).toEqual([
      'spamhaus-drop-v4 both',
      'spamhaus-drop-v6 both',
      'dshield-block in',
      'et-compromised in',
      'blocklist-de-ssh in',
      'blocklist-de-bruteforcelogin in',
      'ipsum-4 in',
      'greensnow in',
      'cins-army both',
      'mine in',
    ]);
    expect(allow.map(({ id }) => id)).toEqual(['googlebot']);
  });

  test('a list of your own may not have the id of one of its feeds', async () => {
    const problem = await problemOf(() =>
      configuredIn('sources: {profile: server-basic, custom: [{id: ipsum-4, file: a}]}'),
    );
    expect(problem).toMatchObject({
      code: 'config-invalid',
      message: 'sources.custom: expected another id: ipsum-4 is a feed of the profile',
      where: FILE,
    });
  });

  test('it may have that of a feed that is not asked for', async () => {
    const [spec] = await specsOf('sources: {custom: [{id: ipsum-4, file: a}]}');
    expect(spec?.parts).toEqual([{ kind: 'file', path: '/srv/x/a' }]);
  });
});

describe('one id, one source', () => {
  test.each(
    rows<[what: string, yaml: string]>(
      ['an allow feed twice', 'allow: {feeds: [cloudflare, cloudflare]}'],
      ['an allow feed twice, as a map', 'allow: {feeds: [cloudflare, {id: cloudflare, guards: {shrink: 1%}}]}'],
      [
        'an allow feed and a list of your own',
        'sources: {custom: [{id: cloudflare, file: a}]}\nallow: {feeds: [cloudflare]}',
      ],
      [
        'a network to block and another to allow',
        'sources: {feeds: [{id: ripestat-asn, for: [AS1]}]}\nallow: {feeds: [{id: ripestat-asn, for: [AS2]}]}',
      ],
    ),
  )('%s', async (_, yaml) => {
    const refused = await configuredIn(yaml).then(
      ({ block, allow }) => [...block, ...allow].map(({ id }) => id),
      () => 'refused',
    );
    expect(refused).toBe('refused');
  });
});

describe('limits', () => {
  test('of a list: its own, then those of the file', async () => {
    const [own, other] = await specsOf(`
sources:
  custom:
    - id: own
      file: a
      guards: {max-prefix-v4: 9, max-prefix-v6: 17, max-rejects: 1%, shrink: 0%, grow: 999999%, max-age: 1d, max-unchanged: 2h, can-be-empty: true}
    - {id: other, file: b}
guards: {max-prefix-v4: 10, max-prefix-v6: 18, max-rejects: 2%, shrink: 20%, grow: 200%, max-age: 3d}`);
    expect(own?.limits).toEqual({
      maxPrefixV4: 9,
      maxPrefixV6: 17,
      maxRejects: 0.01,
      canBeEmpty: true,
      shrink: 0,
      grow: 9999.99,
      maxAgeMs: DAY,
      maxUnchangedMs: 2 * HOUR,
    });
    expect(other?.limits).toEqual({
      maxPrefixV4: 10,
      maxPrefixV6: 18,
      maxRejects: 0.02,
      canBeEmpty: false,
      shrink: 0.2,
      grow: 2,
      maxAgeMs: 3 * DAY,
    });
  });

  test('of a feed: its own, then those of the catalogue, then those of the file', async () => {
    const of = async (feed: string) => (await specsOf(`sources: {feeds: [${feed}]}\nguards: {max-age: 3d}`))[0]?.limits;
    const catalogue = {
      maxPrefixV4: 3,
      maxPrefixV6: 1,
      maxAgeMs: 7 * DAY,
      maxUnchangedMs: 14 * DAY,
      canBeEmpty: false,
    };
    expect(await of('cymru-fullbogons')).toMatchObject(catalogue);
    const guards = '{max-prefix-v4: 4, max-age: 1d, max-unchanged: 5d, can-be-empty: false}';
    expect(await of(`{id: cymru-fullbogons, guards: ${guards}}`)).toMatchObject({
      ...catalogue,
      maxPrefixV4: 4,
      maxAgeMs: DAY,
      maxUnchangedMs: 5 * DAY,
    });
    expect(await of('botvrij-dst')).toMatchObject({ canBeEmpty: true, maxAgeMs: 3 * DAY, maxPrefixV4: 8 });
    expect(await of('{id: botvrij-dst, guards: {can-be-empty: false}}')).toMatchObject({ canBeEmpty: false });
  });

  test('only allow feeds are limited in what they cover', async () => {
    const [block, allow] = await specsOf(
      'sources: {feeds: [ipsum-4]}\nallow: {feeds: [cloudflare]}\nguards: {max-allow-coverage: 3%}',
    );
    expect(block?.limits).not.toHaveProperty('maxCoverage');
    expect(allow?.limits.maxCoverage).toBe(0.03);
  });

  test('only the operator may name private hosts', async () => {
    const specs = await specsOf('sources: {feeds: [ipsum-4], custom: [{id: a, url: "http://10.0.0.1/"}]}');
    expect(specs.flatMap(requestsOf).map(({ target }) => target)).toEqual(['public', 'any']);
  });
});

test('--accept-change of a source that is not there', async () => {
  const yaml = 'sources: {feeds: [ipsum-4], custom: [{id: a, file: a}]}\nallow: {feeds: [cloudflare]}';
  expect(await problemOf(() => configuredIn(yaml, ['a', 'cloudflare', 'ipsum-3']))).toMatchObject({
    code: 'bad-usage',
    message: "--accept-change: there is no source 'ipsum-3'",
    hint: 'the sources are ipsum-4, a, cloudflare',
    exitStatus: 2,
  });
});
