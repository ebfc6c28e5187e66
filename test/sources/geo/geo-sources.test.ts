import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.js';
import { IpSet, specialPurpose } from '../../../src/ip/index.js';
import type { Loaded } from '../../../src/sources/contract.js';
import { tableOnDisk } from '../../../src/sources/geo/offline.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { textOf } from '../specs.js';
import { configuredAt } from './open.js';
import { extract, SAMPLES } from './samples.js';

const sampleOf = (what: string) => SAMPLES.find((sample) => sample.what === what)!.bytes;

/** A folder with a country database and two of networks. */
async function project(): Promise<string> {
  const folder = await tempFolder();
  await writeFile(join(folder, 'country.mmdb'), sampleOf('GeoLite2-Country'));
  await writeFile(join(folder, 'asn4.csv'), extract('asn-ipv4.csv'));
  await writeFile(join(folder, 'asn6.csv'), extract('asn-ipv6.csv'));
  return folder;
}

/** The sources under these keys, each loaded, by their id. */
async function loadAll(sources: string, folder: string, geo = 'country: country.mmdb, asn: [asn4.csv, asn6.csv]') {
  const { block } = await configuredAt(`sources: {${sources}}\ngeo: {${geo}}\n`, folder);
  const loaded = await Promise.all(block.map((source) => source.load('avoid')));
  return new Map(loaded.map((each): [string, Loaded] => [each.id, each]));
}

describe('networks', () => {
  test('each of both families, out of two files, with the lines that it has', async () => {
    const found = await loadAll('asns: [AS58453, 139619, 112]', await project());
    expect([...found.keys()]).toEqual(['asn-58453', 'asn-139619', 'asn-112']);
    expect(found.get('asn-139619')).toMatchObject({ kind: 'asn', direction: 'in', state: 'fresh' });
    const lines = (name: Parameters<typeof extract>[0], asn: number) =>
      [
        ...extract(name)
          .toString()
          .matchAll(new RegExp(`^([^,]+),([^,]+),${asn},`, 'gm')),
      ].map(([, a, b]) => `${a}-${b}`);
    for (const asn of [58_453, 139_619, 112]) {
      const texts = [...lines('asn-ipv4.csv', asn), ...lines('asn-ipv6.csv', asn)];
      const { set, counts, nodes } = found.get(`asn-${asn}`)!;
      expect(texts.length).toBeGreaterThan(0);
      expect([textOf(set), counts.entries, nodes.isEmpty]).toEqual([textOf(IpSet.from(texts)), texts.length, true]);
    }
  });

  test('files in numbers say the same as files in text', async () => {
    const folder = await project();
    await writeFile(join(folder, 'num4.csv'), extract('asn-ipv4-num.csv'));
    await writeFile(join(folder, 'num6.csv'), extract('asn-ipv6-num.csv'));
    const [text, numbers] = [
      await loadAll('asns: [58453, 13335]', folder),
      await loadAll('asns: [58453, 13335]', folder, 'asn: [num4.csv, num6.csv]'),
    ];
    for (const id of ['asn-58453', 'asn-13335']) {
      expect(textOf(numbers.get(id)!.set)).toEqual(textOf(text.get(id)!.set));
      expect(text.get(id)!.set.v6.size).toBeGreaterThan(0);
    }
  });

  test('one that the database does not know, beside one that it knows', async () => {
    const folder = await project();
    const { block } = await configuredAt('sources: {asns: [64512, 112]}\ngeo: {asn: asn4.csv}\n', folder);
    expect(await problemOf(() => block[0]!.load('avoid'))).toMatchObject({
      code: 'source-empty',
      message: 'the database of networks knows no address of AS64512',
      where: join(folder, 'asn4.csv'),
      hint: expect.stringContaining('blocklist feeds asn'),
    });
    expect((await block[1]!.load('avoid')).set.isEmpty).toBe(false);
  });

  test('a country database that cannot be read takes no network away: only the share of IPv6 is not told', async () => {
    const found = await loadAll('asns: [112]', await project(), 'country: none.mmdb, asn: asn4.csv');
    const { set, coverage } = found.get('asn-112')!;
    expect([set.isEmpty, coverage]).toEqual([false, { v4: set.v4.share() }]);
  });

  test('a country database under geo.asn is refused', async () => {
    const folder = await project();
    const { block } = await configuredAt('sources: {asns: [112]}\ngeo: {asn: country.mmdb}\n', folder);
    expect(await problemOf(() => block[0]!.load('avoid'))).toMatchObject({ code: 'bad-database' });
  });
});

