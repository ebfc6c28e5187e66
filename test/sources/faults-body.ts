import { gzipSync } from 'node:zlib';
import { type Fault, floods, hosts, kept, NEW, OLD, OWN_ADDRESS, zipOf } from './faults.js';
import { neverEnds, sends } from './server.js';

const CHALLENGE =
  '\n\n<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body>\n' +
  `Your address is\n${OWN_ADDRESS}\n</body></html>\n`;
const BANNER = '# This feed is deprecated since 2025-01-03.\n# See https://example.org\n;\n';
const BOMB = '9.9.9.9\n'.repeat(100_000);

const HTML = 'a web page came in place of a list (';
const NOTHING = 'no entry: the list holds nothing (';
const DAMAGED = 'the gzip data is damaged or cut off (';
const TOO_LARGE = 'the list is larger than 65,536 bytes (';
const CAPPED = { keys: 'max-bytes: 65536' };
const NDJSON = { first: sends(ndjson(OLD, 100)), keys: 'format: ndjson, field: cidr' };
const ZIP = { first: sends(zipOf('a/list.txt', OLD)), keys: 'member: list.txt' };

function ndjson(list: string, records: number): string {
  const lines = list.trimEnd().split('\n');
  const metadata = JSON.stringify({ type: 'metadata', records });
  return `${lines.map((cidr) => `${JSON.stringify({ cidr })}\n`).join('')}${metadata}\n`;
}

function utf16(text: string): Buffer {
  return Buffer.from(`\ufeff${text}`, 'utf16le');
}

/** Of the body. */
export const BODY_FAULTS: readonly Fault[] = [
  // packed
  kept('bad-gzip', 'a gzip file cut off', sends(gzipSync(NEW).subarray(0, -9)), DAMAGED),
  kept(
    'bad-gzip',
    'a gzip file with another checksum',
    sends(Buffer.concat([gzipSync(NEW).subarray(0, -8), Buffer.alloc(8)])),
    DAMAGED,
  ),
  {
    what: 'text behind a gzip file',
    play: sends(Buffer.concat([gzipSync(NEW), Buffer.from('Internal Server Error\n')])),
    data: 'new',
    code: 'source-suspect',
    line: '22 bytes of something else stand behind the packed list, which is used (',
    status: 3,
  },
  kept('too-large', 'a bomb as encoding', sends(gzipSync(BOMB), { 'content-encoding': 'gzip' }), TOO_LARGE, CAPPED),
  kept('too-large', 'a bomb packed twice', sends(gzipSync(gzipSync(BOMB))), TOO_LARGE, CAPPED),
  kept('too-large', 'a zip bomb', sends(zipOf('list.txt', BOMB)), TOO_LARGE, CAPPED),
  kept('bad-archive', 'a lying zip bomb', sends(zipOf('list.txt', BOMB, 800)), 'the zip archive is damaged: ', CAPPED),
  kept(
    'bad-archive',
    'another file in the zip',
    sends(zipOf('README.txt', NEW)),
    "the archive holds no single file 'list.txt', but 1: README.txt (",
    ZIP,
  ),
  kept(
    'bad-archive',
    'a zip cut off',
    sends(zipOf('list.txt', NEW).subarray(0, -30)),
    'the zip archive is damaged',
    ZIP,
  ),
  // size
  kept('too-large', 'no end', neverEnds(NEW), 'the body is larger than 65,536 bytes (', CAPPED),
  kept(
    'too-large',
    'a length beyond the cap',
    floods(200, { 'content-length': '99999999' }),
    'the body is larger than 65,536 bytes (',
    CAPPED,
  ),
  // other things than a list
  kept('source-html', 'a web page', sends(`<html><body>${OWN_ADDRESS}\n</body></html>`), HTML),
  kept('source-html', 'a challenge with our address', sends(CHALLENGE), HTML),
  kept('source-html', 'the same, packed', sends(gzipSync(CHALLENGE)), HTML),
  kept(
    'source-rejects',
    'the same, far behind blank lines',
    sends('\n'.repeat(600) + CHALLENGE),
    '3 of 4 lines are unreadable, the first in line 603: not an address (',
  ),
  kept(
    'source-rejects',
    'a challenge in words',
    sends(`Access denied for\n${OWN_ADDRESS}\n`),
    '1 of 2 lines are unreadable, the first in line 1: not an address (',
  ),
  kept(
    'source-shrunk',
    'our address alone',
    sends(`${OWN_ADDRESS}\n`),
    '1 entry came, last good has 100: fewer than the 50.00 % allowed (',
  ),
  kept('source-empty', '200 without a byte', sends(''), NOTHING),
  kept('source-empty', 'a banner alone', sends(BANNER), NOTHING),
  kept(
    'source-empty',
    'JSON',
    sends('{"error":\n"try later"}\n'),
    'no entry: the list holds 2 lines, none of them rea',
  ),
  kept('source-empty', 'an encoding not asked for', sends(Buffer.from('8b0380', 'hex')), 'no entry: the list holds 1'),
  kept('bad-encoding', 'UTF-16', sends(utf16(NEW)), ''),
  kept('bad-encoding', 'UTF-16, big end first', sends(utf16(NEW).swap16()), ''),
  // another amount
  kept(
    'source-records',
    'fewer entries than its records',
    sends(ndjson(NEW, 105)),
    '100 entries came of the 105 that the list says it holds (',
    NDJSON,
  ),
  kept(
    'source-records',
    'more entries than its records',
    sends(ndjson(NEW, 99)),
    '100 entries came of the 99 that the list says it holds (',
    NDJSON,
  ),
  kept(
    'source-shrunk',
    '49 % of the entries',
    sends(hosts('9.9', 49)),
    '49 entries came, last good has 100: fewer than the 50.00 % allowed (',
  ),
  { what: '50 % of the entries', play: sends(hosts('9.9', 50)), data: 'new', came: hosts('9.9', 50), status: 0 },
  kept(
    'source-grown',
    'four times the entries',
    sends(hosts('9.9', 400)),
    '400 entries came, last good has 100: more than the 300 % allowed (',
  ),
  { what: 'three times the entries', play: sends(hosts('9.9', 300)), data: 'new', came: hosts('9.9', 300), status: 0 },
  // what it names
  kept('source-too-wide', 'half of IPv4', sends(`${NEW}0.0.0.0/1\n`), 'it holds a /1, wider than the /8 allowed ('),
  {
    what: 'private ranges among the entries',
    play: sends(`10.0.0.0/8\n192.168.1.1\n127.0.0.1\n${NEW}fe80::/64\n`),
    data: 'new',
    status: 0,
  },
];
