import type { Prefix } from '../ip/index.js';
import { singleAddress } from '../ip/index.js';
import { ask } from './ask.js';

/** One end of a connection. */
export interface Endpoint {
  /** IPv4-mapped IPv6 (`[::ffff:192.0.2.1]`) is read as IPv4, which is what the firewall sees */
  readonly address: Prefix;
  /** 1…65535 */
  readonly port: number;
  /** exactly as ss printed it: `192.0.2.1:22`, `[::ffff:192.0.2.1]:22`, `[fe80::1]%eth0:22` */
  readonly text: string;
}

/** A connected socket as the kernel tells it, before it is known who holds it. */
export interface SocketLine {
  readonly protocol: 'tcp' | 'udp';
  /** ss's word: `ESTAB`, `SYN-SENT`, `FIN-WAIT-1`, `CLOSE-WAIT`, … */
  readonly state: string;
  readonly local: Endpoint;
  readonly peer: Endpoint;
  /** of sockfs; 0 for a socket that no process holds any more */
  readonly inode: number;
}

/** A socket that waits for whoever comes: TCP that listens, or UDP that is bound and has no peer. */
export interface BoundLine {
  readonly protocol: 'tcp' | 'udp';
  /** undefined: every address of this host, of both families when `text` begins with `*`. Also for a text that cannot be read: nothing is taken for harmless */
  readonly address: Prefix | undefined;
  /** the interface that the socket is bound to */
  readonly device: string | undefined;
  /** 1…65535 */
  readonly port: number;
  readonly inode: number;
  /** exactly as ss printed it: `0.0.0.0:22`, `*:80`, `[::1]:53`, `127.0.0.53%lo:53` */
  readonly text: string;
}

// Netid, State, Recv-Q, Send-Q, local, peer, then `timer:(…) uid:… ino:… sk:… cgroup:…` (ss(8), -e).
const LINE = /^(tcp|udp)\s+(\S+)\s+\d+\s+\d+\s+(\S+)\s+(\S+)(?:\s+(.*))?$/;
// An interface name holds no colon, slash or blank (dev_valid_name, net/core/dev.c), but may hold anything else.
const ENDPOINT = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(%[^\s:/]+)?:(\d{1,5})$/;

export interface EndpointParts {
  /** `192.0.2.1` or `[2001:db8::1]` */
  readonly host: string;
  /** the interface that the socket is bound to */
  readonly device: string | undefined;
  readonly port: number;
}

/** Takes apart what ss prints with -n; undefined for `*` and everything else that is no address and port. */
export function endpointParts(text: string): EndpointParts | undefined {
  const [, v6, v4, zone, digits] = ENDPOINT.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  return { host: v6 === undefined ? (v4 ?? '') : `[${v6}]`, device: zone?.slice(1), port };
}

export function parseEndpoint(text: string): Endpoint | undefined {
  const parts = endpointParts(text);
  if (parts === undefined) return undefined;
  const address = singleAddress(parts.host.replace(/[[\]]/g, ''));
  // The unspecified address is how ss filters say 'any'; a connected socket has none.
  if (address?.words.every((word) => word === 0) !== false) return undefined;
  return { address, port: parts.port, text };
}

function inodeOf(extra: string | undefined): number {
  const inode = Number(/(?:^|\s)ino:(\d+)(?:\s|$)/.exec(extra ?? '')?.[1] ?? 0);
  return Number.isSafeInteger(inode) ? inode : 0;
}

/** One line of `ss -Htune`; undefined for a line that is not one of a connected socket. */
export function parseSocketLine(line: string): SocketLine | undefined {
  const [, protocol, state, localText, peerText, extra] = LINE.exec(line) ?? [];
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined;
  const [local, peer] = [parseEndpoint(localText ?? ''), parseEndpoint(peerText ?? '')];
  if (state === undefined || local === undefined || peer === undefined) return undefined;
  return { protocol, state, local, peer, inode: inodeOf(extra) };
}

// What ss prints where nobody has connected: `*` for both families, `0.0.0.0`, `[::]` for IPv6 alone, or one address.
const BOUND = /^(?:\[([^\]]*)\]|([^%]*?))(%[^:/]+)?:(\d{1,5})$/;

/** One line of `ss -Htulne`; undefined for what is no such socket. */
export function parseBoundLine(line: string): BoundLine | undefined {
  const [, protocol, state, text = '', , extra] = LINE.exec(line) ?? [];
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined;
  const [, v6, v4, zone, digits] = BOUND.exec(text) ?? [];
  const port = Number(digits);
  if (state !== (protocol === 'tcp' ? 'LISTEN' : 'UNCONN') || !(port >= 1 && port <= 65_535)) return undefined;
  const address = singleAddress(v6 ?? v4 ?? '');
  const isEvery = address?.words.every((word) => word === 0) === true;
  return {
    protocol,
    address: isEvery ? undefined : address,
    device: zone?.slice(1),
    port,
    inode: inodeOf(extra),
    text,
  };
}

/** All records of ss. One that goes on in an indented line is one record: that is for versions without -O (ss(8)), which may wrap. */
export function parsedRecords<T>(text: string, parse: (line: string) => T | undefined): T[] {
  return text
    .replace(/\n(?=[ \t])/g, ' ')
    .split('\n')
    .map(parse)
    .filter((each): each is T & {} => each !== undefined);
}

/**
 * The connected sockets of this network namespace. What ss leaves out by default is left out: listening, closed and TIME-WAIT ones,
 * and SYN-RECV, which a flood with forged senders fills.
 *
 * Without -p: ss prints process names unescaped, and one called `",pid=1,fd=3),(` (15 bytes, any process may take it by prctl(2)) reads as process 1.
 * Who holds a socket is found by its inode instead, see socketOwners.
 * @throws BlocklistError `program-missing`, `program-failed`.
 */
export async function connectedLines(): Promise<SocketLine[]> {
  return parsedRecords(await ask(['ss', '-Htune']), parseSocketLine);
}

/** The sockets of this network namespace that wait for whoever comes. @throws as connectedLines. */
export async function boundLines(): Promise<BoundLine[]> {
  return parsedRecords(await ask(['ss', '-Htulne']), parseBoundLine);
}

/** Those of TCP. @throws as connectedLines. */
export async function listenLines(): Promise<BoundLine[]> {
  return (await boundLines()).filter(({ protocol }) => protocol === 'tcp');
}
