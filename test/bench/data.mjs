// Input of the benchmarks: real lists where they are at hand, otherwise the country database and a seeded generator.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { formatPrefix } from '../../dist/ip/index.js';
import { readDatabase } from '../../dist/sources/geo/reading.js';

const SHARED = fileURLToPath(new URL('../../../shared/lists/', import.meta.url));
const BUNDLED = fileURLToPath(new URL('../../lists/', import.meta.url));

/** xorshift32: the same lines on every machine. */
export function generator(seed) {
  let s = seed;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

const quad = (word) => `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/** Every network of the country database as text: some 400,000 real lines of each family. */
async function countryNetworks() {
  const file = createRequire(import.meta.url).resolve(
    '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
  );
  const { tables } = await readDatabase(
    { kinds: ['country'], maxBytes: 2 ** 28, maxRejects: 0 },
    readFileSync(file),
    file,
  );
  const v4 = [];
  const v6 = [];
  for (const set of tables.country.setsOf([...tables.country.columns.labels]).values()) {
    for (const prefix of set.prefixes()) (prefix.family.version === 4 ? v4 : v6).push(formatPrefix(prefix));
  }
  return { v4, v6 };
}

/** Lines of a list without comments, scores and what iprange and cidr-tools cannot read. */
function cleanLines(text, pattern) {
  return text
    .split('\n')
    .map((line) => line.split(/[\t #]/, 1)[0])
    .filter((line) => pattern.test(line));
}
const V4_LINE = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|(?=\/|$))){4}(?:\/\d+)?$/;

function realList(name) {
  const path = join(SHARED, name);
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
}

/**
 * Two million IPv4 lines in a file of `folder`: every real list at hand in its published order, then, as real feeds repeat and neighbour each
 * other, seeded repeats and neighbours of their addresses. And the networks of the country database, in both families.
 */
export async function makeLists(folder) {
  const names = ['malicious-ip-full.txt.gz', 'ipsum-counts.txt.gz', '22-countries-ipv4.txt.gz'];
  const texts = names.map(realList);
  const hasReal = texts.every((text) => text !== undefined);
  const countries = await countryNetworks();
  const bundled = cleanLines(readFileSync(join(BUNDLED, 'ipsum-3.txt'), 'latin1'), V4_LINE);
  const real = hasReal ? texts.flatMap((text) => cleanLines(text, V4_LINE)) : [...bundled, ...countries.v4];
  const next = generator(20260822);
  const v4 = [...real];
  while (v4.length < 2_000_000) {
    const [address] = real[next() % real.length].split('/');
    v4.push(next() % 2 === 0 ? address : address.replace(/\d+$/, String(next() % 256)));
  }
  const files = {
    v4: join(folder, 'v4.txt'),
    countries4: join(folder, 'countries4.txt'),
    countries6: join(folder, 'countries6.txt'),
  };
  writeFileSync(files.v4, `${v4.join('\n')}\n`);
  writeFileSync(files.countries4, `${countries.v4.join('\n')}\n`);
  writeFileSync(files.countries6, `${countries.v6.join('\n')}\n`);
  const origin = `${real.length} lines of ${hasReal ? names.join(', ') : 'IPsum and the country database'}, the rest seeded`;
  return { files, v4, countries, origin };
}

/** A file of `count` generated IPv4 lines, written in pieces. */
export function makeGenerated(path, count) {
  const next = generator(7);
  writeFileSync(path, '');
  for (let done = 0; done < count; done += 100_000) {
    const lines = Array.from({ length: Math.min(100_000, count - done) }, () => quad(next()));
    writeFileSync(path, `${lines.join('\n')}\n`, { flag: 'a' });
  }
  return path;
}
