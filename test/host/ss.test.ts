import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactFilter } from '../../src/host/sockets.js';
import { parseBoundLine, parsedRecords, parseEndpoint, parseSocketLine } from '../../src/host/ss.js';
import { formatPrefix } from '../../src/ip/index.js';

/** `ss -Htune`, iproute2 6.1. */
const PRINTED = `udp ESTAB      0      0                        10.9.0.1%d0:32873                   10.9.0.1:5355  ino:11684 sk:2 cgroup:/ <->        
udp ESTAB      0      0                  [::ffff:10.9.0.1]:33860          [::ffff:10.9.0.1]:5353  uid:100 ino:11682 sk:3 cgroup:/a ino:7 b <->        
tcp FIN-WAIT-2 0      0                           10.9.0.1:49452                   10.9.0.1:50875 timer:(timewait,59sec,0) ino:0 sk:4
tcp CLOSE-WAIT 1      0                           10.9.0.1:50875                   10.9.0.1:49452 ino:11687 sk:5 cgroup:/ -->        
tcp ESTAB      0      0      [fe80::4430:cbff:fef9:9b6]%d0:43827 [fe80::4430:cbff:fef9:9b6]:39684 ino:11681 sk:a cgroup:/ <->        
tcp ESTAB      0      36                          [fd09::1]:22                     [fd09::2]:42801 timer:(on,200ms,0) uid:0 ino:11673 sk:c cgroup:/ <->`;

const shown = (line: string) => {
  const socket = parseSocketLine(line);
  if (socket === undefined) return undefined;
  const { local, peer } = socket;
  return [socket.protocol, socket.state, formatPrefix(local.address), local.port, formatPrefix(peer.address), peer.port]
    .concat(socket.inode)
    .join(' ');
};

