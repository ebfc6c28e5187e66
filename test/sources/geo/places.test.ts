import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.js';
import { placesOnDisk } from '../../../src/sources/geo/places.js';
import { tempFolder } from '../../io/temp.js';
import { sends, testServer } from '../server.js';
import { textOf } from '../specs.js';
import { configuredAt } from './open.js';

const ASN = '6.0.0.0,7.255.255.255,721,DoD\n45.9.0.0,45.9.0.255,2,Two\n';
const trusting = async () => true;
const distrusting = async () => false;

async function places(yaml: string, folder: string, isTrusted: (paths: readonly string[]) => Promise<boolean>) {
  return placesOnDisk(parseConfig(yaml, join(folder, 'blocklist.yaml')), join(folder, 'cache'), isTrusted);
}

test('countries, networks and what no country has, all together', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'asn.csv'), ASN);
  await writeFile(
    join(folder, 'country.csv'),
    '45.9.1.0,45.9.1.255,CN\n0.0.0.0,45.8.255.255,US\n45.9.2.0,255.255.255.255,US\n',
  );
  const geo = 'geo: {asn: asn.csv, country: country.csv}\n';
  const of = async (keys: string) => textOf(await places(`${geo}sources: {${keys}}`, folder, trusting));
  expect(await of('asns: [721]')).toEqual(['6.0.0.0/7']);
  expect(await of('countries: {block: [cn]}')).toEqual(['45.9.1.0/24']);
  expect(await of('asns: [2], countries: {block: [cn]}')).toEqual(['45.9.0.0/23']);
  // Of IPv6 the database says nothing: that explains nothing.
  expect(await of('countries: {unknown: drop}')).toEqual(['45.9.0.0/24']);
  expect(await of('feeds: []')).toEqual([]);
});

test('what another user downloaded explains nothing: the bundled database stands in, and networks are unknown', async () => {
  const server = await testServer((request, response) =>
    sends(request.url === '/asn' ? ASN : '0.0.0.0,255.255.255.255,US\n')(request, response),
  );
  const folder = await tempFolder();
  const yaml = `geo: {asn: "${server.origin}/asn", country: "${server.origin}/country"}\nsources: {asns: [721], countries: {block: [us]}}\n`;
  const { block } = await configuredAt(yaml, folder);
  await Promise.all(block.map((source) => source.load('use')));
  expect(textOf(await places(yaml, folder, trusting))).toEqual(['0.0.0.0/0']);
  const rest = await places(yaml, folder, distrusting);
  expect([rest.has('6.0.0.1'), rest.has('45.9.0.1'), rest.v4.share() < 0.6]).toEqual([true, false, true]);
  const asked: string[] = [];
  await places(yaml, folder, async (paths) => {
    asked.push(...paths);
    return true;
  });
  expect(asked).toEqual(['geo-country', 'geo-asn'].map((id) => join(folder, 'cache', 'databases', id, 'meta.json')));
});
