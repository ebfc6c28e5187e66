import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { formatPrefix } from '../../src/ip/index.js';
import { problemOf, tempFolder } from '../io/temp.js';
import { FILE, parsed } from './parsed.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/config/${name}`, import.meta.url));

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const DEFAULTS = {
  sources: { feeds: [], custom: [], bans: [], countries: { block: [] }, asns: [] },
  allow: { files: [], feeds: [] },
  fetch: { deadline: 600_000 },
  local: { admins: [], auto: ['own-addresses', 'gateway', 'resolvers'] },
  policy: { drop: 'all', ports: [], 'skip-interfaces': [], 'also-outbound': false },
  geo: { 'max-age': 365 * DAY },
  guards: {
    'max-prefix-v4': 8,
    'max-prefix-v6': 16,
    'max-rejects': 0.05,
    shrink: 0.5,
    grow: 3,
    'max-age': 14 * DAY,
    'max-coverage': 0.25,
    'max-country-coverage': 0.6,
    'max-allow-coverage': 0.1,
  },
  logins: { expected: { countries: [], nets: [] }, users: {} },
  notify: {},
  paths: { rules: '/srv/blocklist/rules' },
  file: FILE,
  folder: '/srv/blocklist',
};

describe('defaults', () => {
  test.each<[what: string, text: string]>([
    ['{}', '{}'],
    ['an empty file', ''],
    ['comments alone', '# nothing\n\n# yet\n'],
    ['the begin of a document and nothing in it', '---\n'],
    ['a byte order mark', '\ufeff{}\n'],
    [
      'empty maps at every level',
      'sources: {countries: {}}\nallow: {}\nlocal: {}\npolicy: {}\nguards: {}\nlogins: {expected: {}, users: {}}\nnotify: {}\npaths: {}\n',
    ],
    [
      'empty lists',
      'sources: {feeds: [], custom: [], bans: [], countries: {block: []}}\nallow: {files: []}\nlocal: {admins: []}\npolicy: {skip-interfaces: []}\n',
    ],
  ])('%s', (_, text) => {
    expect(parsed(text)).toEqual(DEFAULTS);
  });

  test.each<[what: string, text: string, entry: object]>([
    [
      'a file of your own',
      'sources: {custom: [{id: a, file: a.txt}]}',
      { id: 'a', file: '/srv/blocklist/a.txt', direction: 'in', format: 'plain', 'max-bytes': 67_108_864 },
    ],
    [
      'an address of your own',
      'sources: {custom: [{id: a, url: "http://127.0.0.1/a"}]}',
      {
        id: 'a',
        url: 'http://127.0.0.1/a',
        direction: 'in',
        format: 'plain',
        'max-bytes': 67_108_864,
        timeout: 60,
        interval: 0,
      },
    ],
  ])('of %s', (_, text, entry) => {
    expect(parsed(text).sources.custom).toEqual([entry]);
  });
});

