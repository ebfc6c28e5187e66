import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CatalogueFeed, readCatalogue } from '../../src/sources/feeds/catalogue.js';
import { FORMATS } from '../../src/sources/feeds/formats/index.js';
import { judge, type SourceLimits } from '../../src/sources/guards.js';

const FIXTURES = new URL('../fixtures/catalogue/', import.meta.url);
const { profiles, feeds, dead } = await readCatalogue();
const ids = feeds.map(({ id }) => id);
const feedOf = new Map(feeds.map((feed) => [feed.id, feed]));

/** Published over http only; their notes say what that means. */
const HTTP_ONLY = ['uceprotect-1', 'uceprotect-2-3', 'backscatterer'];

/** What the configuration would ask of a feed that answers for one country, network or account. */
const ASKED = { country: 'CN', asn: '4134', id: '0123abcd' };

type Row = readonly [fixture: string, entries: number, rejected: number, prefixes: number, leftOut?: number];

/**
 * Every feed of the catalogue, and what comes of a body in its publisher's style. Counted by hand; feeds share a body only where they are
 * written alike. What is gz, zip or rolled over several files is tested here as one unpacked text.
 */
const BODIES: Readonly<Record<string, Row>> = {
  'spamhaus-drop-v4': ['spamhaus-drop-v4.txt', 5, 0, 5],
  'spamhaus-drop-v6': ['spamhaus-drop-v6.txt', 3, 0, 3],
  'spamhaus-asndrop': ['spamhaus-asndrop.txt', 0, 3, 0],
  'dshield-block': ['dshield.txt', 4, 0, 4],
  'isc-intelfeed': ['isc-intelfeed.json', 3, 0, 3],
  feodo: ['feodo.csv', 2, 0, 2, 2],
  'threatfox-ip-port': ['threatfox-ip-port.csv', 4, 0, 4],
  'threatfox-mirror': ['plain-v4-no-final-newline.txt', 8, 0, 8],
  'urlhaus-online': ['urlhaus-online.txt', 4, 0, 3, 2],
  'blocklist-de-all': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-ssh': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-mail': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-apache': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-imap': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-ftp': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-sip': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-bots': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-bruteforcelogin': ['plain-both.txt', 10, 0, 10],
  'blocklist-de-strongips': ['plain-both.txt', 10, 0, 10],
  'cins-army': ['plain-v4.txt', 12, 0, 11],
  'et-block-ips': ['et-block-ips.txt', 7, 0, 7],
  'et-compromised': ['plain-v4-text-order.txt', 10, 0, 10],
  greensnow: ['plain-v4.txt', 12, 0, 11],
  binarydefense: ['binarydefense.txt', 6, 0, 6],
  bruteforceblocker: ['bruteforceblocker.txt', 4, 0, 4],
  'ipsum-1': ['plain-v4.txt', 12, 0, 11],
  'ipsum-2': ['plain-v4.txt', 12, 0, 11],
  'ipsum-3': ['plain-v4.txt', 12, 0, 11],
  'ipsum-4': ['plain-v4.txt', 12, 0, 11],
  'ipsum-5': ['plain-v4.txt', 12, 0, 11],
  'ipsum-6': ['plain-v4.txt', 12, 0, 11],
  'ipsum-7': ['plain-v4.txt', 12, 0, 11],
  'ipsum-8': ['plain-v4.txt', 12, 0, 11],
  'ipsum-counts': ['ipsum-counts.txt', 7, 0, 7],
  'firehol-level1': ['firehol-level1.netset.txt', 12, 0, 12],
  'firehol-level2': ['firehol-level2.netset.txt', 7, 0, 7],
  'firehol-level3': ['firehol-level2.netset.txt', 7, 0, 7],
  'firehol-level4': ['firehol-level2.netset.txt', 7, 0, 7],
  'firehol-mirror-borestad': ['firehol-level2.netset.txt', 7, 0, 7],
  'tor-bulk-exits': ['tor-bulk-exits.txt', 10, 0, 6],
  'tor-exit-addresses': ['tor-exit-addresses.txt', 3, 0, 2],
  'tor-onionoo': ['tor-onionoo.json', 5, 0, 5],
  'dan-tor': ['plain-both.txt', 10, 0, 10],
  'abuseipdb-s100-1d': ['abuseipdb-s100.txt', 6, 0, 6],
  'abuseipdb-s100-3d': ['abuseipdb-s100.txt', 6, 0, 6],
  'abuseipdb-s100-7d': ['abuseipdb-s100.txt', 6, 0, 6],
  'abuseipdb-s100-14d': ['abuseipdb-s100.txt', 6, 0, 6],
  'abuseipdb-s100-30d': ['abuseipdb-s100.txt', 6, 0, 6],
  'abuseipdb-api': ['plain-both.txt', 10, 0, 10],
  'crowdsec-integration': ['plain-both.txt', 10, 0, 10],
  'maltrail-mass-scanner': ['maltrail-mass-scanner.txt', 6, 0, 6],
  'turris-greylist': ['turris-greylist.csv', 5, 0, 5],
  'dataplane-sshpwauth': ['dataplane.txt', 4, 0, 4],
  'dataplane-sshclient': ['dataplane.txt', 4, 0, 4],
  'dataplane-sipquery': ['dataplane.txt', 4, 0, 4],
  'dataplane-sipinvitation': ['dataplane.txt', 4, 0, 4],
  'dataplane-sipregistration': ['dataplane.txt', 4, 0, 4],
  'dataplane-vncrfb': ['dataplane.txt', 4, 0, 4],
  'dataplane-dnsrd': ['dataplane.txt', 4, 0, 4],
  'dataplane-dnsrdany': ['dataplane.txt', 4, 0, 4],
  'dataplane-dnsversion': ['dataplane.txt', 4, 0, 4],
  'botvrij-dst': ['hash-header.txt', 6, 0, 6],
  'stopforumspam-toxic': ['cidr-v4.txt', 8, 0, 8],
  'stopforumspam-listed': ['plain-both.txt', 10, 0, 10],
  sblam: ['hash-header.txt', 6, 0, 6],
  'rutgers-drop': ['plain-v4.txt', 12, 0, 11],
  'data-shield': ['plain-v4.txt', 12, 0, 11],
  'romainmarcoux-40k': ['plain-v4.txt', 12, 0, 11],
  'bitwire-inbound': ['cidr-both.txt', 7, 0, 7],
  'shadowwhisperer-bruteforce-high': ['hash-header.txt', 6, 0, 6],
  'c2-tracker': ['plain-v4.txt', 12, 0, 11],
  'malware-filter-botnet': ['malware-filter-botnet.txt', 120, 0, 120],
  'threatview-ip': ['hash-header.txt', 6, 0, 6],
  'hagezi-tif-ips': ['plain-private-inside.txt', 7, 0, 6],
  'ipthreat-30': ['ipthreat.txt', 5, 0, 6],
  'griffinguard-top10k': ['griffinguard.csv', 4, 0, 4],
  'ipex-dbl': ['plain-v4-with-nets.txt', 8, 0, 8],
  'uceprotect-1': ['rbldnsd-level1.txt', 5, 0, 5],
  'uceprotect-2-3': ['rbldnsd-nets.txt', 4, 0, 5],
  backscatterer: ['rbldnsd-level1.txt', 5, 0, 5],
  voipbl: ['voipbl.txt', 6, 0, 6],
  'blocklist-net-ua': ['blocklist-net-ua.csv', 5, 0, 5],
  'iblocklist-level1': ['iblocklist-p2p.txt', 4, 0, 5],
  'proxy-ip2proxy-px1lite': ['ip2proxy.csv', 4, 0, 6],
  'x4b-vpn': ['x4b.txt', 10, 0, 10],
  'x4b-datacenter': ['x4b.txt', 10, 0, 10],
  'cymru-bogons-v4': ['cymru-bogons-v4.txt', 13, 0, 13],
  'cymru-fullbogons': ['cymru-fullbogons.txt', 16, 0, 15],
  'cidr-report-bogons': ['cidr-report-bogons.txt', 7, 0, 7],
  'ipverse-country': ['ipverse-country.txt', 9, 0, 9],
  'ipverse-as': ['ipverse-as.txt', 4, 0, 4],
  ipdeny: ['ipdeny.txt', 6, 0, 6],
  'rir-delegated': ['rir-delegated.txt', 4, 0, 5],
  'ripestat-country': ['ripestat-country.json', 5, 0, 6],
  'ripestat-asn': ['ripestat-asn.json', 3, 0, 3],
  'ipinfo-app-asn': ['cidr-both.txt', 7, 0, 7],
  'bgptools-table': ['bgptools-table.txt', 3, 0, 3, 3],
  'maxmind-geolite2': ['maxmind-blocks.csv', 3, 0, 1],
  'ipinfo-lite': ['ipinfo-lite.csv', 3, 0, 3, 2],
  cloudflare: ['cloudflare.txt', 8, 0, 8],
  aws: ['aws.json', 5, 0, 4],
  gcp: ['google.json', 4, 0, 4],
  googlebot: ['google.json', 4, 0, 4],
  azure: ['azure.json', 5, 0, 4],
  'github-meta': ['github-meta.json', 9, 0, 6],
  'oracle-cloud': ['oracle.json', 3, 0, 3],
  digitalocean: ['geofeed.csv', 5, 0, 5],
  linode: ['geofeed.csv', 5, 0, 5],
  fastly: ['fastly.json', 5, 0, 5],
  'apple-private-relay': ['apple-private-relay.csv', 5, 0, 4],
  'public-dns': ['plain-both.txt', 10, 0, 10],
};

