import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Flow, parseFlow } from '../../src/host/flow-line.js';
import { exactTuple } from '../../src/host/flows.js';
import { formatPrefix } from '../../src/ip/index.js';

/** `conntrack -L -f …`, conntrack-tools 1.4.7, with the options that name the flow. */
const PRINTED: ReadonlyArray<readonly [line: string, options: string]> = [
  [
    'tcp      6 431999 ESTABLISHED src=10.9.0.1 dst=10.9.0.2 sport=57686 dport=22 src=10.9.0.2 dst=10.9.0.3 sport=22 dport=7 [ASSURED] mark=0 use=1',
    '-f ipv4 -p 6 -s 10.9.0.1 -d 10.9.0.2 --sport 57686 --dport 22 --zone 0',
  ],
  [
    'udp      17 29 src=fd09::1 dst=fd09::2 sport=35390 dport=99 [UNREPLIED] src=fd09::2 dst=fd09::1 sport=99 dport=35390 mark=0 use=1',
    '-f ipv6 -p 17 -s fd09::1 -d fd09::2 --sport 35390 --dport 99 --zone 0',
  ],
  [
    'icmp     1 29 src=10.9.0.1 dst=10.9.0.1 type=8 code=0 id=5782 src=10.9.0.1 dst=10.9.0.1 type=0 code=0 id=5782 mark=0 use=1',
    '-f ipv4 -p 1 -s 10.9.0.1 -d 10.9.0.1 --icmp-type 8 --icmp-code 0 --icmp-id 5782 --zone 0',
  ],
  [
    'icmpv6   58 29 src=fd09::1 dst=fd09::1 type=128 code=0 id=0 src=fd09::1 dst=fd09::1 type=129 code=0 id=0 mark=0 use=1',
    '-f ipv6 -p 58 -s fd09::1 -d fd09::1 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 0 --zone 0',
  ],
  [
    'gre      47 29 src=10.9.0.1 dst=10.9.0.7 srckey=0x0 dstkey=0x5 [UNREPLIED] src=10.9.0.7 dst=10.9.0.1 srckey=0x5 dstkey=0x0 mark=0 use=1',
    '-f ipv4 -p 47 -s 10.9.0.1 -d 10.9.0.7 --zone 0',
  ],
  [
    'unknown  2 599 src=10.9.0.1 dst=10.9.0.7 [UNREPLIED] src=10.9.0.7 dst=10.9.0.1 mark=0 use=1',
    '-f ipv4 -p 2 -s 10.9.0.1 -d 10.9.0.7 --zone 0',
  ],
  [
    'udp      17 29 src=10.9.0.1 dst=10.9.0.7 sport=7777 dport=200 zone-orig=6 [UNREPLIED] src=10.9.0.7 dst=10.9.0.1 sport=200 dport=7777 mark=0 use=1',
    '-f ipv4 -p 17 -s 10.9.0.1 -d 10.9.0.7 --sport 7777 --dport 200 --orig-zone 6',
  ],
  [
    'udp      17 29 src=10.9.0.1 dst=10.9.0.7 sport=7777 dport=100 packets=1 bytes=28 [UNREPLIED] src=10.9.0.7 dst=10.9.0.1 sport=100 dport=7777 packets=0 bytes=0 mark=0 zone=5 use=1',
    '-f ipv4 -p 17 -s 10.9.0.1 -d 10.9.0.7 --sport 7777 --dport 100 --zone 5',
  ],
  [
    'tcp      6 src=10.9.0.1 dst=10.9.0.2 sport=1 dport=22 packets=8 bytes=9 src=10.9.0.2 dst=10.9.0.1 sport=22 dport=1 packets=8 bytes=9 [OFFLOAD] mark=0 use=2',
    '-f ipv4 -p 6 -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 22 --zone 0',
  ],
];

const parsed = (line: string): Flow => {
  const flow = parseFlow(line);
  if (flow === undefined) throw new Error(`no flow: ${line}`);
  return flow;
};

describe('lines of conntrack -L', () => {
  test.each(PRINTED)('%s', (line, options) => expect(exactTuple(parsed(line)).join(' ')).toBe(options));

  test('the first packet decides, and whether it was answered', () => {
    const flow = parsed(PRINTED[0]?.[0] ?? '');
    expect([flow.protocol, formatPrefix(flow.source), formatPrefix(flow.destination), flow.isReplied]).toEqual([
      'tcp',
      '10.9.0.1',
      '10.9.0.2',
      true,
    ]);
    expect(flow.ports).toEqual({ source: 57_686, destination: 22 });
    expect(parsed(PRINTED[1]?.[0] ?? '').isReplied).toBe(false);
  });

  test.each([
    '',
    'conntrack v1.4.7 (conntrack-tools): 9 flow entries have been shown.',
    'tcp 6 src=10.9.0.1 sport=1 dport=2',
    'tcp 6 src=10.9.0.1 dst=10.9.0.2',
    'tcp 6 src=10.9.0.1 dst=10.9.0.2 sport=1',
    'udp 17 src=10.9.0.1 dst=10.9.0.2 sport=70000 dport=2',
    'icmp 1 src=10.9.0.1 dst=10.9.0.2 type=8 code=0',
    'tcp 300 src=10.9.0.1 dst=10.9.0.2 sport=1 dport=2',
    'tcp x src=10.9.0.1 dst=10.9.0.2 sport=1 dport=2',
    'tcp 6 src=10.9.0.1 dst=fd09::1 sport=1 dport=2',
    'tcp 6 src=10.9.0.0/8 dst=10.9.0.2 sport=1 dport=2',
    '\x1b[2J 6 src=10.9.0.1 dst=10.9.0.2',
    'TCP;x 6 src=10.9.0.1 dst=10.9.0.2',
  ])('%j is none', (line) => expect(parseFlow(line)).toBeUndefined());

  test('whatever text arrives, its options are of fixed form', () => {
    const piece = fc.constantFrom('src=1.2.3.4', 'dst=1.2.3.5', 'sport=1', 'dport=-F', 'zone=', '__proto__=1', ' ');
    const line = fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }).map((parts) => `tcp 47 ${parts.join(' ')}`);
    fc.assert(
      fc.property(line, (text) => {
        const flow = parseFlow(text);
        if (flow === undefined) return;
        expect(exactTuple(flow).join(' ')).toMatch(
          /^-f ipv[46] -p \d+ -s [0-9a-f.:]+ -d [0-9a-f.:]+( --[a-z0-9-]+ \d+)+$/,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
