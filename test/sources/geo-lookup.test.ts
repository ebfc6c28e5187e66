import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { parseAddress } from '../../src/ip/index.js';
import { openGeo } from '../../src/sources/geo/lookup.js';
import { tempFolder } from '../io/temp.js';

test('without any key the bundled database answers for countries, and nothing for networks', async () => {
  const folder = await tempFolder();
  const geo = await openGeo(parseConfig('{}', join(folder, 'blocklist.yaml')), join(folder, 'cache'));
  const countries = ['1.0.1.5', '2a00:1450:4001::1', '10.0.0.1'].map((text) => geo.countryOf(parseAddress(text)));
  expect(countries).toEqual(['cn', 'ie', undefined]);
  expect(geo.networkOf(parseAddress('1.0.1.5'))).toBeUndefined();
});
