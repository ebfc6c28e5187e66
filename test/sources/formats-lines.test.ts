import { describe, expect, test } from 'vitest';
import type { FormatName, FormatOptions } from '../../src/config/formats.js';
import { readAs } from './reading.js';

/** One line each, for formats whose unit is a line of its own kind. */
type Row = readonly [what: string, line: string, prefixes: string[]];

function takes(format: FormatName, options: FormatOptions, rows: readonly Row[]): void {
  test.each(rows)('takes %s: %s', async (_, line, prefixes) => {
    expect(await readAs(format, options, line)).toMatchObject({ prefixes, entries: 1, rejected: 0, leftOut: 0 });
  });
}

/** Lines and, where only one fits, the reason. */
type Refused = readonly [line: string, reason?: string];

function rejects(format: FormatName, options: FormatOptions, rows: readonly Refused[]): void {
  test.each(rows.map(([line, reason]) => ({ line, reason })))('rejects $line', async ({ line, reason }) => {
    const got = await readAs(format, options, line);
    expect(got).toMatchObject({ prefixes: [], entries: 0, rejected: 1, leftOut: 0 });
    if (reason !== undefined) expect(got.reasons).toEqual({ [reason]: 1 });
  });
}

function passesOver(format: FormatName, options: FormatOptions, lines: readonly string[]): void {
  test.each(lines)('passes over %s', async (line) => {
    expect(await readAs(format, options, line)).toMatchObject({ prefixes: [], entries: 0, rejected: 0, leftOut: 0 });
  });
}

function leavesOut(format: FormatName, options: FormatOptions, lines: readonly string[]): void {
  test.each(lines)('leaves out %s', async (line) => {
    expect(await readAs(format, options, line)).toMatchObject({ prefixes: [], entries: 0, rejected: 0, leftOut: 1 });
  });
}

describe('dshield', () => {
  takes('dshield', {}, [
    ['a prefix length', '192.0.2.0\t192.0.2.255\t24\t352\tEXAMPLE', ['192.0.2.0/24']],
    ['a netmask', '192.0.2.0\t192.0.2.255\t255.255.255.0', ['192.0.2.0/24']],
    ['the whole of IPv4', '0.0.0.0\t255.255.255.255\t0', ['0.0.0.0/0']],
    ['the last net', '255.255.255.0\t255.255.255.255\t24', ['255.255.255.0/24']],
  ]);
  rejects('dshield', {}, [
    ['192.0.2.0\t192.0.2.254\t24', 'columns disagree'],
    ['192.0.2.0\t192.0.2.255\t23', 'columns disagree'],
    ['192.0.2.0\t192.0.3.255\t255.255.255.0', 'columns disagree'],
    ['192.0.2.1\t192.0.2.255\t24', 'columns disagree'],
    ['192.0.2.0\t192.0.2.0\t24', 'columns disagree'],
    ['192.0.2.255\t192.0.2.0\t24', 'columns disagree'],
    ['192.0.2.0\t2001:db8::\t24', 'columns disagree'],
    ['192.0.2.0\t\t24', 'missing field'],
    ['192.0.2.0\t192.0.2.255', 'missing field'],
    ['\t192.0.2.255\t24', 'missing field'],
    ['192.0.2.0\t192.0.2.255\t24 7', 'text after the address'],
    ['192.0.2.0\t192.0.2.255\t255.0.255.0', 'bad netmask'],
    ['192.0.2.0\t192.0.2.255\tmany', 'bad prefix length'],
    ['End\tStart\tNetmask', 'not an address'],
  ]);
  passesOver('dshield', {}, [
    'Start\tEnd\tNetmask\tAttacks',
    'START\tEND\tNETMASK',
    '#Start\tEnd',
    '# 192.0.2.0\t192.0.2.255\t24',
  ]);
});

