import { formatAddress, formatPrefix, IPV6, type Prefix, singleAddress } from '../ip/index.js';
import { type Peer, peerOf } from './peer.js';
import type { UtmpRecord } from './utmp-record.js';

/** The other end of a record, and the text beside it when that is another address. */
export interface UtmpPeer extends Peer {
  readonly contradicted?: string;
}

/** A name is told from an address without asking the parser, whose refusals cost a thousand times as much. */
const LIKE_ADDRESS = /^[\da-f:][\da-f.:]*(?:%.*)?$/i;
const MAPPED = 0xffff;
const NONE: UtmpPeer = {};

/**
 * Who was at the other end: the binary address, which the kernel told the program; the text only where there is none, as `UseDNS yes`
 * of sshd puts a name there that the other end chose.
 */
export function utmpPeer(record: UtmpRecord): UtmpPeer {
  const words = [record.word(0), record.word(1), record.word(2), record.word(3)] as const;
  if ((words[0] | words[1] | words[2] | words[3]) === 0) return record.hostIs('') ? NONE : textPeer(record.host);
  const address = addressOf(words);
  if (record.hostIs(address)) return { address };
  const text = record.host;
  const beside = literal(text);
  if (beside === undefined) return { address };
  const other = formatPrefix(beside);
  // Only the text tells 2001:db8:: from 32.1.13.184: an IPv4 address is followed by zeros.
  if (beside.family === IPV6 && words.every((word, i) => word === beside.words[i])) return { address: other };
  return other === address ? { address } : { address, contradicted: text };
}

/** As peerOf, at little cost for names. */
export function textPeer(text: string): Peer {
  return LIKE_ADDRESS.test(text) ? peerOf(text) : text === '' ? NONE : { peer: text };
}

function literal(text: string): Prefix | undefined {
  return LIKE_ADDRESS.test(text) ? singleAddress(text) : undefined;
}

type Words = readonly [number, number, number, number];

function addressOf([a, b, c, d]: Words): string {
  if ((b | c | d) === 0) return dotted(a);
  return a === 0 && b === 0 && c === MAPPED ? dotted(d) : formatAddress(IPV6, Uint32Array.of(a, b, c, d));
}

/** In the form of formatAddress, at a tenth of its cost for one. */
function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}