describe('lines of connected sockets', () => {
  test('what ss prints', () => {
    expect(PRINTED.split('\n').map(shown)).toEqual([
      'udp ESTAB 10.9.0.1 32873 10.9.0.1 5355 11684',
      'udp ESTAB 10.9.0.1 33860 10.9.0.1 5353 11682',
      'tcp FIN-WAIT-2 10.9.0.1 49452 10.9.0.1 50875 0',
      'tcp CLOSE-WAIT 10.9.0.1 50875 10.9.0.1 49452 11687',
      'tcp ESTAB fe80::4430:cbff:fef9:9b6 43827 fe80::4430:cbff:fef9:9b6 39684 11681',
      'tcp ESTAB fd09::1 22 fd09::2 42801 11673',
    ]);
  });

  test('a record that goes on in indented lines, and lines between that are none', () => {
    const text =
      'tcp ESTAB 0 0 10.0.0.1:22\n\t10.0.0.2:5 \n  ino:17 sk:1\nodd\n\nudp ESTAB 0 0 10.0.0.1:53 10.0.0.2:6 ino:18\n';
    expect(parsedRecords(text, parseSocketLine).map(({ inode }) => inode)).toEqual([17, 18]);
  });

  test.each([
    '',
    'tcp ESTAB 0 0 10.0.0.1:22',
    'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*',
    'tcp ESTAB 0 0 *:22 10.0.0.1:5',
    'tcp ESTAB 0 0 0.0.0.0:22 10.0.0.1:5',
    'tcp ESTAB 0 0 [::]:22 [2001:db8::1]:5',
    'tcp ESTAB 0 0 010.0.0.1:22 10.0.0.1:5',
    'tcp ESTAB 0 0 1.2:22 10.0.0.1:5',
    'tcp ESTAB 0 0 10.0.0.1:0 10.0.0.1:5',
    'tcp ESTAB 0 0 10.0.0.1:65536 10.0.0.1:5',
    'tcp ESTAB 0 0 10.0.0.0/8:22 10.0.0.1:5',
    'tcp ESTAB 0 0 10.0.0.1:ssh 10.0.0.1:5',
    'tcp ESTAB x 0 10.0.0.1:22 10.0.0.1:5',
    'sctp ESTAB 0 0 10.0.0.1:22 10.0.0.1:5',
    ' tcp ESTAB 0 0 10.0.0.1:22 10.0.0.1:5',
    'Error: an inet prefix is expected',
  ])('%j is none', (line) => expect(parseSocketLine(line)).toBeUndefined());

  test('an inode that is none is as if nobody held the socket', () => {
    const line = 'tcp ESTAB 0 0 10.0.0.1:22 10.0.0.2:5 ino:';
    expect(['', 'x', '1x', '99999999999999999999'].map((ino) => parseSocketLine(line + ino)?.inode)).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('whatever text arrives, it is a socket or nothing', () => {
    const piece = fc.constantFrom('tcp', 'ESTAB', '0', ' ', '\t', '10.0.0.1:22', '[::1]:1', '%', ']', ':', '\u{1f600}');
    const line = fc.oneof(
      fc.string(),
      fc.array(piece).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(line, (text) => {
        const socket = parseSocketLine(text);
        if (socket === undefined) return;
        expect(socket.peer.port).toBeGreaterThan(0);
        expect(exactFilter(socket)).toHaveLength(4);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the filter that closes a socket', () => {
  const filterOf = (local: string, peer: string) => {
    const [here, there] = [parseEndpoint(local), parseEndpoint(peer)];
    if (here === undefined || there === undefined) throw new Error('sample');
    return exactFilter({ local: here, peer: there });
  };

  test('has all four values, and the interface where ss names one', () => {
    expect(filterOf('192.0.2.1:22', '198.51.100.7:5')).toEqual(['src', '192.0.2.1:22', 'dst', '198.51.100.7:5']);
    expect(filterOf('[::ffff:192.0.2.1]:22', '[::ffff:198.51.100.7]:5')).toEqual([
      'src',
      '[::ffff:192.0.2.1]:22',
      'dst',
      '[::ffff:198.51.100.7]:5',
    ]);
    expect(filterOf('[fe80::1]%eth0.5@x]%:22', '[fe80::2]:5')).toEqual([
      'src',
      '[fe80::1]:22',
      'dst',
      '[fe80::2]:5',
      'dev',
      '=',
      'eth0.5@x]%',
    ]);
  });

  test.each(['', '*', '*:22', '0.0.0.0:22', '[::]:22', '1.2:22', '192.0.2.1', '192.0.2.1:0', '192.0.2.0/24:22', '-a'])(
    'never for the text %j',
    (text) => {
      const good = parseEndpoint('192.0.2.1:22');
      if (good === undefined) throw new Error('sample');
      expect(() => exactFilter({ local: { ...good, text }, peer: good })).toThrow(RangeError);
      expect(() => exactFilter({ local: good, peer: { ...good, text } })).toThrow(RangeError);
    },
  );
});

/** `ss -Htulne`, iproute2 6.1: what became of it, or undefined. */
const BOUND: ReadonlyArray<readonly [line: string, shown: string | undefined]> = [
  ['tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* ino:17 sk:1 cgroup:/ <->', 'tcp every 22 17'],
  ['tcp LISTEN 0 128 [::]:2222 [::]:* ino:18 sk:2', 'tcp every 2222 18'],
  ['tcp LISTEN 0 128 *:80 *:* uid:33 ino:19 sk:2 cgroup:/ v6only:0 <->', 'tcp every 80 19'],
  ['tcp LISTEN 0 5 [::ffff:0.0.0.0]:81 *:* ino:19', 'tcp every 81 19'],
  ['tcp LISTEN 0 5 [::ffff:127.0.0.1]:82 *:* ino:19', 'tcp 127.0.0.1/32 82 19'],
  ['tcp LISTEN 0 5 127.0.0.53%lo:53 0.0.0.0:* ino:19', 'tcp 127.0.0.53/32 53 19 on lo'],
  ['tcp LISTEN 0 5 *%eth0.5@x:83 *:* ino:19', 'tcp every 83 19 on eth0.5@x'],
  ['tcp LISTEN 0 5 [fe80::1%eth0]%eth0:84 [::]:* ino:20 sk:2', 'tcp fe80::1/128 84 20 on eth0'],
  ['udp UNCONN 0 0 0.0.0.0:68 0.0.0.0:* ino:21 sk:2', 'udp every 68 21'],
  ['udp UNCONN 0 0 [2001:db8::1]:123 [::]:* ino:22', 'udp 2001:db8::1/128 123 22'],
  // Nothing is taken for harmless because it cannot be read.
  ['tcp LISTEN 0 128 odd:22 0.0.0.0:* ino:17', 'tcp every 22 17'],
  ['tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*', 'tcp every 22 0'],
  ['udp ESTAB 0 0 10.0.0.1:68 10.0.0.2:67 ino:21', undefined],
  ['tcp UNCONN 0 0 0.0.0.0:22 0.0.0.0:* ino:1', undefined],
  ['tcp LISTEN 0 128 0.0.0.0:* 0.0.0.0:*', undefined],
  ['tcp LISTEN 0 128 0.0.0.0:0 0.0.0.0:*', undefined],
  ['tcp LISTEN 0 128 0.0.0.0:70000 0.0.0.0:*', undefined],
  ['sctp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*', undefined],
  ['', undefined],
];

describe('lines of sockets that wait for whoever comes', () => {
  test.each(BOUND)('%j', (line, expected) => {
    const bound = parseBoundLine(line);
    const full = bound?.address === undefined ? 'every' : `${formatPrefix(bound.address)}/${bound.address.length}`;
    const on = bound?.device === undefined ? '' : ` on ${bound.device}`;
    expect(bound && `${bound.protocol} ${full} ${bound.port} ${bound.inode}${on}`).toBe(expected);
  });
});
