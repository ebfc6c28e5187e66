import { readFileSync } from 'node:fs';
import type { GeoKind } from '../../../src/sources/geo/contract.js';
import { writeMmdb } from './mmdb-writer.js';

/** Databases of every form that say the same of the same addresses. */

/** first and last address, country, AS number, name */
type Row = readonly [first: string, last: string, country: string, asn: number, name: string];

export const ROWS: readonly Row[] = [
  ['45.9.0.0', '45.9.0.127', 'CN', 4134, 'Chinanet'],
  ['45.9.0.128', '45.9.0.255', 'RU', 56_040, 'Volga, "Net" Ltd'],
  ['45.9.2.0', '45.9.3.255', 'CN', 4134, 'Chinanet'],
  ['45.10.0.0', '45.10.0.255', 'DE', 4_200_000_000, 'Größe'],
  ['2a00:1000::', '2a00:1000:ffff:ffff:ffff:ffff:ffff:ffff', 'CN', 4134, 'Chinanet'],
  ['2a00:2000::', '2a00:2000:0:ffff:ffff:ffff:ffff:ffff', 'RU', 56_040, 'Volga, "Net" Ltd'],
];

/** The same networks as blocks. */
const BLOCKS = ['45.9.0.0/25', '45.9.0.128/25', '45.9.2.0/23', '45.10.0.0/24', '2a00:1000::/32', '2a00:2000::/48'];

/** What every database says of some addresses: the first and the last of each network, and their neighbours. */
export const ANSWERS: ReadonlyArray<readonly [address: string, country: string | undefined, asn: number | undefined]> =
  [
    ['45.8.255.255', undefined, undefined],
    ['45.9.0.0', 'cn', 4134],
    ['45.9.0.127', 'cn', 4134],
    ['45.9.0.128', 'ru', 56_040],
    ['45.9.0.255', 'ru', 56_040],
    ['45.9.1.0', undefined, undefined],
    ['45.9.3.255', 'cn', 4134],
    ['45.9.4.0', undefined, undefined],
    ['45.10.0.7', 'de', 4_200_000_000],
    ['2a00:fff:ffff:ffff:ffff:ffff:ffff:ffff', undefined, undefined],
    ['2a00:1000::', 'cn', 4134],
    ['2a00:1000:ffff:ffff:ffff:ffff:ffff:ffff', 'cn', 4134],
    ['2a00:1001::', undefined, undefined],
    ['2a00:2000:0:ffff:ffff:ffff:ffff:ffff', 'ru', 56_040],
    ['2a00:2000:1::', undefined, undefined],
  ];

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const number = (address: string) => {
  if (!address.includes(':')) return String(address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0));
  const [left = '', right] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return String(all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n));
};
const lines = (header: string | undefined, rows: readonly string[], end = '\n') =>
  Buffer.from([...(header === undefined ? [] : [header]), ...rows].map((row) => row + end).join(''));
const mmdb = (recordOf: (row: Row) => unknown, ipVersion: 4 | 6 = 6) =>
  writeMmdb({
    recordSize: 28,
    ipVersion,
    built: 1_781_725_900,
    networks: ROWS.flatMap((row, i) =>
      ipVersion === 6 || !BLOCKS[i]!.includes(':') ? [[BLOCKS[i]!, recordOf(row)]] : [],
    ),
  });

export interface Sample {
  readonly form: 'mmdb' | 'csv' | 'delegated';
  readonly what: string;
  readonly bytes: Buffer;
  readonly kinds: readonly GeoKind[];
}

const sample = (form: Sample['form'], what: string, bytes: Buffer, ...kinds: GeoKind[]): Sample => ({
  form,
  what,
  bytes,
  kinds,
});

