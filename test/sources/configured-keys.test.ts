import { describe, expect, test } from 'vitest';
import { problemOf } from '../io/temp.js';
import { configuredIn, requestsOf, rows, specsOf, withKey } from './configuring.js';

describe('keys', () => {
  test.each(
    rows<[what: string, list: string, message: string]>(
      [
        'which is not said to go anywhere',
        'url: "https://h.example/", key-file: secret',
        'a: expected key-file with either key-header or {key} in the url',
      ],
      ['for an address without a key', 'url: "https://h.example/?k={key}"', '{key}'],
      ['for a header without a key', 'url: "https://h.example/", key-header: X-Key', 'key-header'],
    ),
  )('of a list of your own, %s', async (_, list, message) => {
    const { file } = await withKey();
    const problem = await problemOf(() => configuredIn(`sources: {custom: [{id: a, ${list}}]}`, [], file));
    expect(problem).toMatchObject({ code: 'config-invalid', message: expect.stringContaining(message) });
  });

  test.each(
    rows<[what: string, list: string, url: string, where: unknown]>(
      ['in the address', 'url: "https://h.example/?k={key}"', 'https://h.example/?k={key}', 'url'],
      ['in a header', 'url: "https://h.example/", key-header: X-Key', 'https://h.example/', { header: 'X-Key' }],
    ),
  )('of a list of your own, %s', async (_, list, url, where) => {
    const { file } = await withKey();
    const [spec] = await specsOf(`sources: {custom: [{id: a, ${list}, key-file: secret}]}`, file);
    expect(requestsOf(spec!)).toEqual([
      { url, key: { value: 'user:s3cret+/', in: where }, target: 'any', timeoutMs: 60_000, intervalMs: 0 },
    ]);
  });

  test.each(
    rows<[feed: string, where: unknown]>(
      ['{id: abuseipdb-api, key-file: secret}', { header: 'Key' }],
      ['{id: feodo, key-file: secret}', { header: 'Auth-Key' }],
      ['{id: crowdsec-integration, for: [ab12], key-file: secret}', 'basic'],
      ['{id: proxy-ip2proxy-px1lite, key-file: secret}', 'url'],
    ),
  )('of the feed %s, where the catalogue says; its address does not hold it', async (feed, where) => {
    const { file } = await withKey();
    const [spec] = await specsOf(`sources: {feeds: [${feed}]}`, file);
    const [request] = requestsOf(spec!);
    expect(request?.key).toEqual({ value: 'user:s3cret+/', in: where });
    expect(request?.url).not.toContain('s3cret');
  });

  test('an optional one may be left out', async () => {
    const [spec] = await specsOf('sources: {feeds: [feodo]}');
    expect(requestsOf(spec!)[0]).not.toHaveProperty('key');
  });

  test.each([
    'feeds: [{id: abuseipdb-api, key-file: secret}]',
    'custom: [{id: a, url: "https://h/{key}", key-file: secret}]',
  ])('that everybody may read are refused: %s', async (entry) => {
    const { file, path } = await withKey(0o604);
    const problem = await problemOf(() => configuredIn(`sources: {${entry}}`, [], file));
    expect(problem).toMatchObject({ code: 'source-key', where: path, exitStatus: 2 });
    expect(problem.message).not.toContain('s3cret');
  });
});

describe('for', () => {
  test.each(
    rows<[feed: string, urls: string[]]>(
      [
        '{id: ipdeny, for: [CN, ru]}',
        [
          'https://www.ipdeny.com/ipblocks/data/aggregated/cn-aggregated.zone',
          'https://www.ipdeny.com/ipv6/ipaddresses/aggregated/cn-aggregated.zone',
          'https://www.ipdeny.com/ipblocks/data/aggregated/ru-aggregated.zone',
          'https://www.ipdeny.com/ipv6/ipaddresses/aggregated/ru-aggregated.zone',
        ],
      ],
      [
        '{id: ripestat-asn, for: [AS4134, as64, "7"]}',
        ['4134', '64', '7'].map((n) => `https://stat.ripe.net/data/announced-prefixes/data.json?resource=AS${n}`),
      ],
      ['{id: bgptools-table, for: [AS4134, "7"]}', ['https://bgp.tools/table.jsonl']],
      [
        'uceprotect-2-3',
        ['2', '3'].map((n) => `http://wget-mirrors.uceprotect.net/rbldnsd-all/dnsbl-${n}.uceprotect.net.gz`),
      ],
    ),
  )('the addresses of %s', async (feed, urls) => {
    const [spec] = await specsOf(`sources: {feeds: [${feed}]}`);
    expect(requestsOf(spec!).map(({ url }) => url)).toEqual(urls);
  });

  test.each(['ripestat-asn', 'ipdeny'])('the example in the message for %s is one that is taken', async (id) => {
    const problem = await problemOf(() => configuredIn(`sources: {feeds: [${id}]}`));
    const [example] = /\[.*\]/.exec(problem.message) ?? ['none'];
    const { block } = await configuredIn(`sources: {feeds: [{id: ${id}, for: ${example}}]}`);
    expect(block.map((source) => source.id)).toEqual([id]);
  });

  test('the case of an id stays', async () => {
    const { file } = await withKey();
    const feed = '{id: crowdsec-integration, key-file: secret, for: [aB-12]}';
    const [spec] = await specsOf(`sources: {feeds: [${feed}]}`, file);
    expect(requestsOf(spec!)[0]?.url).toBe('https://admin.api.crowdsec.net/v1/integrations/aB-12/content');
  });

  test('in where: numbers without AS, and country codes in capitals', async () => {
    const { file } = await withKey();
    const feeds = '[{id: bgptools-table, for: [AS4134, "7"]}, {id: ipinfo-lite, key-file: secret, for: [cn, RU]}]';
    const specs = await specsOf(`sources: {feeds: ${feeds}}`, file);
    expect(specs.map(({ options }) => options.where)).toEqual([{ ASN: ['4134', '7'] }, { country_code: ['CN', 'RU'] }]);
  });

  test('what is named twice is asked once', async () => {
    const [spec] = await specsOf('sources: {feeds: [{id: ripestat-country, for: [cn, CN, cn]}]}');
    expect(requestsOf(spec!)).toHaveLength(1);
  });
});
