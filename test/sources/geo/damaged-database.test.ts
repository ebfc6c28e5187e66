import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlocklistError } from '../../../src/errors.js';
import { formatAddress, IPV4, parseAddress } from '../../../src/ip/index.js';
import { bundledCountryDatabase } from '../../../src/sources/geo/specs.js';
import { tempFolder } from '../../io/temp.js';
import { writeMmdb } from './mmdb-writer.js';
import { openCountries } from './open.js';

/** A linear congruential generator: the same numbers in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function codes(random: (below: number) => number): string {
  return String.fromCharCode(65 + random(26), 65 + random(26));
}

function madeUp() {
  const random = numbersFrom(7);
  const networks = Array.from({ length: 300 }, (_, i) => {
    const text =
      i % 3 === 0
        ? `2${random(4096).toString(16)}:${i.toString(16)}::/32`
        : `${1 + random(220)}.${random(256)}.${i % 256}.0/24`;
    return [text.replace(/^2(?=:)/, '2000'), { country_code: codes(random) }] as const;
  });
  return writeMmdb({ recordSize: 28, ipVersion: 6, networks: [...networks, ['192.0.2.0/24', { country_code: 'AA' }]] });
}

/** Opens, walks and asks; the only error may be a BlocklistError. */
async function survive(file: string): Promise<void> {
  try {
    const database = await openCountries(file);
    database.networksOf(['aa', 'cn']);
    for (let octet = 0; octet < 256; octet++) {
      database.countryOf(parseAddress(formatAddress(IPV4, Uint32Array.of((octet << 24) >>> 0))));
    }
  } catch (error) {
    if (!(error instanceof BlocklistError)) throw error;
    expect(error.code).toBe('bad-database');
  }
}

describe('random bytes in a database end as bad-database or unseen, never as a crash, in bounded time', () => {
  const good = madeUp();
  const seeds = Array.from({ length: 50 }, (_, i) => i);

  test.each([
    ['the tree', 0, good.length - 4000],
    ['the records', good.length - 4000, good.length - 250],
    ['the metadata', good.length - 250, good.length],
  ])('%s', async (_, from, to) => {
    const file = join(await tempFolder(), 'test.mmdb');
    for (const seed of seeds) {
      const random = numbersFrom(seed);
      const bytes = Buffer.from(good);
      for (let k = 0; k <= seed % 9; k++) bytes[from + random(to - from)] = random(256);
      await writeFile(file, bytes);
      const began = Date.now();
      await survive(file);
      expect(Date.now() - began).toBeLessThan(10_000);
    }
  });

  test('the bundled database', async () => {
    const file = join(await tempFolder(), 'test.mmdb');
    const whole = await readFile(bundledCountryDatabase());
    for (const seed of seeds.slice(0, 5)) {
      const random = numbersFrom(seed);
      const bytes = Buffer.from(whole);
      for (let k = 0; k < 100; k++) bytes[random(bytes.length - 300)] = random(256);
      await writeFile(file, bytes);
      await survive(file);
    }
  });
});

/** Maps of two pointers to the map before: each level doubles what there is to be decoded. Specification, "Data Field Format". */
function nested(levels: number): Buffer {
  const parts = [Buffer.from([0x41, 0x78])];
  let at = 0;
  let next = 2;
  for (let level = 0; level < levels; level++) {
    const pointer = [0x20 | (at >> 8), at & 255];
    parts.push(Buffer.from([0xe2, 0x41, 0x61, ...pointer, 0x41, 0x62, ...pointer]));
    at = next;
    next += 9;
  }
  return Buffer.concat(parts);
}

test('a record that is twice its part, which is twice its part, and so on for a hundred levels: read in no time', async () => {
  const networks = [
    ['192.0.2.0/24', { country_code: 'ZZ' }],
    ['198.51.100.0/24', { country_code: 'AA' }],
  ] as const;
  const hostile = nested(100);
  const bytes = writeMmdb({ recordSize: 24, ipVersion: 4, networks, padding: hostile.length });
  const place = bytes.indexOf('country_code') - 2;
  hostile.copy(bytes, place - hostile.length);
  const last = hostile.length - 9;
  bytes.set([0x20 | (last >> 8), last & 255], place);
  const file = join(await tempFolder(), 'test.mmdb');
  await writeFile(file, bytes);
  const began = performance.now();
  const database = await openCountries(file);
  expect(database.networksOf(['aa']).get('aa')?.networks).toBe(1);
  expect(performance.now() - began).toBeLessThan(5000);
});
