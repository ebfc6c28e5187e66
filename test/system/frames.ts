import { addressBytes } from './live-sets.js';

/** Frames of messages that no program sends when it is asked to: made of bytes, after the RFCs that are named. */

export interface Message {
  readonly from: string;
  readonly to: string;
  /** 17 for UDP, 1 and 58 for ICMP */
  readonly protocol: 1 | 17 | 58;
  /** header and content, its checksum zero */
  readonly body: Buffer;
  /** hops that are left: those of neighbours have 255 */
  readonly hops?: number;
}

/** ICMP, ICMPv6: type, code, checksum, four bytes, content. */
export function icmp(type: number, code: number, rest: string, content: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([type, code, 0, 0]), Buffer.from(rest, 'hex'), content]);
}

export function udp(from: number, to: number, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  for (const [i, value] of [from, to, 8 + content.length, 0].entries()) header.writeUInt16BE(value, 2 * i);
  return Buffer.concat([header, content]);
}

const HOST_MAC = '020000000001';
const PEER_MAC = '020000000002';

/** The frame of a message, filled up with zeros: by this length of the packet it is found again. */
export function frameOf(message: Message, length: number): string {
  const packet = message.from.includes(':') ? packet6(message, length) : packet4(message, length);
  const type = message.from.includes(':') ? '86dd' : '0800';
  return `${HOST_MAC}${PEER_MAC}${type}${packet.toString('hex')}`;
}

/** What an error tells of: the begin of a packet of this host to port 443. */
export function quoted(from: string, to: string): Buffer {
  const message: Message = { from, to, protocol: 17, body: udp(40_000, 443, Buffer.alloc(8)) };
  return from.includes(':') ? packet6(message, 56) : packet4(message, 36);
}

/** RFC 791. */
function packet4({ from, to, protocol, body, hops = 64 }: Message, length: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x4500, 0);
  header.writeUInt16BE(length, 2);
  header.writeUInt8(hops, 8);
  header.writeUInt8(protocol, 9);
  header.set([...addressBytes(from), ...addressBytes(to)], 12);
  header.writeUInt16BE(checksum(header), 10);
  const pseudo = protocol === 17 ? pseudoHeader(header.subarray(12), protocol, length - 20) : Buffer.alloc(0);
  return Buffer.concat([header, summed(filled(body, length - 20), protocol, pseudo)]);
}

/** RFC 8200. */
function packet6({ from, to, protocol, body, hops = 64 }: Message, length: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(length - 40, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(hops, 7);
  header.set([...addressBytes(from), ...addressBytes(to)], 8);
  return Buffer.concat([
    header,
    summed(filled(body, length - 40), protocol, pseudoHeader(header.subarray(8), protocol, length - 40)),
  ]);
}

function pseudoHeader(addresses: Buffer, protocol: number, size: number): Buffer {
  const end = Buffer.alloc(8);
  end.writeUInt32BE(size, 0);
  end.writeUInt32BE(protocol, 4);
  return Buffer.concat([addresses, end]);
}

function filled(body: Buffer, size: number): Buffer {
  if (body.length > size) throw new Error(`${body.length} bytes do not fit into ${size}`);
  return Buffer.concat([body, Buffer.alloc(size - body.length)]);
}

function summed(body: Buffer, protocol: number, pseudo: Buffer): Buffer {
  const at = protocol === 17 ? 6 : 2;
  if (protocol === 17) body.writeUInt16BE(body.length, 4);
  body.writeUInt16BE(checksum(Buffer.concat([pseudo, body])), at);
  return body;
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