export const SAMPLES: readonly Sample[] = [
  sample(
    'mmdb',
    'GeoLite2-Country',
    mmdb(([, , code]) => ({ continent: { code: 'AS' }, country: { iso_code: code } })),
    'country',
  ),
  sample(
    'mmdb',
    'GeoLite2-City',
    mmdb(([, , code]) => ({ city: { names: { en: 'X' } }, country: { iso_code: code }, location: { latitude: 1 } })),
    'country',
  ),
  sample(
    'mmdb',
    'GeoLite2-ASN, and DB-IP ASN lite',
    mmdb(([, , , asn, name]) => ({ autonomous_system_number: asn, autonomous_system_organization: name })),
    'asn',
  ),
  sample(
    'mmdb',
    'ip-location-db country',
    mmdb(([, , code]) => ({ country_code: code })),
    'country',
  ),
  sample(
    'mmdb',
    'IPinfo lite',
    mmdb(([, , code, asn, name]) => ({ country: 'Some Land', country_code: code, asn: `AS${asn}`, as_name: name })),
    'country',
    'asn',
  ),
  sample(
    'mmdb',
    'IPinfo ASN',
    mmdb(([, , , asn, name]) => ({ asn: `AS${asn}`, name, domain: 'x.example' })),
    'asn',
  ),
  sample(
    'csv',
    'ip-location-db ASN',
    lines(
      undefined,
      ROWS.map(([first, last, , asn, name]) => `${first},${last},${asn},${quoted(name)}`),
    ),
    'asn',
  ),
  sample(
    'csv',
    'ip-location-db ASN in numbers',
    lines(
      undefined,
      ROWS.map(([first, last, , asn, name]) => `${number(first)},${number(last)},${asn},${quoted(name)}`),
    ),
    'asn',
  ),
  sample(
    'csv',
    'ip-location-db country',
    lines(
      undefined,
      ROWS.map(([first, last, code]) => `${first},${last},${code}`),
    ),
    'country',
  ),
  sample(
    'csv',
    'MaxMind ASN',
    lines(
      'network,autonomous_system_number,autonomous_system_organization',
      ROWS.map(([, , , asn, name], i) => `${BLOCKS[i]},${asn},${quoted(name)}`),
      '\r\n',
    ),
    'asn',
  ),
  sample(
    'csv',
    'IPinfo lite',
    lines(
      'network,country,country_code,continent,continent_code,asn,as_name,as_domain',
      ROWS.map(
        ([, , code, asn, name], i) => `${BLOCKS[i]},Some Land,${code},Asia,AS,AS${asn},${quoted(name)},x.example`,
      ),
    ),
    'country',
    'asn',
  ),
  sample(
    'csv',
    'iptoasn',
    lines(undefined, [
      ...ROWS.map(([first, last, code, asn, name]) => `${first}\t${last}\t${asn}\t${code}\t${name}`),
      '45.11.0.0\t45.11.0.255\t0\tNone\tNot routed',
    ]),
    'country',
    'asn',
  ),
  sample(
    'csv',
    'DB-IP City lite',
    lines(undefined, [
      '0.0.0.0,0.255.255.255,ZZ,ZZ,,,0,0',
      ...ROWS.map(([first, last, code]) => `${first},${last},AS,${code},Some State,"Town, New",1.5,-2.25`),
    ]),
    'country',
  ),
  sample(
    'csv',
    'IP2Location for IPv6, IPv4-mapped',
    lines(undefined, [
      '"281470681743360","281470698520575","-","-"',
      ...ROWS.map(([first, last, code]) => {
        const mapped = (address: string) =>
          String(BigInt(number(address)) + (address.includes(':') ? 0n : 0xffff00000000n));
        return `"${mapped(first)}","${mapped(last)}","${code}","Some Land"`;
      }),
    ]),
    'country',
  ),
  sample(
    'csv',
    'semicolons and blanks',
    lines(
      'start_ip;end_ip;as_number;organization',
      ROWS.map(([first, last, , asn, name]) => `${first} ; ${last} ; ${asn} ; ${quoted(name)}`),
    ),
    'asn',
  ),
  sample(
    'csv',
    'blocks without header',
    lines(
      undefined,
      ROWS.map(([, , code], i) => `${BLOCKS[i]},${code}`),
    ),
    'country',
  ),
  sample(
    'delegated',
    'registry statistics',
    lines('2|ripencc|1790000000|3|19830101|20260901|+0200', [
      'ripencc|*|ipv4|*|4|summary',
      'ripencc|RU|asn|56040|1|20100101|allocated|a',
      'ripencc|CN|ipv4|45.9.0.0|128|20200101|allocated|a',
      'ripencc|RU|ipv4|45.9.0.128|128|20200101|allocated|b',
      'ripencc|CN|ipv4|45.9.2.0|512|20200101|assigned|a',
      'ripencc|DE|ipv4|45.10.0.0|256|20200101|allocated|c',
      'ripencc||ipv4|45.12.0.0|256||available',
      'ripencc|ZZ|ipv4|45.13.0.0|256|20200101|reserved|',
      'ripencc|zz|ipv4|45.14.0.0|256|20200101|assigned|d',
      'ripencc|CN|ipv6|2a00:1000::|32|20200101|allocated|a',
      'ripencc|RU|ipv6|2a00:2000::|48|20200101|allocated|b',
    ]),
    'country',
  ),
];

/** An extract of the database of networks that is most easily come by: see README.md there. */
export function extract(name: 'asn-ipv4.csv' | 'asn-ipv6.csv' | 'asn-ipv4-num.csv' | 'asn-ipv6-num.csv'): Buffer {
  return readFileSync(new URL(`../../fixtures/geo/${name}`, import.meta.url));
}
