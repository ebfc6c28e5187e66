import { frameOf, icmp, type Message, quoted, udp } from './frames.js';

/** The rows of the policy table as traffic: what is sent by whom. */

export const VERSIONS = ['v4', 'v6'] as const;
export type Version = (typeof VERSIONS)[number];
type Who = 'host' | 'guest' | 'listed' | 'out' | 'free' | 'elsewhere';

/** The host, its guest, and those at the other end of the cable. By the bundled database all are in Germany but the one elsewhere. */
export const ADDRESS: Readonly<Record<Who, Readonly<Record<Version, string>>>> = {
  host: { v4: '88.198.1.1', v6: '2a01:4f8:1::1' },
  guest: { v4: '10.77.0.2', v6: 'fd77::2' },
  listed: { v4: '88.198.1.7', v6: '2a01:4f8:1::7' },
  out: { v4: '88.198.1.50', v6: '2a01:4f8:1::50' },
  free: { v4: '88.198.1.2', v6: '2a01:4f8:1::2' },
  elsewhere: { v4: '110.1.1.2', v6: '240e:1::2' },
};

export interface Talk {
  readonly kind: 'tcp' | 'udp' | 'session';
  readonly from: Who;
  readonly to: Who;
  readonly port: number;
  /** bytes of a datagram */
  readonly size?: number;
}

const tcp = (from: Who, to: Who, port: number): Talk => ({ kind: 'tcp', from, to, port });
const datagram = (from: Who, to: Who, size = 1): Talk => ({ kind: 'udp', from, to, port: 53, size });
const session = (from: Who, to: Who, port: number): Talk => ({ kind: 'session', from, to, port });

/** More than a cable takes at once. */
const LARGE = 3000;

export const TALKS: Readonly<Record<string, Talk>> = {
  'TCP of a listed host to port 22': tcp('listed', 'host', 22),
  'TCP of a listed host to port 80': tcp('listed', 'host', 80),
  'UDP of a listed host to port 53': datagram('listed', 'host'),
  'UDP of a listed host to port 53, in fragments': datagram('listed', 'host', LARGE),
  'TCP of a listed host to the guest, port 22': tcp('listed', 'guest', 22),
  'TCP of a listed host to the guest, port 80': tcp('listed', 'guest', 80),
  'TCP of a listed host to the published port 443': tcp('listed', 'host', 443),
  'TCP of a listed host to the published port 8080': tcp('listed', 'host', 8080),
  'a session that a listed host began before the load': session('listed', 'host', 22),
  'own TCP to a listed host': tcp('host', 'listed', 7),
  'own UDP to a listed host': datagram('host', 'listed'),
  "the guest's TCP to a listed host": tcp('guest', 'listed', 7),
  'a session with a listed host that this host began before the load': session('host', 'listed', 7),
  'a session with a listed host that the guest began before the load': session('guest', 'listed', 7),
  'own TCP to an out-listed host': tcp('host', 'out', 7),
  "the guest's TCP to an out-listed host": tcp('guest', 'out', 7),
  'a session with an out-listed host that this host began before the load': session('host', 'out', 7),
  'TCP of an out-listed host, which must be answered': tcp('out', 'host', 22),
  'TCP of a host elsewhere to port 22': tcp('elsewhere', 'host', 22),
  'TCP of a host elsewhere to port 80': tcp('elsewhere', 'host', 80),
  'TCP of a host elsewhere to the published port 443': tcp('elsewhere', 'host', 443),
  'UDP of a host elsewhere to port 53, in fragments': datagram('elsewhere', 'host', LARGE),
  'a session that a host elsewhere began before the load': session('elsewhere', 'host', 22),
  'own TCP to a host elsewhere': tcp('host', 'elsewhere', 7),
  'TCP of a free host to port 22': tcp('free', 'host', 22),
  'UDP of a free host to port 53, in fragments': datagram('free', 'host', LARGE),
  'TCP of a free host to the guest, port 22': tcp('free', 'guest', 22),
  'TCP of a free host to the published port 443': tcp('free', 'host', 443),
  'a session that a free host began before the load': session('free', 'host', 22),
  'own TCP to a free host': tcp('host', 'free', 7),
  "the guest's TCP to a free host": tcp('guest', 'free', 7),
};

