import type { Prefix } from '../ip/index.js';
import { singleAddress } from '../ip/index.js';

/** One connection that the kernel tracks, as its first packet had it: before any translation of addresses. */
export interface Flow {
  /** conntrack's word: `tcp`, `udp`, `icmp`, `icmpv6`, `gre`, `sctp`, …; `unknown` for protocols that it has no module for */
  readonly protocol: string;
  /** 0…255, IANA protocol number */
  readonly protocolNumber: number;
  readonly source: Prefix;
  readonly destination: Prefix;
  /** 0…65535; a pair or none, as gre and unknown ones have none */
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  /** of an echo and the like */
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | undefined;
  /** whether the other side ever answered */
  readonly isReplied: boolean;
  readonly zone: Zone | undefined;
}

/** Where tables of equal addresses are kept apart (`ct zone set`, nft(8)). */
export interface Zone {
  readonly direction: 'both' | 'original' | 'reply';
  /** 1…65535 */
  readonly id: number;
}

const ZONES: ReadonlyMap<string, Zone['direction']> = new Map([
  ['zone', 'both'],
  ['zone-orig', 'original'],
  ['zone-reply', 'reply'],
]);

/** TCP, UDP, DCCP, SCTP, UDP-Lite: a line of these without ports is cut, and would name every flow between two hosts. */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);
const ICMP: ReadonlySet<number> = new Set([1, 58]);

/** 0…65535, decimal. */
function word(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

/**
 * One line of `conntrack -L` (nfct_snprintf of libnetfilter_conntrack):
 * `tcp      6 431999 ESTABLISHED src=A dst=B sport=1 dport=2 [UNREPLIED] src=B dst=A sport=2 dport=1 [ASSURED] mark=0 zone=5 use=1`.
 * The first of each key belongs to the original direction. Undefined for anything else.
 */
export function parseFlow(line: string): Flow | undefined {
  const [protocol = '', digits = '', ...rest] = line.split(/\s+/);
  const protocolNumber = word(digits);
  if (!/^[a-z][a-z0-9-]*$/.test(protocol) || protocolNumber === undefined || protocolNumber > 255) return undefined;
  const first = new Map<string, string>();
  let zone: Zone | undefined;
  for (const part of rest) {
    const at = part.indexOf('=');
    const key = part.slice(0, Math.max(at, 0));
    if (at > 0 && !first.has(key)) first.set(key, part.slice(at + 1));
    const direction = ZONES.get(key);
    const id = direction === undefined ? undefined : word(part.slice(at + 1));
    if (direction !== undefined && id !== undefined && zone === undefined) zone = { direction, id };
  }
  const [source, destination] = [singleAddress(first.get('src') ?? ''), singleAddress(first.get('dst') ?? '')];
  if (source === undefined || destination === undefined || source.family !== destination.family) return undefined;
  const [from, to] = [word(first.get('sport')), word(first.get('dport'))];
  const ports = from === undefined || to === undefined ? undefined : { source: from, destination: to };
  const [type, code, id] = [word(first.get('type')), word(first.get('code')), word(first.get('id'))];
  const icmp = type === undefined || code === undefined || id === undefined ? undefined : { type, code, id };
  if (WITH_PORTS.has(protocolNumber) && ports === undefined) return undefined;
  if (ICMP.has(protocolNumber) && icmp === undefined) return undefined;
  return {
    protocol,
    protocolNumber,
    source,
    destination,
    ports,
    icmp,
    isReplied: !rest.includes('[UNREPLIED]'),
    zone,
  };
}
