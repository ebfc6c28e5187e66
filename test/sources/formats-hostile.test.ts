import { describe, expect, test } from 'vitest';
import type { FormatName } from '../../src/config/formats.js';
import { BlocklistError } from '../../src/errors.js';
import { NAMES, OPTIONS, readAs } from './reading.js';

/** Bodies that are no list, or that were made to hurt. */

/** The reader's own addresses, as servers print them in their errors. */
const OWN = ['198.51.100.200', '2001:db8:bad::200'];

const PAGES: ReadonlyArray<readonly [what: string, page: string]> = [
  [
    'a web page',
    `<!doctype html>
<html><head><title>403 Forbidden</title><meta name="ip" content="198.51.100.200"></head>
<body><h1>Access denied for 198.51.100.200</h1>
<p>Your address is 198.51.100.200, 2001:db8:bad::200.</p>
<a href="http://198.51.100.200/?ip=198.51.100.200">198.51.100.200</a>
<script>var ip = "198.51.100.200"; var ips = ["198.51.100.200","2001:db8:bad::200"];</script>
<li>Client:198.51.100.200</li>
</body></html>
`,
  ],
  [
    'lines of text',
    `Access denied.
Your IP address is 198.51.100.200
Client IP: 198.51.100.200
Client IP (v6): 2001:db8:bad::200
ip=198.51.100.200
IP:198.51.100.200
IP:\t198.51.100.200
Reference #18.2d3c1002.1790000000 from 198.51.100.200:443
Too many requests from 198.51.100.200 - 429
please come back from http://198.51.100.200/ in 60 minutes
1 request, 2 addresses, 198.51.100.200
429|Too many requests|198.51.100.200
`,
  ],
  ['one line of text', 'You (198.51.100.200) are not allowed to see this'],
  ['one line that ends in the address', 'Blocked: 198.51.100.200'],
  [
    'JSON',
    '{"error":{"code":403,"message":"blocked","ip":"198.51.100.200","ips":["198.51.100.200","2001:db8:bad::200"]}}\n',
  ],
  ['JSON of a list', '[{"error":"blocked","client":"198.51.100.200"},"198.51.100.200"]\n'],
  [
    'headers of HTTP',
    'HTTP/1.1 403 Forbidden\r\nX-Client-IP: 198.51.100.200\r\nX-Forwarded-For: 198.51.100.200, 192.0.2.1\r\n\r\n',
  ],
  [
    'a Python traceback',
    'Traceback (most recent call last):\n  File "feed.py", line 7\nConnectionError: 198.51.100.200:443\n',
  ],
  [
    'numbers at the begin of lines',
    '503 Service Unavailable\n200 OK\n10 requests a day\n12:30:15 down for 5 minutes\n5\n',
  ],
];

describe.each(NAMES)('%s', (format) => {
  test.each(PAGES)('takes no address out of %s', async (_, page) => {
    try {
      const { prefixes, rejected, entries } = await readAs(format, OPTIONS[format], page);
      expect(prefixes.filter((prefix) => OWN.some((own) => prefix.startsWith(own)))).toEqual([]);
      expect(entries).toBe(0);
      // The lines of `keyword` are other facts, and no rejects: nothing at all is found there.
      if (format !== 'keyword') expect(rejected).toBeGreaterThan(0);
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      expect(error.code).toBe('source-format');
    }
  });

  test('zero bytes, and bytes that are no UTF-8, are no part of an address', async () => {
    const text = ['192.0.2.1\0', '\x0192.0.2.1', '192.0.2.1\u200b', '١٩٢.0.2.1', '192。0。2。1', '１９２.0.2.1'];
    const noise = [...text.map((line) => Buffer.from(`${line}\n`)), Buffer.from('192.0.\xff2.1\n', 'latin1')];
    try {
      const { entries } = await readAs(format, OPTIONS[format], ...noise);
      expect(entries).toBe(0);
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      expect(error.code).toBe('source-format');
    }
  });
});

