import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/ip/index.js';
import { tempFolder } from '../../io/temp.js';
import { run } from '../../system/processes.js';
import { describeSystem } from '../../system/requirements.js';
import { networksIn } from './mmdb-reader.js';
import { type Database, writeMmdb } from './mmdb-writer.js';
import { openCountries } from './open.js';
import { ANSWERS, SAMPLES } from './samples.js';

type Countries = Awaited<ReturnType<typeof openCountries>>;

import { textOf } from '../specs.js';

const record = (code: string) => ({ country_code: code });

const NETWORKS_4 = [
  ['0.0.0.0/8', record('AA')],
  ['192.0.2.0/25', record('BB')],
  ['192.0.2.128/26', record('AA')],
  ['192.0.2.192/26', record('BB')],
  ['198.51.100.7/32', record('BB')],
  ['255.255.255.255/32', record('AA')],
] as const;

const NETWORKS_6 = [
  ['2001:db8::/32', record('BB')],
  ['2001:db9:0:1::/64', record('AA')],
  ['2001:db9::8000:0:0:1/128', record('BB')],
  ['8000::/1', record('AA')],
] as const;

const PREFIXES_4 = {
  aa: ['0.0.0.0/8', '192.0.2.128/26', '255.255.255.255'],
  bb: ['192.0.2.0/25', '192.0.2.192/26', '198.51.100.7'],
};
const PREFIXES_6 = { aa: ['2001:db9:0:1::/64', '8000::/1'], bb: ['2001:db8::/32', '2001:db9::8000:0:0:1'] };

async function opened(database: Database): Promise<Countries> {
  const file = join(await tempFolder(), 'test.mmdb');
  await writeFile(file, writeMmdb(database));
  return openCountries(file);
}

/** Blocks and number of networks of each code. */
function blocksOf(database: Countries, codes: readonly string[]) {
  const found = database.networksOf(codes);
  return Object.fromEntries([...found].map(([code, { set, networks }]) => [code, { prefixes: textOf(set), networks }]));
}

function countries(database: Countries, addresses: readonly string[]) {
  return addresses.map((address) => database.countryOf(parseAddress(address)));
}

const SIZES = [24, 28, 32] as const;

describe.each(SIZES)('nodes of %i bits', (recordSize) => {
  test('an IPv4 tree', async () => {
    const database = await opened({ recordSize, ipVersion: 4, networks: NETWORKS_4, built: 1_781_725_900 });
    expect(database.built).toBe(1_781_725_900_000);
    expect(blocksOf(database, ['aa', 'bb', 'zz'])).toEqual({
      aa: { prefixes: PREFIXES_4.aa, networks: 3 },
      bb: { prefixes: PREFIXES_4.bb, networks: 3 },
      zz: { prefixes: [], networks: 0 },
    });
    expect(countries(database, ['0.255.0.1', '192.0.2.127', '192.0.2.128', '198.51.100.6', '255.255.255.255'])).toEqual(
      ['aa', 'bb', 'aa', undefined, 'aa'],
    );
    // Their first 32 bits are those of 192.0.2.1 and 0.0.0.0.
    expect(countries(database, ['c000:201::1', '::1'])).toEqual([undefined, undefined]);
  });

  test('an IPv6 tree with IPv4 below ::/96', async () => {
    const networks = [...NETWORKS_4, ...NETWORKS_6];
    const database = await opened({ recordSize, ipVersion: 6, networks });
    expect(blocksOf(database, ['bb', 'aa'])).toEqual({
      aa: { prefixes: [...PREFIXES_4.aa, ...PREFIXES_6.aa], networks: 5 },
      bb: { prefixes: [...PREFIXES_4.bb, ...PREFIXES_6.bb], networks: 5 },
    });
    expect(countries(database, ['192.0.2.200', '2001:db8:ffff::', '2001:db9::', 'ffff::', '1.2.3.4'])).toEqual([
      'bb',
      'bb',
      undefined,
      'aa',
      undefined,
    ]);
  });

  test('an IPv6 tree that shows the IPv4 tree again in other places: each network once', async () => {
    const networks = [...NETWORKS_4, ...NETWORKS_6];
    const aliases = ['::ffff:0:0/96', '2002::/16', '2001::/32', '64:ff9b::/96'];
    const database = await opened({ recordSize, ipVersion: 6, networks, aliases });
    expect(blocksOf(database, ['aa', 'bb'])).toEqual({
      aa: { prefixes: [...PREFIXES_4.aa, ...PREFIXES_6.aa], networks: 5 },
      bb: { prefixes: [...PREFIXES_4.bb, ...PREFIXES_6.bb], networks: 5 },
    });
    expect(countries(database, ['::ffff:192.0.2.1', '2002:c000:201::1', '192.0.2.1'])).toEqual(['bb', 'bb', 'bb']);
  });

  test('an IPv6 tree without IPv4', async () => {
    const database = await opened({ recordSize, ipVersion: 6, networks: NETWORKS_6 });
    expect(blocksOf(database, ['aa', 'bb'])).toEqual({
      aa: { prefixes: PREFIXES_6.aa, networks: 2 },
      bb: { prefixes: PREFIXES_6.bb, networks: 2 },
    });
    expect(countries(database, ['192.0.2.1'])).toEqual([undefined]);
  });

  test('both halves of the whole space', async () => {
    const networks = [
      ['0.0.0.0/1', record('AA')],
      ['128.0.0.0/1', record('BB')],
    ] as const;
    const database = await opened({ recordSize, ipVersion: 4, networks });
    expect(blocksOf(database, ['aa', 'bb'])).toEqual({
      aa: { prefixes: ['0.0.0.0/1'], networks: 1 },
      bb: { prefixes: ['128.0.0.0/1'], networks: 1 },
    });
  });

  test('is written here as another reader understands it', () => {
    const bytes = writeMmdb({ recordSize, ipVersion: 6, networks: [...NETWORKS_4, ...NETWORKS_6] });
    expect(networksIn(bytes, () => true).map(({ text, record: found }) => [text, found])).toEqual([
      ...NETWORKS_4.map(([text, found]) => [text, found]),
      ['2001:db8:0:0:0:0:0:0/32', record('BB')],
      ['2001:db9:0:0:8000:0:0:1/128', record('BB')],
      ['2001:db9:0:1:0:0:0:0/64', record('AA')],
      ['8000:0:0:0:0:0:0:0/1', record('AA')],
    ]);
  });
});

