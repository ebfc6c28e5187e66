/**
 * Writes small databases in MaxMind's format, from the specification alone (https://maxmind.github.io/MaxMind-DB/, version 2.0),
 * so that every layout of a node is tried and not only the one that a published file happens to have.
 */
export interface Database {
  readonly recordSize: 24 | 28 | 32;
  readonly ipVersion: 4 | 6;
  /** networks as text, each with its record; in an IPv6 tree IPv4 networks stand below ::/96 */
  readonly networks: ReadonlyArray<readonly [network: string, record: unknown]>;
  /** IPv6 networks of a length below 128 whose node is the one of the IPv4 tree */
  readonly aliases?: readonly string[];
  /** bytes of the data section before the first record, to make pointers large */
  readonly padding?: number;
  /** seconds since 1970 */
  readonly built?: number;
}

/** A side of a node: nothing, another node, or a record by its place in the list. */
type Side = undefined | { readonly node: number } | { readonly record: number };
type Node = [Side, Side];

/** First address as bits from the top, and how many of them count. */
function bitsOf(network: string, ipVersion: 4 | 6): string {
  const [address = '', length] = network.split('/');
  if (!address.includes(':')) {
    const bits = address.split('.').map((octet) => Number(octet).toString(2).padStart(8, '0'));
    const all = bits.join('').slice(0, Number(length ?? 32));
    return ipVersion === 4 ? all : '0'.repeat(96) + all;
  }
  const [left = '', right] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  const bits = all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'));
  return bits.join('').slice(0, Number(length ?? 128));
}

/** The node at the end of the path, made where there is none. */
function nodeAt(nodes: Node[], path: string): number {
  let at = 0;
  for (const bit of path) {
    const node = nodes[at]!;
    const side = node[Number(bit)];
    if (side !== undefined && 'node' in side) at = side.node;
    else {
      nodes.push([side, side]);
      at = nodes.length - 1;
      node[Number(bit)] = { node: at };
    }
  }
  return at;
}

function place(nodes: Node[], path: string, side: Side): void {
  nodes[nodeAt(nodes, path.slice(0, -1))]![Number(path.at(-1))] = side;
}

/** Types of the data section by number; those above 7 are written as extended. */
const TYPES = {
  string: 2,
  double: 3,
  bytes: 4,
  uint16: 5,
  uint32: 6,
  map: 7,
  uint64: 9,
  array: 11,
  boolean: 14,
} as const;

function control(type: keyof typeof TYPES, size: number): Buffer {
  const number = TYPES[type];
  const bits = number <= 7 ? number << 5 : 0;
  const extended = number <= 7 ? [] : [number - 7];
  if (size < 29) return Buffer.from([bits | size, ...extended]);
  return Buffer.from([bits | 29, ...extended, size - 29]);
}

class Uint {
  constructor(
    readonly type: 'uint16' | 'uint32' | 'uint64',
    readonly value: number,
  ) {}
}

function encode(value: unknown): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([control('string', Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return control('boolean', value ? 1 : 0);
  if (typeof value === 'number') return encode(new Uint('uint32', value));
  if (value instanceof Uint) {
    const hex = value.value.toString(16);
    const bytes =
      value.value === 0 ? Buffer.alloc(0) : Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
    return Buffer.concat([control(value.type, bytes.length), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control('array', value.length), ...value.map(encode)]);
  const entries = Object.entries(value as Record<string, unknown>);
  return Buffer.concat([control('map', entries.length), ...entries.flat().map(encode)]);
}

function nodeBytes(recordSize: 24 | 28 | 32, left: number, right: number): Buffer {
  const out = Buffer.alloc(recordSize / 4);
  if (recordSize === 24) {
    out.writeUIntBE(left, 0, 3);
    out.writeUIntBE(right, 3, 3);
  } else if (recordSize === 28) {
    out.writeUIntBE(left & 0xffffff, 0, 3);
    out[3] = ((left >>> 24) << 4) | (right >>> 24);
    out.writeUIntBE(right & 0xffffff, 4, 3);
  } else {
    out.writeUInt32BE(left, 0);
    out.writeUInt32BE(right, 4);
  }
  return out;
}

export function writeMmdb({ recordSize, ipVersion, networks, aliases = [], padding = 0, built = 1 }: Database): Buffer {
  const nodes: Node[] = [[undefined, undefined]];
  const texts = [...new Set(networks.map(([, record]) => JSON.stringify(record)))];
  for (const [network, record] of networks) {
    place(nodes, bitsOf(network, ipVersion), { record: texts.indexOf(JSON.stringify(record)) });
  }
  for (const alias of aliases) place(nodes, bitsOf(alias, 6), { node: nodeAt(nodes, '0'.repeat(96)) });

  const records = texts.map((text) => encode(JSON.parse(text)));
  const offsets = records.map((_, i) => padding + records.slice(0, i).reduce((sum, each) => sum + each.length, 0));
  const pointerOf = (side: Side): number => {
    if (side === undefined) return nodes.length;
    return 'node' in side ? side.node : nodes.length + 16 + offsets[side.record]!;
  };
  const metadata = {
    binary_format_major_version: new Uint('uint16', 2),
    binary_format_minor_version: new Uint('uint16', 0),
    build_epoch: new Uint('uint64', built),
    database_type: 'Test-Country',
    description: { en: 'made by a test' },
    ip_version: new Uint('uint16', ipVersion),
    languages: ['en'],
    node_count: new Uint('uint32', nodes.length),
    record_size: new Uint('uint16', recordSize),
  };
  return Buffer.concat([
    ...nodes.map(([left, right]) => nodeBytes(recordSize, pointerOf(left), pointerOf(right))),
    Buffer.alloc(16 + padding),
    ...records,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    encode(metadata),
  ]);
}
