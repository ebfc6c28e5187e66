import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { CONTINENT_NAMES, countriesOf } from '../../src/config/continents.js';
import { bundledCountryDatabase } from '../../src/sources/geo/specs.js';
import { networksIn } from '../sources/geo/mmdb-reader.js';
import { messages, parsed } from './parsed.js';

const WANTED = 'expected a path, an address, or a map with the key file or url';

describe('geo', () => {
  test.each<[text: string, message: string]>([
    ['geo:\n  country: 5\n', `2: geo.country: ${WANTED}, found 5`],
    ['geo:\n  asn: [a, 5]\n', `2: geo.asn[1]: ${WANTED}, found 5`],
    ['geo:\n  asn: []\n', '2: geo.asn: expected at least 1, found []'],
    ['geo:\n  asn: {member: a}\n', '2: geo.asn: expected a key file or url, found {"member":"a"}'],
    ['geo:\n  asn: {file: a, url: "http://b/"}\n', '2: geo.asn: expected a key file or url, not both'],
    ['geo:\n  asn: {file: a, timeout: 5}\n', '2: geo.asn.timeout: expected no such key here'],
    [
      'geo:\n  asn:\n    - {url: "http://b/", tiemout: 5}\n',
      "3: unknown key geo.asn[0].tiemout, did you mean 'timeout'?",
    ],
    ['geo:\n  asn: ftp://b/\n', '2: geo.asn: expected a path or an http:// or https:// address, found "ftp://b/"'],
    ['geo:\n  max-age: 1y\n', '2: geo.max-age: expected a time like 30m, 12h or 14d, found "1y"'],
    ['geo:\n  contry: a\n', "2: unknown key geo.contry, did you mean 'country'?"],
    [
      'sources:\n  countries: {unknown: maybe}\n',
      '2: sources.countries.unknown: expected one of pass, drop, found "maybe"',
    ],
  ])('%j', (text, message) => {
    expect(messages(text)[0]).toContain(message);
    expect(messages(text)).toHaveLength(1);
  });
});

describe('sources.asns', () => {
  test.each<[text: string, message: string]>([
    ['[0]', 'sources.asns[0]: expected at least 1, found 0'],
    ['[4294967296]', 'sources.asns[0]: expected at most 4294967295, found 4294967296'],
    ['[AS4294967296]', 'sources.asns[0]: expected an AS number up to AS4294967295, found "AS4294967296"'],
    ['[1.5]', 'sources.asns[0]: expected an AS number like AS4134 or 4134, found 1.5'],
    ['[cn]', 'sources.asns[0]: expected an AS number like AS4134 or 4134, found "cn"'],
    ['[AS0]', 'sources.asns[0]: expected an AS number like AS4134 or 4134, found "AS0"'],
    ['[4134, 1, AS4134]', 'sources.asns[2]: expected another number: asn-4134 is taken, found "AS4134"'],
  ])('%s', (text, message) => {
    expect(messages(`{geo: {asn: a}, sources: {asns: ${text}}}`)).toEqual([`1: ${message}`]);
  });

  test('the smallest and the largest', () => {
    const { asns } = parsed('{geo: {asn: a}, sources: {asns: [1, AS4294967295, as2]}}').sources;
    expect(asns).toEqual([1, 4_294_967_295, 2]);
  });

  test('without a database the ways to come by one are told, with the line', () => {
    const [message] = messages('sources:\n  asns: [AS4134]\n');
    expect(message).toMatch(/^2: sources\.asns: expected a database under geo\.asn .*ripestat-asn.*sources\.custom/);
  });
});

test.each(['country-cn', 'asn-1', 'geo-asn', 'fail2ban', 'crowdsec', 'all'])('the id %s is for others', (id) => {
  expect(messages(`sources: {custom: [{id: ${id}, file: x}]}`)[0]).toContain('expected another id');
});

describe('continents', () => {
  const all = CONTINENT_NAMES.flatMap((name) => countriesOf([name]).map(({ code }) => code));

  test('every code of ISO 3166-1 (249), xk and an are in exactly one of them', () => {
    expect(all).toHaveLength(251);
    expect(new Set(all).size).toBe(251);
    expect(all.every((code) => /^[a-z]{2}$/.test(code))).toBe(true);
  });

  test('they are those that the system knows, too', async () => {
    const table = await readFile('/usr/share/zoneinfo/iso3166.tab', 'utf8').catch(() => undefined);
    if (table === undefined) return;
    const codes = [...table.matchAll(/^([A-Z]{2})\t/gm)].map(([, code]) => code!.toLowerCase());
    expect(all.filter((code) => code !== 'xk' && code !== 'an').sort()).toEqual(codes.sort());
  });

  test('every country of the bundled database is in one', async () => {
    const found = new Set<string>();
    networksIn(await readFile(bundledCountryDatabase()), (record) => {
      found.add((record as { country_code: string }).country_code.toLowerCase());
      return false;
    });
    expect(found.size).toBeGreaterThan(240);
    expect([...found].filter((code) => !all.includes(code)).sort()).toEqual([]);
  });

  test.each([
    ['africa', 'eg', 'ly', 'za'],
    ['antarctica', 'aq', 'tf', 'hm'],
    ['asia', 'tr', 'am', 'tl'],
    ['europe', 'ru', 'cy', 'xk'],
    ['north-america', 'us', 'gl', 'pa'],
    ['oceania', 'au', 'gu', 'nc'],
    ['south-america', 'co', 'fk', 'gf'],
  ])('%s', (name, ...codes) => {
    const own = countriesOf([name]).map(({ code }) => code);
    expect(codes.filter((code) => !own.includes(code))).toEqual([]);
  });

  test('a country of a continent that is also named by itself is named by itself, and each comes once', () => {
    const found = countriesOf(['cl', 'south-america', 'uy']);
    expect(found).toHaveLength(14);
    expect(found[0]).toEqual({ code: 'cl', named: 'itself' });
    expect(found.filter(({ named }) => named === 'itself').map(({ code }) => code)).toEqual(['cl', 'uy']);
  });
});
