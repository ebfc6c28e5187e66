import { drips, type Fault, floods, kept, NEW, raw, stalls } from './faults.js';
import { breaksOff, redirects, refuses } from './server.js';

const to = (location: string) => redirects(() => location);
const notPublic = (address: string) => `refused to ask ${address}: not an address of the public internet (`;
const TOO_LATE = 'no complete answer within 1 s (';
const SOON = { keys: 'timeout: 1' };
const PASSING = { isPassing: true } as const;

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const TWO_LENGTHS = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Length: 16\r\n\r\n9.9.9.9\n9.9.9.8\n';

/** Of the network and of HTTP. */
export const NETWORK_FAULTS: readonly Fault[] = [
  kept('http-failed', 'nobody listens', 'gone', 'connect ECONNREFUSED 127.0.0.1:'),
  kept('http-failed', 'a redirect to a name without address', to('http://far.invalid/list'), 'getaddrinfo E', PASSING),
  // time
  kept('http-failed', 'no answer', () => undefined, TOO_LATE, SOON),
  kept('http-failed', 'half a header', raw('HTTP/1.1 200 OK\r\nX-Slow: ', 'stay'), TOO_LATE, SOON),
  kept('http-failed', 'half a body', stalls(200, {}, NEW), TOO_LATE, SOON),
  kept('http-failed', 'a body that drips', drips(200, {}, '9.9.9.9\n'), TOO_LATE, SOON),
  kept(
    'http-refused',
    'a redirect that drips, to another that drips',
    drips(302, { location: '/there' }, '.'),
    'more than 5 redirects (',
    SOON,
  ),
  kept('http-failed', 'a refusal that drips', drips(403, {}, 'no'), 'the server answered 403 (', SOON),
  // the connection
  kept('http-failed', 'an end without a word', raw(''), 'other side closed (', PASSING),
  kept('http-failed', 'a reset without a word', raw('', 'reset'), '', PASSING),
  kept('http-failed', 'a reset within the body', breaksOff(NEW, 'reset'), '', PASSING),
  kept('http-failed', 'a length beyond the body', breaksOff(NEW, 'end'), '', PASSING),
  kept('http-failed', 'two lengths', raw(TWO_LENGTHS), '', PASSING),
  kept('http-failed', 'chunks cut off between two', raw(`${CHUNKED}8\r\n9.9.9.9\n\r\n`), '', PASSING),
  kept('http-failed', 'a chunk of no size', raw(`${CHUNKED}zz\r\n9.9.9.9\n\r\n0\r\n\r\n`), '', PASSING),
  kept('http-failed', 'no HTTP', raw(`220 mail.example.test ESMTP\r\n${NEW}`), '', PASSING),
  kept(
    'http-failed',
    'headers without end',
    raw(`HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`, 'stay'),
    '',
    PASSING,
  ),
  { what: 'HTTP/1.0 without a length', play: raw(`HTTP/1.0 200 OK\r\n\r\n${NEW}`), data: 'new', status: 0 },
  // statuses
  kept('http-failed', '403', refuses(403), 'the server answered 403 ('),
  kept('http-failed', '404', refuses(404), 'the server answered 404 ('),
  kept('http-failed', '206, a part', refuses(206, NEW), 'the server answered 206 ('),
  kept('http-failed', '204', refuses(204, ''), 'the server answered 204 ('),
  kept('http-failed', '304 that was not asked for', refuses(304, ''), 'the server answered 304 ('),
  kept('http-failed', '503 each time', refuses(503), 'the server answered 503 (', PASSING),
  kept('http-failed', '403 with a body without end', floods(403, {}), 'the server answered 403 ('),
  // redirects
  kept(
    'http-refused',
    'a redirect loop',
    redirects((path) => path),
    'more than 5 redirects (',
  ),
  kept('http-refused', 'a redirect loop that floods', floods(302, { location: '/' }), 'more than 5 redirects ('),
  kept(
    'http-failed',
    'a redirect to nowhere',
    redirects(() => undefined),
    'the server redirects to nowhere (',
    PASSING,
  ),
  kept(
    'http-refused',
    'to a file of this host',
    to('file:///etc/passwd'),
    'refused the redirect from http: to file: (',
  ),
  kept('http-refused', 'to data', to('data:text/plain,9.9.9.9'), 'refused the redirect from http: to data: ('),
  kept('http-refused', 'to a private address', to('http://10.255.255.1/'), notPublic('10.255.255.1')),
  kept('http-refused', 'the same as a number', to('http://0x0AFFFF01/'), notPublic('10.255.255.1')),
  kept('http-refused', 'the same in IPv6', to('http://[::ffff:10.255.255.1]/'), 'refused to ask [::ffff:aff:ff01]'),
  kept('http-refused', 'to the cloud', to('http://169.254.169.254/latest'), notPublic('169.254.169.254')),
  kept('http-refused', 'to this host', to('http://[::1]/'), 'refused to ask [::1]'),
  kept('http-refused', 'to this network', to('http://0/'), notPublic('0.0.0.0')),
  kept('http-refused', 'to the name of this host', to('http://localhost/'), 'refused to ask localhost, which is '),
  kept(
    'http-failed',
    'a line end in Location',
    raw('HTTP/1.1 302 Found\r\nLocation: /a\nX-Evil: y\r\n\r\n'),
    '',
    PASSING,
  ),
  kept('http-failed', 'a zero byte in Location', raw('HTTP/1.1 302 Found\r\nLocation: /a\0b\r\n\r\n'), '', PASSING),
];