describe('several databases', () => {
  test('networks are added up, and a name comes from the first that has one', async () => {
    const folder = await project();
    await writeFile(
      join(folder, 'a.csv'),
      '45.9.0.0,45.9.0.255,1,\n45.9.1.0,45.9.1.255,2,Two\n45.9.4.0,45.9.4.255,4,Four\n',
    );
    await writeFile(
      join(folder, 'b.csv'),
      '45.9.2.0,45.9.2.255,1,One\n45.9.3.0,45.9.3.255,2,Zwei\n45.9.5.0,45.9.5.255,3,Three\n',
    );
    const config = parseConfig('geo: {asn: [a.csv, b.csv]}', join(folder, 'blocklist.yaml'));
    const table = (await tableOnDisk(config, join(folder, 'cache'), 'asn'))!;
    expect([1, 2, 3, 4, 5].map((asn) => [table.networksOf(asn), table.nameOf(asn)])).toEqual([
      [2, 'One'],
      [2, 'Two'],
      [1, 'Three'],
      [1, 'Four'],
      [0, ''],
    ]);
  });

  test('where two know an address, the first one says what it is', async () => {
    const folder = await project();
    await writeFile(join(folder, 'own.csv'), '45.9.0.0,45.9.0.63,US\n45.20.0.0,45.20.0.255,US\n');
    const found = await loadAll('countries: {block: [cn, us]}', folder, 'country: [own.csv, country.mmdb]');
    expect(textOf(found.get('country-us')!.set)).toEqual(['45.9.0.0/26', '45.20.0.0/24']);
    expect(textOf(found.get('country-cn')!.set).slice(0, 2)).toEqual(['45.9.0.64/26', '45.9.2.0/23']);
  });

  test('a country that the first one gives to others as a whole is not known', async () => {
    const folder = await project();
    await writeFile(join(folder, 'own.csv'), '45.10.0.0,45.10.255.255,US\n');
    const yaml = 'sources: {countries: {block: [de]}}\ngeo: {country: [own.csv, country.mmdb]}\n';
    const { block } = await configuredAt(yaml, folder);
    expect(await problemOf(() => block[0]!.load('avoid'))).toMatchObject({
      code: 'source-empty',
      message: "the country database knows no network of 'de'",
    });
  });

  test('one of two that cannot be used fails both: a part of a country would open the rest', async () => {
    const folder = await project();
    const { block } = await configuredAt(
      'sources: {countries: {block: [cn]}}\ngeo: {country: [country.mmdb, none.csv]}\n',
      folder,
    );
    expect(await problemOf(() => block[0]!.load('avoid'))).toMatchObject({ code: 'file-unreadable' });
  });
});