test.each([28, 32] as const)('pointers above 24 bits in nodes of %i bits', async (recordSize) => {
  const padding = 17_000_000;
  const database = await opened({ recordSize, ipVersion: 4, networks: NETWORKS_4, padding });
  expect(blocksOf(database, ['aa', 'bb'])).toEqual({
    aa: { prefixes: PREFIXES_4.aa, networks: 3 },
    bb: { prefixes: PREFIXES_4.bb, networks: 3 },
  });
});

test.each<[what: string, made: (bytes: Buffer) => Buffer]>([
  ['of 0', (bytes) => bytes],
  [
    'that is not there',
    (bytes) => Buffer.from(bytes.toString('latin1').replace('build_epoch', 'build_epock'), 'latin1'),
  ],
])('a date %s is none', async (_, made) => {
  const file = join(await tempFolder(), 'test.mmdb');
  await writeFile(file, made(writeMmdb({ recordSize: 24, ipVersion: 4, networks: NETWORKS_4, built: 0 })));
  const database = await openCountries(file);
  expect([database.built, blocksOf(database, ['aa']).aa?.networks]).toEqual([undefined, 3]);
});

describe('records', () => {
  test.each<[what: string, record: unknown, code: string | undefined]>([
    ['as MaxMind and DB-IP nest them', { country: { iso_code: 'CN', names: { en: 'China' } } }, 'cn'],
    ['as ip-location-db has them', { country_code: 'CN' }, 'cn'],
    ['as IPinfo has them', { country: 'CN', country_name: 'China' }, 'cn'],
    ['with the continent before', { continent: { code: 'AS' }, country: { iso_code: 'CN' } }, 'cn'],
    ['in lower case', { country_code: 'cn' }, 'cn'],
    ['of something else', { asn: 64_496 }, undefined],
    ['with a number for a code', { country_code: 7 }, undefined],
    ['that are empty', {}, undefined],
    ['that are text', 'CN', undefined],
    ['with the word of IPinfo lite for the country', { country: 'China', country_code: 'CN' }, 'cn'],
    ['with a word alone', { country: 'China' }, undefined],
    ['of what nobody has', { country_code: 'ZZ' }, undefined],
  ])('%s', async (_, found, code) => {
    const networks = [
      ['192.0.2.0/24', found],
      ['198.51.100.0/24', record('AA')],
    ] as const;
    const database = await opened({ recordSize: 24, ipVersion: 4, networks });
    expect(countries(database, ['192.0.2.1'])).toEqual([code]);
    expect(blocksOf(database, ['cn']).cn?.networks).toBe(code === undefined ? 0 : 1);
  });
});

describeSystem('mmdblookup of libmaxminddb', ['mmdblookup'], () => {
  test.each(SIZES)('reads the files made here the same: %i bits', async (recordSize) => {
    const file = join(await tempFolder(), 'test.mmdb');
    const networks = [...NETWORKS_4, ...NETWORKS_6];
    await writeFile(file, writeMmdb({ recordSize, ipVersion: 6, networks, aliases: ['2002::/16'] }));
    const database = await openCountries(file);
    const addresses = [
      '0.1.2.3',
      '192.0.2.7',
      '192.0.2.130',
      '198.51.100.8',
      '2001:db8::7',
      '2001:db9::',
      '2002:c000:207::',
    ];
    for (const address of addresses) {
      const { stdout } = await run(['mmdblookup', '--file', file, '--ip', address, 'country_code']);
      const theirs = /"([A-Z]{2})"/.exec(stdout)?.[1]?.toLowerCase();
      expect([address, database.countryOf(parseAddress(address))]).toEqual([address, theirs]);
    }
  });

  test.each(SAMPLES.filter(({ form }) => form === 'mmdb'))(
    'and those of publishers: $what',
    async ({ bytes, kinds }) => {
      const file = join(await tempFolder(), 'test.mmdb');
      await writeFile(file, bytes);
      for (const [address, country, asn] of ANSWERS) {
        const { stdout } = await run(['mmdblookup', '--file', file, '--ip', address]);
        const code = /"(?:iso_code|country_code)":\s*"([A-Z]{2})"/.exec(stdout)?.[1]?.toLowerCase();
        const number = /"(?:autonomous_system_number|asn)":\s*"?(?:AS)?(\d+)/.exec(stdout)?.[1];
        if (kinds.includes('country')) expect([address, code]).toEqual([address, country]);
        if (kinds.includes('asn'))
          expect([address, number]).toEqual([address, asn === undefined ? undefined : String(asn)]);
      }
    },
  );
});
