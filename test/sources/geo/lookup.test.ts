import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.js';
import { parseAddress } from '../../../src/ip/index.js';
import { type GeoLookup, openGeo } from '../../../src/sources/geo/lookup.js';
import { tableOnDisk } from '../../../src/sources/geo/offline.js';
import { problemOf, tempFolder } from '../../io/temp.js';
import { sends, testServer } from '../server.js';
import { configuredAt } from './open.js';
import { ANSWERS, ROWS, SAMPLES } from './samples.js';

function openIn(folder: string, yaml = '{}'): Promise<GeoLookup> {
  return openGeo(parseConfig(yaml, join(folder, 'blocklist.yaml')), join(folder, 'cache'));
}

const countries = (geo: GeoLookup, texts: readonly string[]) => texts.map((text) => geo.countryOf(parseAddress(text)));
const networks = (geo: GeoLookup) => ANSWERS.map(([text]) => geo.networkOf(parseAddress(text)));
const NETWORKS = ANSWERS.map(([, , asn]) => {
  const name = ROWS.find((row) => row[3] === asn)?.[4];
  return asn === undefined ? undefined : { asn, name };
});

test('without any key the bundled database answers for countries, and nothing for networks', async () => {
  const geo = await openIn(await tempFolder());
  expect(countries(geo, ['1.0.1.5', '2a00:1450:4001::1', '10.0.0.1'])).toEqual(['cn', 'ie', undefined]);
  expect(geo.networkOf(parseAddress('1.0.1.5'))).toBeUndefined();
});

describe.each(SAMPLES.filter(({ kinds }) => kinds.includes('asn')))('networks out of $form: $what', ({ bytes }) => {
  test('from the file, from its parsed form, and from what was fetched; nothing is written', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'asn.db'), bytes);
    const yaml = 'geo: {asn: asn.db}\nsources: {asns: [4134]}\n';
    expect(networks(await openIn(folder, yaml))).toEqual(NETWORKS);
    expect(await readdir(folder)).toEqual(['asn.db']);
    const { block } = await configuredAt(yaml, folder);
    await block[0]!.load('avoid');
    expect(networks(await openIn(folder, yaml))).toEqual(NETWORKS);

    const server = await testServer(sends(bytes));
    const far = yaml.replace('asn.db', `"${server.origin}/asn"`);
    expect(networks(await openIn(folder, far))).toEqual(ANSWERS.map(() => undefined));
    const fetched = await configuredAt(far, folder);
    await fetched.block[0]!.load('use');
    expect(networks(await openIn(folder, far))).toEqual(NETWORKS);
    expect(server.requests).toHaveLength(1);
  });
});

test('what came from another address is not looked at', async () => {
  const folder = await tempFolder();
  const server = await testServer(sends(SAMPLES.find(({ what }) => what === 'ip-location-db ASN')!.bytes));
  const yaml = `geo: {asn: "${server.origin}/asn"}\nsources: {asns: [4134]}\n`;
  const { block } = await configuredAt(yaml, folder);
  await block[0]!.load('use');
  expect(networks(await openIn(folder, yaml))).toEqual(NETWORKS);
  const moved = yaml.replace('/asn"', '/moved"');
  expect(networks(await openIn(folder, moved))).toEqual(ANSWERS.map(() => undefined));
  const config = parseConfig(moved, join(folder, 'blocklist.yaml'));
  expect(await tableOnDisk(config, join(folder, 'cache'), 'asn')).toBeUndefined();
});

test('a parsed form that is cut off, or of another file, is passed over', async () => {
  const folder = await tempFolder();
  const { bytes } = SAMPLES.find(({ what }) => what === 'ip-location-db ASN')!;
  await writeFile(join(folder, 'asn.db'), bytes);
  const yaml = 'geo: {asn: asn.db}\nsources: {asns: [4134]}\n';
  const { block } = await configuredAt(yaml, folder);
  await block[0]!.load('avoid');
  const place = join(folder, 'cache', 'databases', 'geo-asn');
  const [name] = await readdir(place);
  const sound = await readFile(join(place, name!));
  for (const damaged of [
    sound.subarray(0, -3),
    Buffer.from(sound.toString('latin1').replace('asn.db', 'asn.xx'), 'latin1'),
  ]) {
    await writeFile(join(place, name!), damaged);
    const geo = await openIn(folder, yaml);
    expect(networks(geo)).toEqual(NETWORKS);
    geo.close();
  }
});

test('of several databases the first that knows an address answers', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'own.csv'), '45.9.0.0,45.9.0.63,US\n');
  await writeFile(join(folder, 'all.mmdb'), SAMPLES.find(({ what }) => what === 'GeoLite2-Country')!.bytes);
  const geo = await openIn(folder, 'geo: {country: [own.csv, all.mmdb]}\n');
  expect(countries(geo, ['45.9.0.1', '45.9.0.64', '45.9.0.128', '45.9.1.1'])).toEqual(['us', 'cn', 'ru', undefined]);
});

test('a key file that nobody but the nightly user may read is not looked for', async () => {
  const yaml = 'geo: {asn: {url: "https://192.0.2.1/{key}", key-file: /no/such/key}}\n';
  expect(networks(await openIn(await tempFolder(), yaml))).toEqual(ANSWERS.map(() => undefined));
});

test.each(['none.csv', 'damaged.csv'])('%s: a BlocklistError', async (name) => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'damaged.csv'), 'oops\n');
  const problem = await problemOf(() => openIn(folder, `geo: {asn: ${name}}\n`));
  expect(problem.code).toBe(name === 'none.csv' ? 'file-unreadable' : 'bad-database');
});