describe('delegated', () => {
  const row = (type: string, start: string, value: string) =>
    `ripencc|DE|${type}|${start}|${value}|20200101|allocated|a1b2`;
  takes('delegated', {}, [
    ['256 addresses', row('ipv4', '192.0.2.0', '256'), ['192.0.2.0/24']],
    ['768 addresses', row('ipv4', '10.0.0.0', '768'), ['10.0.0.0/23', '10.0.2.0/24']],
    ['768 addresses, not from a multiple', row('ipv4', '10.0.1.0', '768'), ['10.0.1.0/24', '10.0.2.0/23']],
    ['one address', row('ipv4', '192.0.2.7', '1'), ['192.0.2.7']],
    ['up to the last address', row('ipv4', '255.255.255.0', '256'), ['255.255.255.0/24']],
    ['all addresses', row('ipv4', '0.0.0.0', '4294967296'), ['0.0.0.0/0']],
    ['an IPv6 prefix length', row('ipv6', '2001:db8::', '32'), ['2001:db8::/32']],
    ['a row without opaque id', 'arin|US|ipv4|192.0.2.0|256|20200101|assigned', ['192.0.2.0/24']],
    ['an early row without date', 'arin|US|ipv4|192.0.2.0|256||assigned|a1b2', ['192.0.2.0/24']],
  ]);
  rejects('delegated', {}, [
    [row('ipv4', '255.255.255.0', '257'), 'bad count'],
    [row('ipv4', '192.0.2.0', '4294967296'), 'bad count'],
    [row('ipv4', '192.0.2.0', '99999999999999999999'), 'bad count'],
    [row('ipv4', '192.0.2.0', '0'), 'bad count'],
    [row('ipv4', '192.0.2.0', '-1'), 'bad count'],
    [row('ipv4', '192.0.2.0', '0x100'), 'bad count'],
    [row('ipv4', '192.0.2.0', '1e3'), 'bad count'],
    [row('ipv4', '192.0.2.0', ''), 'bad count'],
    [row('ipv4', '2001:db8::', '256'), 'not an address'],
    [row('ipv4', '192.0.2.0/24', '256'), 'not an address'],
    [row('ipv4', '*', '256'), 'not an address'],
    [row('ipv6', '192.0.2.0', '24')],
    [row('ipv6', '2001:db8::', '129'), 'bad prefix length'],
    [row('ipv6', '2001:db8::', ''), 'bad prefix length'],
    [row('ipv5', '192.0.2.0', '256'), 'missing field'],
    ['ripencc|DE', 'missing field'],
    ['192.0.2.0', 'missing field'],
    ['your address is 192.0.2.0', 'missing field'],
  ]);
  passesOver('delegated', {}, [
    '2|ripencc|1790000000|9|19830705|20260901|+0200',
    '2.3|nro|20260901|9|19830705|20260901|+0000',
    'ripencc|*|ipv4|*|79|summary',
    'ripencc|*|ipv6|*|2|summary ',
    'ripencc|EU|asn|64496|1|20200101|allocated|a1b2',
    'ripencc||ipv4|192.0.2.0|256||reserved|',
    'ripencc|ZZ|ipv4|192.0.2.0|256||available|',
    'ripencc||ipv6|2001:db8::|32||available',
    '# ripencc|DE|ipv4|192.0.2.0|256|20200101|allocated|a1b2',
  ]);
  leavesOut('delegated', {}, ['iana||ipv4|192.0.2.0|256|20200101|allocated|']);
  leavesOut('delegated', { countries: ['fr', 'it'] }, [
    row('ipv4', '192.0.2.0', '256'),
    row('ipv6', '2001:db8::', '32'),
  ]);
});