describe('countries', () => {
  test('a continent is its countries; those that the database does not know are empty, not errors', async () => {
    const found = await loadAll('countries: {block: [asia, de]}', await project());
    expect(found.size).toBe(54);
    expect(textOf(found.get('country-cn')!.set)).toHaveLength(3);
    expect(found.get('country-jp')?.set.isEmpty).toBe(true);
    expect(textOf(found.get('country-de')!.set)).toEqual(['45.10.0.0/24']);
  });

  test('one that is named by itself must be known', async () => {
    const { block } = await configuredAt(
      'sources: {countries: {block: [asia, jp]}}\ngeo: {country: country.mmdb}\n',
      await project(),
    );
    const japan = block.find(({ id }) => id === 'country-jp');
    expect(await problemOf(() => japan!.load('avoid'))).toMatchObject({ code: 'source-empty' });
  });

  test('one whose networks all contradict others is not known', async () => {
    const folder = await project();
    const lines = Array.from({ length: 30 }, (_, i) => `45.${i}.0.0,45.${i}.255.255,US\n`).join('');
    await writeFile(join(folder, 'db.csv'), `${lines}45.9.7.0,45.9.7.255,CN\n`);
    const { block } = await configuredAt('sources: {countries: {block: [cn]}}\ngeo: {country: db.csv}\n', folder);
    expect(await problemOf(() => block[0]!.load('avoid'))).toMatchObject({ code: 'source-empty' });
  });

  test('zz is no country: what decides about addresses without one is named', async () => {
    const { block } = await configuredAt(
      'sources: {countries: {block: [zz]}}\ngeo: {country: country.mmdb}\n',
      await project(),
    );
    expect(await problemOf(() => block[0]!.load('avoid'))).toMatchObject({
      code: 'source-empty',
      hint: expect.stringContaining('countries.unknown'),
    });
  });

  test('coverage: of all of IPv4, and of the IPv6 that the database gives to any country', async () => {
    const found = await loadAll('countries: {block: [cn, ru]}, asns: [137872]', await project());
    expect(found.get('country-cn')?.coverage?.v4).toBeCloseTo((128 + 512) / 2 ** 32, 15);
    // A /32 and a /48 are all that is given.
    expect(found.get('country-cn')?.coverage?.v6).toBeCloseTo(65_536 / 65_537, 9);
    expect(found.get('country-ru')?.coverage?.v6).toBeCloseTo(1 / 65_537, 9);
    const { set, coverage } = found.get('asn-137872')!;
    expect(coverage?.v6).toBeCloseTo(Number(set.v6.count()) / (2 ** 96 + 2 ** 80), 9);
  });
});

describe('addresses that no country has', () => {
  test('pass, unless the configuration says otherwise', async () => {
    expect([...(await loadAll('countries: {block: [cn]}', await project())).keys()]).toEqual(['country-cn']);
  });

  test('drop: all that ordinary hosts may have and the database does not know, and nothing special', async () => {
    const found = await loadAll('countries: {block: [cn], unknown: drop}', await project());
    const unknown = found.get('country-unknown')!;
    const known = ['45.9.0.0/24', '45.9.2.0/23', '45.10.0.0/24', '2a00:1000::/32', '2a00:2000::/48'];
    expect(known.map((text) => unknown.set.intersect(IpSet.from([text])).isEmpty)).toEqual(known.map(() => true));
    expect(unknown.set.intersect(specialPurpose()).isEmpty).toBe(true);
    const outside = ['45.9.1.0', '8.8.8.8', '2a00:1001::1', '2001:470::1'];
    expect(outside.map((text) => unknown.set.has(text))).toEqual(outside.map(() => true));
    const never = ['10.0.0.1', '127.0.0.1', '224.0.0.1', 'fe80::1', '64:ff9b::1', '4000::1', 'fd00::1'];
    expect(never.map((text) => unknown.set.has(text))).toEqual(never.map(() => false));
    expect(unknown).toMatchObject({ kind: 'country', direction: 'in', coverage: { v4: unknown.set.v4.share() } });
    expect(unknown.coverage).not.toHaveProperty('v6');
  });

  test.each([
    ['IPv6', '45.9.0.0,45.9.0.255,CN\n'],
    ['IPv4', '2a00:1000::,2a00:1000::ff,CN\n'],
  ])('a database that says nothing of %s: not all of it is unknown', async (family, text) => {
    const folder = await project();
    await writeFile(join(folder, 'db.csv'), text);
    for (const keys of ['block: [cn], unknown: drop', 'only: [cn], unknown: pass']) {
      const yaml = `sources: {countries: {${keys}}}\ngeo: {country: db.csv}\n`;
      const { block, only = block } = await configuredAt(yaml, folder);
      const unknown = only.find(({ id }) => id === 'country-unknown')!;
      expect(await problemOf(() => unknown.load('avoid'))).toMatchObject({
        code: 'source-empty',
        message: `the country database knows no ${family}: all of it would be unknown`,
        where: join(folder, 'db.csv'),
      });
    }
  });

  test('alone, without any country', async () => {
    const found = await loadAll('countries: {unknown: drop}', await project());
    expect([...found.keys()]).toEqual(['country-unknown']);
  });
});