/** Those that this host pings. */
export const PINGS: Readonly<Record<string, Who>> = {
  'own echo request to a listed host': 'listed',
  'own echo request to a host elsewhere': 'elsewhere',
};

const DOZEN = 12;

export interface Probe {
  readonly what: string;
  readonly version: Version;
  /** of its packet: no other one has it */
  readonly length: number;
  readonly frames: readonly string[];
}

/** What nobody answers: frames, and by their length whether they came behind the rules. */
export function probes(): Probe[] {
  let length = 598;
  return Object.entries(messages()).flatMap(([what, byVersion]) =>
    VERSIONS.flatMap((version) => {
      const message = byVersion[version];
      length += 2;
      // Those of a listed host must not use up what others have of the limit.
      const count = what.startsWith('a dozen') || what.startsWith('echo request of a listed') ? DOZEN : 1;
      return message ? [{ what, version, length, frames: Array(count).fill(frameOf(message, length)) }] : [];
    }),
  );
}

type ByVersion = { readonly [V in Version]?: Message };

const LINK_LOCAL = 'fe80::2';

function messages(): Readonly<Record<string, ByVersion>> {
  const { host, free } = ADDRESS;
  const error = (from: Who, type4: string, type6: string): ByVersion => {
    const code = (text: string) => text.split('/').map(Number) as [number, number];
    const of = (version: Version, protocol: 1 | 58, text: string, rest: string): Message => ({
      from: ADDRESS[from][version],
      to: host[version],
      protocol,
      body: icmp(...code(text), rest, quoted(host[version], free[version])),
    });
    return { v4: of('v4', 1, type4, '00000500'), v6: of('v6', 58, type6, '00000500') };
  };
  const echo = (from: Who): ByVersion => ({
    v4: { from: ADDRESS[from].v4, to: host.v4, protocol: 1, body: icmp(8, 0, '00070001') },
    v6: { from: ADDRESS[from].v6, to: host.v6, protocol: 58, body: icmp(128, 0, '00070001') },
  });
  const neighbour = (from: string, type: number, rest = '00000000', content?: Buffer): ByVersion => ({
    v6: { from, to: host.v6, protocol: 58, hops: 255, body: icmp(type, 0, rest, content) },
  });
  const target = Buffer.from('2a0104f8000100000000000000000001', 'hex');
  const dhcp = (from: Who): ByVersion => ({
    v4: { from: ADDRESS[from].v4, to: host.v4, protocol: 17, body: udp(67, 68, Buffer.alloc(240)) },
  });
  return {
    'echo request of a listed host': echo('listed'),
    'echo request of a free host': echo('free'),
    'echo request of a host elsewhere': echo('elsewhere'),
    'a dozen echo requests of a free host at once': echo('free'),
    'packet too big, fragmentation needed, of a listed router': error('listed', '3/4', '2/0'),
    'time exceeded of a listed router': error('listed', '11/0', '3/0'),
    'port unreachable of a listed host': error('listed', '3/3', '1/4'),
    'packet too big, fragmentation needed, of a router elsewhere': error('elsewhere', '3/4', '2/0'),
    'neighbour solicitation of a listed host': neighbour(ADDRESS.listed.v6, 135, '00000000', target),
    'neighbour solicitation of a host elsewhere': neighbour(ADDRESS.elsewhere.v6, 135, '00000000', target),
    'router advertisement': neighbour(LINK_LOCAL, 134, '40000000', Buffer.alloc(8)),
    'report of a multicast listener': neighbour(LINK_LOCAL, 143),
    'DHCP answer of a listed server': dhcp('listed'),
    'DHCP answer of a server elsewhere': dhcp('elsewhere'),
  };
}