describe('p2p', () => {
  takes('p2p', {}, [
    ['a plain name', 'Example:192.0.2.0-192.0.2.63', ['192.0.2.0/26']],
    ['a name with colons', 'a:b::c:192.0.2.0-192.0.2.63', ['192.0.2.0/26']],
    ['a name that is a range', '10.0.0.0-10.255.255.255:192.0.2.0-192.0.2.63', ['192.0.2.0/26']],
    ['no name', ':192.0.2.7-192.0.2.7', ['192.0.2.7']],
    ['a name in other letters', 'Ünïcode – 例:192.0.2.7-192.0.2.8', ['192.0.2.7', '192.0.2.8']],
    ['all addresses', 'x:0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
  ]);
  rejects('p2p', {}, [
    ['192.0.2.0-192.0.2.63', 'missing field'],
    ['x:192.0.2.63-192.0.2.0', 'range runs backwards'],
    ['x:192.0.2.0-', 'not an address'],
    ['x:-192.0.2.0', 'not an address'],
    ['x:', 'not an address'],
    ['x:192.0.2.0-192.0.2.63,x', 'not an address'],
    ['x:2001:db8::1-2001:db8::2', 'not an address'],
    ['x:010.000.000.000-010.255.255.255', 'not an address'],
  ]);
  // An error text ends in the reader's own address after a colon.
  rejects('p2p', {}, [['Your address:192.0.2.7'], ['Client IP: 192.0.2.7'], ['net:192.0.2.0/24'], ['net:192.0.2.*']]);
});

describe('integer-range', () => {
  takes('integer-range', {}, [
    ['quoted', '"3221225984","3221226239","DE","Germany"', ['192.0.2.0/24']],
    ['bare', '3221225984,3221226239', ['192.0.2.0/24']],
    ['one address', '3221225985,3221225985,x', ['192.0.2.1']],
    ['all addresses', '0,4294967295', ['0.0.0.0/0']],
    ['across the sign bit', '2147483647,2147483648', ['127.255.255.255', '128.0.0.0']],
    ['leading zeros', '0000000001,0000000001', ['0.0.0.1']],
  ]);
  rejects('integer-range', {}, [
    ['3221226239,3221225984', 'range runs backwards'],
    ['0,4294967296', 'not an address'],
    ['9999999999,9999999999', 'not an address'],
    ['3221225984', 'missing field'],
    ['3221225984,', 'missing field'],
    [',3221225984', 'missing field'],
    ['-1,5', 'missing field'],
    ['1.5,5', 'missing field'],
    ['0x10,0x20', 'missing field'],
    ['192.0.2.0,192.0.2.255', 'missing field'],
    ['3221225984-3221226239', 'missing field'],
    ['1,2 3', 'missing field'],
  ]);
});

describe('keyword', () => {
  const options = { keyword: 'ExitAddress' };
  takes('keyword', options, [
    ['IPv4 and a date', 'ExitAddress 192.0.2.1 2026-09-01 00:00:00', ['192.0.2.1']],
    ['IPv6 alone', 'ExitAddress 2001:db8::1', ['2001:db8::1']],
    ['a port', 'ExitAddress [2001:db8::1]:9001 x', ['2001:db8::1']],
    ['tabs', '\tExitAddress\t\t192.0.2.1\tx', ['192.0.2.1']],
  ]);
  rejects('keyword', options, [
    ['ExitAddress', 'missing field'],
    ['ExitAddress ', 'missing field'],
    ['ExitAddress at 192.0.2.1', 'not an address'],
    ['ExitAddress 192.0.2.1,192.0.2.2', 'text after the address'],
  ]);
  passesOver('keyword', options, [
    'ExitNode 192.0.2.1',
    'ExitAddress:192.0.2.1',
    'ExitAddress: 192.0.2.1',
    'XExitAddress 192.0.2.1',
    '192.0.2.1',
  ]);
});

describe('rbldnsd', () => {
  takes('rbldnsd', {}, [
    ['an address', '192.0.2.1', ['192.0.2.1']],
    ['three octets', '192.0.2', ['192.0.2.0/24']],
    ['two octets', '10.1', ['10.1.0.0/16']],
    ['a block', '192.0.2.0/25', ['192.0.2.0/25']],
    ['a short block', '10.1/17', ['10.1.0.0/17']],
    ['a range by its last octet', '192.0.2.1-2', ['192.0.2.1', '192.0.2.2']],
    ['a range by its last two octets', '192.0.2.254-3.1', ['192.0.2.254/31', '192.0.3.0/31']],
    ['a full range', '192.0.2.0-192.0.3.255', ['192.0.2.0/23']],
    ['a range of short forms', '192.0.2-3', ['192.0.2.0/23']],
    ['a value behind', '192.0.2.1:127.0.0.3:spam from 198.51.100.200', ['192.0.2.1']],
    ['a value behind a blank', '192.0.2.1\t:3:spam', ['192.0.2.1']],
  ]);
  rejects('rbldnsd', {}, [
    ['192.0.2.256', 'not an address'],
    ['192.0.2.1.5', 'not an address'],
    ['192.0.2.1-192.0.2.5.6'],
    ['192.0.2.', 'not an address'],
    ['010.1.2.3', 'not an address'],
    ['192.0.2.9-1', 'range runs backwards'],
    ['192.0.2.1/33', 'bad prefix length'],
    ['spam.example.org', 'not an address'],
    ['2001:db8::1', 'not an address'],
    ['64:ff9b::1', 'not an address'],
    ['10:15:02 zone loaded', 'not an address'],
    ['200 OK', 'not an address'],
    ['5 requests a day are allowed', 'not an address'],
  ]);
  passesOver('rbldnsd', {}, [
    '# 192.0.2.1',
    '$TTL 2048',
    '$SOA 600 a.example b.example 0 1 2 3 4',
    ':127.0.0.2:see http://rbl.example/?192.0.2.1',
    '!192.0.2.1',
  ]);

  test.each<[what: string, lines: string[], prefixes: string[]]>([
    ['an exclusion behind the net', ['192.0.2.0/30', '!192.0.2.1'], ['192.0.2.0', '192.0.2.2/31']],
    ['an exclusion before the net', ['!192.0.2.1', '192.0.2.0/30'], ['192.0.2.0', '192.0.2.2/31']],
    ['an exclusion of the same', ['192.0.2.1', '! 192.0.2.1'], []],
    ['a short exclusion', ['10.1', '!10.1.128/17'], ['10.1.0.0/17']],
    ['a range of exclusions', ['192.0.2.0/29', '!192.0.2.0-3:text'], ['192.0.2.4/30']],
    ['an exclusion of something else', ['192.0.2.1', '!198.51.100'], ['192.0.2.1']],
  ])('%s', async (_, lines, prefixes) => {
    const got = await readAs('rbldnsd', {}, lines.join('\n'));
    expect(got).toMatchObject({ prefixes, entries: 1, rejected: 0 });
    expect(got.nodes.filter((node) => !prefixes.includes(node))).toEqual([]);
  });

  test.each(['!192.0.2.256', '!192.0.2.9-1', '!192.0.2.0/33', '!example.org', '!'])(
    'an exclusion that cannot be read is counted, not lost: %s',
    async (line) => {
      expect(await readAs('rbldnsd', {}, `192.0.2.0/24\n${line}\n`)).toMatchObject({ entries: 1, rejected: 1 });
    },
  );
});

describe('host-port', () => {
  takes('host-port', {}, [
    ['IPv4 and port', '192.0.2.1:443', ['192.0.2.1']],
    ['IPv6 and port', '[2001:db8::1]:443', ['2001:db8::1']],
    ['IPv6 in brackets', '[2001:db8::1]', ['2001:db8::1']],
    ['IPv6 alone', '2001:db8::1', ['2001:db8::1']],
    ['IPv4-mapped IPv6', '[::ffff:192.0.2.1]:443', ['192.0.2.1']],
    ['a comment', '192.0.2.1:443 # seen at 198.51.100.200', ['192.0.2.1']],
    ['a comment behind a tab', '192.0.2.1:443\t#x', ['192.0.2.1']],
    ['a block without port', '192.0.2.0/24', ['192.0.2.0/24']],
  ]);
  rejects('host-port', {}, [
    ['example.org:443', 'not an address'],
    ['192.0.2.1:', 'text after the address'],
    ['192.0.2.1:443:80', 'text after the address'],
    ['192.0.2.1:123456', 'text after the address'],
    ['192.0.2.1:443#x', 'text after the address'],
    ['192.0.2.1:443 is yours', 'text after the address'],
    ['[2001:db8::1', 'not an address'],
    ['2001:db8::1]:443', 'text after the address'],
    ['[fe80::1%eth0]:443', 'not an address'],
    ['[]:443', 'not an address'],
  ]);
});

describe('url', () => {
  takes('url', {}, [
    ['a port', 'http://192.0.2.1:8080/x', ['192.0.2.1']],
    ['user and password', 'http://user:pass@192.0.2.1/x', ['192.0.2.1']],
    ['user', 'ftp://198.51.100.200@192.0.2.1/', ['192.0.2.1']],
    ['IPv6', 'https://[2001:db8::1]:8443/x', ['2001:db8::1']],
    ['user and IPv6', 'https://u@[2001:db8::1]/', ['2001:db8::1']],
    ['a query at once', 'http://192.0.2.1?ip=198.51.100.200', ['192.0.2.1']],
    ['@ in the path', 'http://192.0.2.1/a@198.51.100.200', ['192.0.2.1']],
    ['@ in the query', 'http://192.0.2.1?a@198.51.100.200', ['192.0.2.1']],
    ['@ in the fragment', 'http://192.0.2.1#a@198.51.100.200', ['192.0.2.1']],
    ['capitals', 'HTTP://192.0.2.1/', ['192.0.2.1']],
  ]);
  rejects('url', {}, [
    ['http://192.0.2.256/', 'not an address'],
    ['http://192.0.2/', 'not an address'],
    ['http://3221225985/', 'not an address'],
    ['http://010.0.0.1/', 'not an address'],
    ['http://[2001:db8::g]/'],
    ['http://[192.0.2.0/24]/'],
    ['http://[2001:db8::/32]/'],
    ['http://[192.0.2.1-192.0.2.9]/'],
    ['http://[]/', 'not an address'],
    ['http:///192.0.2.1', 'missing field'],
    ['192.0.2.1', 'missing field'],
    ['/192.0.2.1/', 'missing field'],
    ['you came from http://192.0.2.1/', 'missing field'],
    ['"http://192.0.2.1/"', 'missing field'],
  ]);
  leavesOut('url', {}, [
    'http://example.org/192.0.2.1',
    'http://192.0.2.1@example.org/',
    'http://192.0.2.1:80@example.org/',
    'http://192.0.2.1.example.org/',
    'http://0x7f.0.0.1/',
    'http://xn--bcher-kva.example?192.0.2.1',
  ]);
});
