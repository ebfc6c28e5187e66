/**
 * A second, slow reading of a database in MaxMind's format, from its specification and without the library that the product uses:
 * every network with its record, one path at a time. Knows just what country databases hold.
 */
export interface Network {
  /** `A.B.C.D/LENGTH`, or eight groups and a length */
  readonly text: string;
  readonly record: unknown;
}

const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/** Value at `at`, and the position behind it; pointers count from `base`. */
function decode(bytes: Buffer, base: number, at: number): [value: unknown, next: number] {
  const control = bytes[at]!;
  const type = control >> 5;
  if (type === 1) {
    const size = (control >> 3) & 3;
    const top = control & 7;
    const value = [
      () => top * 0x100 + bytes.readUIntBE(at + 1, 1),
      () => top * 0x10000 + bytes.readUIntBE(at + 1, 2) + 2048,
      () => top * 0x1000000 + bytes.readUIntBE(at + 1, 3) + 526_336,
      () => bytes.readUInt32BE(at + 1),
    ][size]!();
    return [decode(bytes, base, base + value)[0], at + 2 + size];
  }
  const kind = type === 0 ? bytes[at + 1]! + 7 : type;
  let next = at + (type === 0 ? 2 : 1);
  let size = control & 31;
  if (size === 29) size = 29 + bytes[next++]!;
  else if (size > 29) throw new Error('too long for a country');
  if (kind === 2) return [bytes.toString('utf8', next, next + size), next + size];
  if (kind === 5 || kind === 6 || kind === 9)
    return [Number(`0x0${bytes.toString('hex', next, next + size)}`), next + size];
  if (kind === 7) {
    const map: Record<string, unknown> = {};
    for (let i = 0; i < size; i++) {
      const [key, behindKey] = decode(bytes, base, next);
      const [value, behind] = decode(bytes, base, behindKey);
      map[String(key)] = value;
      next = behind;
    }
    return [map, next];
  }
  if (kind === 11) {
    const list: unknown[] = [];
    for (let i = 0; i < size; i++) {
      const [value, behind] = decode(bytes, base, next);
      list.push(value);
      next = behind;
    }
    return [list, next];
  }
  throw new Error(`type ${kind} is not in a country database`);
}

function textOf(path: string, ipVersion: number): string {
  const isV4 = ipVersion === 4 || /^0{96}/.test(path);
  const bits = isV4 && ipVersion === 6 ? path.slice(96) : path;
  const [size, radix, mark] = isV4 ? [8, 10, '.'] : [16, 16, ':'];
  const padded = bits.padEnd(isV4 ? 32 : 128, '0');
  const parts: string[] = [];
  for (let i = 0; i < padded.length; i += size)
    parts.push(Number.parseInt(padded.slice(i, i + size), 2).toString(radix));
  return `${parts.join(mark)}/${bits.length}`;
}

/** Every network whose record `wanted` accepts, in numeric order. Aliases of the IPv4 tree are walked, too. */
export function networksIn(bytes: Buffer, wanted: (record: unknown) => boolean): Network[] {
  const begin = bytes.lastIndexOf(MARKER) + MARKER.length;
  const [metadata] = decode(bytes, begin, begin);
  const { node_count: count, record_size: width, ip_version: ipVersion } = metadata as Record<string, number>;
  const nodeSize = width! / 4;
  const child = (node: number, side: number): number => {
    const at = node * nodeSize;
    if (width === 24) return bytes.readUIntBE(at + 3 * side, 3);
    if (width === 32) return bytes.readUInt32BE(at + 4 * side);
    const nibble = side === 0 ? bytes[at + 3]! >> 4 : bytes[at + 3]! & 15;
    return nibble * 0x1000000 + bytes.readUIntBE(at + 4 * side, 3);
  };
  const base = count! * nodeSize + 16;
  const known = new Map<number, unknown>();
  const found: Network[] = [];
  const path: string[] = [];
  const visit = (node: number): void => {
    if (node === count) return;
    if (node > count!) {
      if (!known.has(node)) known.set(node, decode(bytes, base, base + node - count! - 16)[0]);
      const record = known.get(node);
      if (wanted(record)) found.push({ text: textOf(path.join(''), ipVersion!), record });
      return;
    }
    for (const side of [0, 1]) {
      path.push(String(side));
      visit(child(node, side));
      path.pop();
    }
  };
  visit(0);
  return found;
}