describe('a file with every key', () => {
  test('gives every value, with paths from the folder of the file', async () => {
    const path = fixture('every-key.yaml');
    const { local, logins, ...config } = await loadConfig(path);
    const folder = fixture('.').replace(/\/$/, '');
    expect(local.admins.map(formatPrefix)).toEqual(['203.0.113.50', '2001:db8::/32']);
    expect(logins.expected.nets.map(formatPrefix)).toEqual(['198.51.100.0/24']);
    expect([logins.expected.countries, logins.users]).toEqual([['de', 'europe'], { backup: ['nl'], 'DOM\\x': ['us'] }]);
    expect(config).toEqual({
      file: path,
      folder,
      sources: {
        profile: 'server-basic',
        density: { v4: { prefix: 25, 'at-least': 9 } },
        feeds: [
          'ipsum-3',
          {
            id: 'example-2',
            direction: 'both',
            for: ['cn', 'RU'],
            'key-file': `${folder}/example.key`,
            density: { v4: { prefix: 24, 'at-least': 16 }, v6: { prefix: 48, 'at-least': 4 } },
            guards: { shrink: 0.3, 'max-age': 2 * DAY, 'max-unchanged': 30 * DAY, 'can-be-empty': true },
          },
        ],
        custom: [
          {
            id: 'partners',
            url: 'https://example.org/bad.txt',
            direction: 'out',
            format: 'score',
            'min-score': 3,
            'max-bytes': 1_000_000,
            timeout: 20,
            interval: 6 * HOUR,
            'key-file': `${folder}/partners.key`,
            'key-header': 'X-Key',
          },
          {
            id: 'local',
            file: `${folder}/lists/local-block.txt`,
            direction: 'both',
            format: 'csv',
            column: 'ip',
            separator: ';',
            where: { kind: ['a', 'b'] },
            member: 'list.csv',
            'max-bytes': 2_000_000,
          },
        ],
        countries: { block: ['cn', 'ru', 'oceania'], unknown: 'drop' },
        asns: [4134, 56040],
        bans: [
          { id: 'web1', file: `${folder}/lists/web1.jsonl` },
          {
            id: 'web2',
            url: 'https://example.org/web2',
            interval: HOUR,
            timeout: 9,
            'key-file': `${folder}/web2.key`,
            'key-header': 'X-Key',
          },
        ],
        crowdsec: {
          url: 'https://lapi.example.org:8443/crowdsec/',
          'key-file': `${folder}/crowdsec.key`,
          scopes: ['ip', 'range', 'country', 'as'],
          origins: ['crowdsec', 'lists:firehol'],
          timeout: 20,
          push: { 'credentials-file': `${folder}/machine.yaml` },
        },
      },
      allow: {
        files: [`${folder}/lists/allow.txt`, '/srv/allow.txt'],
        feeds: ['cloudflare', { id: 'aws', 'key-file': `${folder}/aws.key` }],
      },
      fetch: { contact: 'ops@example.org', deadline: 180_000 },
      policy: {
        drop: 'new',
        ports: [22, 443],
        'skip-interfaces': ['docker*', 'wg0'],
        'also-outbound': true,
        log: { count: 30, per: 'minute' },
        'icmp-echo-limit': { count: 20, per: 'second' },
      },
      geo: {
        country: [{ file: `${folder}/country.mmdb`, 'max-bytes': 268_435_456 }],
        asn: [
          { url: 'https://example.org/asn.csv', 'max-bytes': 268_435_456, timeout: 300, interval: 12 * HOUR },
          { file: '/srv/asn.zip', member: 'asn.csv', 'max-bytes': 1_000_000 },
          {
            url: 'https://example.org/asn.mmdb',
            'max-bytes': 268_435_456,
            timeout: 30,
            interval: DAY,
            'key-file': `${folder}/asn.key`,
            'key-header': 'X-Key',
          },
        ],
        'max-age': 90 * DAY,
      },
      guards: {
        'max-prefix-v4': 10,
        'max-prefix-v6': 20,
        'max-rejects': 0.075,
        shrink: 0.6,
        grow: 10,
        'max-age': 7 * DAY,
        'max-coverage': 0.3,
        'max-country-coverage': 1,
        'max-allow-coverage': 0.2,
      },
      notify: { mail: ['root', 'noc@example.org'], 'webhook-file': `${folder}/webhook` },
      paths: {
        rules: fixture('../rules'),
        cache: '/var/tmp/cache',
        state: `${folder}/state`,
      },
    });
  });

  test('the path of the file may be relative', async () => {
    const path = fixture('every-key.yaml');
    expect((await loadConfig(relative(process.cwd(), path))).file).toBe(path);
  });
});

describe('admins', () => {
  test.each<[text: string, prefix: string]>([
    ['203.0.113.50', '203.0.113.50'],
    ['203.0.113.50/32', '203.0.113.50'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['203.0.113.0/255.255.255.0', '203.0.113.0/24'],
    ['203.0.113.*', '203.0.113.0/24'],
    ['2001:db8::7', '2001:db8::7'],
    ['2001:DB8:0::7', '2001:db8::7'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['::1/128', '::1'],
    ['::ffff:203.0.113.5', '203.0.113.5'],
  ])('%s', (text, prefix) => {
    const { admins } = parsed(`local:\n  admins:\n    - "${text}"\n`).local;
    expect(admins.map(formatPrefix)).toEqual([prefix]);
  });
});

describe('files that cannot be a configuration', () => {
  test('missing', async () => {
    const path = join(await tempFolder(), 'blocklist.yaml');
    expect(await problemOf(() => loadConfig(path))).toMatchObject({
      code: 'config-missing',
      message: `there is no ${path}`,
      where: path,
      exitStatus: 2,
    });
  });

  test('a folder', async () => {
    const path = join(await tempFolder(), 'blocklist.yaml');
    await mkdir(path);
    expect(await problemOf(() => loadConfig(path))).toMatchObject({ code: 'file-unreadable', where: path });
  });

  test('larger than any configuration', async () => {
    const path = join(await tempFolder(), 'blocklist.yaml');
    await writeFile(path, '{}');
    await truncate(path, (1 << 20) + 1);
    expect(await problemOf(() => loadConfig(path))).toMatchObject({ code: 'too-large' });
  });
});