describe('the catalogue', () => {
  test('holds the feeds that are known to live, each once', () => {
    expect([...ids].sort()).toEqual(Object.keys(BODIES).sort());
    const all = [...ids, ...dead.map(({ id }) => id)];
    expect(all.filter((id, k) => all.indexOf(id) !== k)).toEqual([]);
    expect(dead).toHaveLength(46);
  });

  test('offers profiles of usable feeds', () => {
    expect(Object.fromEntries(Object.entries(profiles).map(([name, each]) => [name, each.feeds.length]))).toEqual({
      'server-basic': 8,
      'server-strict': 12,
      egress: 4,
      web: 10,
      'tor-policy': 1,
    });
    for (const [name, { feeds: members }] of Object.entries(profiles)) {
      expect(new Set(members).size, name).toBe(members.length);
      for (const id of members) {
        const { role, refused, key, for: asks } = feedOf.get(id) ?? {};
        // Without a key and an answer to `for:`, since a profile is one word in the configuration.
        expect([id, role, refused, key?.required ?? false, asks]).toEqual([id, 'block', undefined, false, undefined]);
      }
    }
  });

  test('only egress holds feeds for outgoing traffic, and no others', () => {
    for (const [name, { feeds: members }] of Object.entries(profiles)) {
      const directions = new Set(members.map((id) => feedOf.get(id)?.direction));
      expect(directions.has('out'), name).toBe(name === 'egress');
      if (name === 'egress') expect([...directions]).toEqual(['out']);
    }
  });

  test('answers for dead feeds with living ones', () => {
    for (const { id, why, instead } of dead) {
      expect(why, id).toMatch(/^[A-Za-z].*\b(19|20)\d\d\b.*\.$/);
      // Twice the same advice, or advice that the program refuses, would be none.
      expect(new Set(instead).size, id).toBe(instead.length);
      for (const other of instead) {
        expect(ids, id).toContain(other);
        expect(feedOf.get(other)?.refused, other).toBeUndefined();
      }
    }
  });

  test.each(feeds)('$id: its addresses, its key and its limits fit together', (feed) => {
    const { id, urls, key, role, refused } = feed;
    for (const url of urls) {
      expect(new URL(url.replaceAll(/\{(for|key)\}/g, 'x')).protocol).toBe(HTTP_ONLY.includes(id) ? 'http:' : 'https:');
      expect(url.match(/\{[^}]*\}/g) ?? []).toEqual(url.match(/\{(for|key)\}/g) ?? []);
    }
    expect(new Set(urls).size).toBe(urls.length);
    const asksFor = /\{for\}/i.test(JSON.stringify([urls, feed.where]));
    expect(feed.for !== undefined).toBe(asksFor);
    // Country and network feeds that cannot be asked for one of them would block the whole world.
    if (['country', 'asn'].includes(role)) expect(asksFor || refused !== undefined).toBe(true);
    expect(urls.some((url) => url.includes('{key}'))).toBe(key?.in === 'url');
    expect(key?.header !== undefined).toBe(key?.in === 'header');
    expect(feed.risk === 'none').toBe(role === 'allow');
    expect(feed['max-bytes']).toBeGreaterThanOrEqual(Math.max(1 << 20, 20 * (feed.entries ?? 0)));
    expect(feed['max-bytes']).toBeLessThanOrEqual(1 << 29);
    // A guard that is opened says why.
    for (const width of [feed['max-prefix-v4'], feed['max-prefix-v6']]) {
      if (width !== undefined) expect(feed.notes).toMatch(/max-prefix/);
    }
  });

  test('ships the body of one feed', () => {
    expect(feeds.filter(({ snapshot }) => snapshot !== undefined).map(({ id }) => id)).toEqual(['ipsum-3']);
  });
});