/** A line for 192.0.2.1 in each format of lines, with room for text that says nothing. */
const ENTRY: Readonly<Partial<Record<FormatName, (text: string) => string>>> = {
  plain: (text) => `192.0.2.1 # ${text}`,
  score: (text) => `192.0.2.1 7 # ${text}`,
  csv: (text) => `192.0.2.1,${text}`,
  ndjson: (text) => `{"cidr":"192.0.2.1","text":"${text}"}`,
  dshield: (text) => `192.0.2.1\t192.0.2.1\t32\t${text}`,
  delegated: (text) => `ripencc|DE|ipv4|192.0.2.1|1|20200101|allocated|${text}`,
  p2p: (text) => `${text}:192.0.2.1-192.0.2.1`,
  'integer-range': (text) => `3221225985,3221225985,${text}`,
  keyword: (text) => `ExitAddress 192.0.2.1 ${text}`,
  rbldnsd: (text) => `192.0.2.1:127.0.0.2:${text}`,
  'host-port': (text) => `192.0.2.1:443 # ${text}`,
  url: (text) => `http://192.0.2.1/${text}`,
};
const LINES = Object.entries(ENTRY) as [FormatName, (text: string) => string][];
const KIB = 1024;

describe.each(LINES)('lines of %s', (format, line) => {
  const options = OPTIONS[format];
  const read = (...pieces: string[]) => readAs(format, options, ...pieces);

  test('an entry with and without text', async () => {
    expect(await read(`${line('')}\n${line('x')}\n`)).toMatchObject({
      prefixes: ['192.0.2.1'],
      entries: 2,
      rejected: 0,
    });
  });

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('a line too long counts once, and the next one, behind %s, is read, in whatever pieces', async (_, end) => {
    const [long, next] = ['x'.repeat(100 * KIB), line('')];
    const text = `${long}${end}${next}${end}`;
    const behind = long.length + end.length;
    const expected = { prefixes: ['192.0.2.1'], entries: 1, rejected: 1, reasons: { 'line too long': 1 } };
    expect(await read(text)).toMatchObject(expected);
    const cuts = [
      1,
      4 * KIB,
      64 * KIB - 1,
      64 * KIB,
      64 * KIB + 1,
      64 * KIB + 2,
      long.length - 1,
      long.length,
      long.length + 1,
      behind,
    ];
    for (const cut of cuts)
      expect([cut, await read(text.slice(0, cut), text.slice(cut))]).toMatchObject([cut, expected]);
    expect(await read(long, end, next, end)).toMatchObject(expected);
    expect(await read(long.slice(9), long.slice(0, 9), end.slice(0, 1), end.slice(1), next)).toMatchObject(expected);
  });

  test('a line too long is the last one, with and without end', async () => {
    const long = 'x'.repeat(100 * KIB);
    for (const pieces of [[long], [`${long}\n`], [long, '\n'], [long, long], [long, '\r'], [long, '\r', '\n']]) {
      expect(await read(`${line('')}\n`, ...pieces)).toMatchObject({ entries: 1, rejected: 1 });
    }
  });

  test.each([4 * KIB, 64 * KIB])(
    'a line of about %i characters is judged the same in whatever pieces',
    async (limit) => {
      const own = line('').length;
      for (const size of [limit - 2, limit - 1, limit, limit + 1, limit + 2]) {
        for (const end of ['\n', '\r\n', '\r']) {
          const text = `${line('x'.repeat(size - own))}${end}${line('')}${end}`;
          const whole = await read(text);
          for (const cut of [own, size - 1, size, size + 1, size + end.length]) {
            expect([size, end, cut, await read(text.slice(0, cut), text.slice(cut))]).toEqual([size, end, cut, whole]);
          }
        }
      }
    },
  );
});

describe('what costs time', () => {
  const HOSTILE: ReadonlyArray<readonly [what: string, line: string]> = [
    ['blanks', `${' '.repeat(60_000)}x`],
    ['an address and tabs', `192.0.2.1${'\t'.repeat(60_000)}x`],
    ['no-break spaces', `${'\u00a0'.repeat(60_000)}x`],
    ['digits', '1'.repeat(60_000)],
    ['digits and dots', '1.'.repeat(30_000)],
    ['a long host', `http://${'a'.repeat(60_000)}`],
    ['colons', ':'.repeat(60_000)],
    ['quotes', '"'.repeat(60_000)],
    ['quotes and commas', '","'.repeat(20_000)],
    ['brackets', '['.repeat(60_000)],
    ['dashes', '-'.repeat(60_000)],
    ['comments', ' #'.repeat(30_000)],
  ];
  test.each(NAMES)('%s reads three long lines of each kind in no time', async (format) => {
    for (const [what, line] of HOSTILE) {
      const begun = performance.now();
      await readAs(format, OPTIONS[format], `${line}\n`.repeat(3)).catch((error: unknown) => {
        if (!(error instanceof BlocklistError)) throw error;
      });
      expect(performance.now() - begun, what).toBeLessThan(2000);
    }
  });
});