describe('the format and the guards of each feed', () => {
  /** The feed with `{for}` in the values of its options replaced, as the program does for what the configuration asks. */
  function asked(feed: CatalogueFeed): CatalogueFeed {
    const { where, for: what } = feed;
    if (where === undefined || what === undefined) return feed;
    const filled = JSON.parse(JSON.stringify(where).replace(/\{for\}/gi, ASKED[what])) as typeof where;
    return { ...feed, where: filled };
  }

  test.each(feeds)('$id', async (feed) => {
    const row = BODIES[feed.id];
    if (row === undefined) throw new Error(`no body for ${feed.id}: add one to BODIES`);
    const [fixture, entries, rejected, prefixes, leftOut = 0] = row;
    async function* chunks() {
      yield readFileSync(new URL(fixture, FIXTURES));
    }
    const { set, report } = await FORMATS[feed.format].read(chunks(), asked(feed));
    const counts = { entries: report.entries, rejected: report.rejected, leftOut: report.leftOut };
    expect({ ...counts, prefixes: [...set.prefixes()].length }).toEqual({ entries, rejected, leftOut, prefixes });
    const check = () => judge(report, limitsOf(feed), 'x');
    // Numbers of networks are no addresses: the reason why this one is refused.
    if (feed.id === 'spamhaus-asndrop') expect(check).toThrow(/no entry/);
    else check();
  });

  function limitsOf(feed: CatalogueFeed): SourceLimits {
    return {
      maxPrefixV4: feed['max-prefix-v4'] ?? 8,
      maxPrefixV6: feed['max-prefix-v6'] ?? 16,
      maxRejects: 0.05,
      canBeEmpty: feed['can-be-empty'],
      shrink: 0.5,
      grow: 3,
      maxAgeMs: 14 * 86_400_000,
    };
  }
});
