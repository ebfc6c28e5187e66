import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Writers of archives by the byte, after RFC 1952, the APPNOTE of PKWARE and POSIX.1-1988, so that a test can lie anywhere. */

export interface GzipParts {
  /** FEXTRA */
  readonly extra?: string;
  /** FNAME */
  readonly name?: string;
  /** FCOMMENT */
  readonly comment?: string;
  /** FHCRC */
  readonly headerCrc?: boolean;
  /** FTEXT */
  readonly isText?: boolean;
  /** further bits of the flags */
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly deflated?: Buffer;
}

function word(value: number, bytes: 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 2) buffer.writeUInt16LE(value);
  else buffer.writeUInt32LE(value >>> 0);
  return buffer;
}

export function gzipped(content: string | Buffer, parts: GzipParts = {}): Buffer {
  const data = Buffer.from(content);
  const { extra, name, comment, headerCrc = false, isText = false, flags = 0, method = 8 } = parts;
  const bits = [isText, headerCrc, extra !== undefined, name !== undefined, comment !== undefined];
  const flag = bits.reduce((sum, isSet, bit) => sum | (isSet ? 1 << bit : 0), flags);
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, method, flag, 1, 2, 3, 4, 0, 3]),
    extra === undefined ? Buffer.alloc(0) : Buffer.concat([word(extra.length, 2), Buffer.from(extra, 'latin1')]),
    name === undefined ? Buffer.alloc(0) : Buffer.from(`${name}\0`, 'latin1'),
    comment === undefined ? Buffer.alloc(0) : Buffer.from(`${comment}\0`, 'latin1'),
  ]);
  return Buffer.concat([
    header,
    headerCrc ? word(crc32(header) & 0xffff, 2) : Buffer.alloc(0),
    parts.deflated ?? deflateRawSync(data),
    word(parts.crc ?? crc32(data), 4),
    word(parts.size ?? data.length, 4),
  ]);
}

export interface ZipFile {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** uncompressed, as the directory says */
  readonly size?: number;
  readonly packed?: Buffer;
}

export function zipped(...files: readonly ZipFile[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', method = 8, flags = 0, ...lies } of files) {
    const data = Buffer.from(content);
    const packed = lies.packed ?? (method === 8 ? deflateRawSync(data) : data);
    const facts = Buffer.concat([
      ...[20, flags, method, 0, 0x21].map((value) => word(value, 2)),
      ...[lies.crc ?? crc32(data), packed.length, lies.size ?? data.length].map((value) => word(value, 4)),
      word(Buffer.byteLength(name), 2),
      word(0, 2),
    ]);
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), facts, Buffer.from(name), packed]);
    const rest = Buffer.concat([...[0, 0, 0].map((value) => word(value, 2)), word(0, 4), word(offset, 4)]);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), word(20, 2), facts, rest, Buffer.from(name)]));
    bodies.push(body);
    offset += body.length;
  }
  const list = Buffer.concat(directory);
  const end = [0, 0, files.length, files.length].map((value) => word(value, 2));
  return Buffer.concat([
    ...bodies,
    list,
    Buffer.from('PK\x05\x06'),
    ...end,
    word(list.length, 4),
    word(offset, 4),
    word(0, 2),
  ]);
}

export interface TarFile {
  readonly name: string;
  readonly content?: string | Buffer;
  /** 0 file, 2 symbolic link, 5 folder */
  readonly type?: string;
  /** as the header says */
  readonly size?: number;
  readonly checksum?: number;
}

export function tarred(...files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ name, content = '', type = '0', ...lies }) => {
    const data = Buffer.from(content);
    const header = Buffer.alloc(512);
    const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
    header.write(name, 0, 'latin1');
    header.write(octal(0o644, 7), 100, 'latin1');
    header.write(octal(0, 7) + octal(0, 7), 108, 'latin1');
    header.write(octal(lies.size ?? data.length, 11) + octal(0, 11), 124, 'latin1');
    header.write(`        ${type}`, 148, 'latin1');
    if (type === '2') header.write('elsewhere', 157, 'latin1');
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${octal(lies.checksum ?? sum, 6)} `, 148, 'latin1');
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Deflated zeros, made without holding them: whole mebibytes that end at a byte, one after the other. */
export function deflatedZeros(mebibytes: number): Buffer {
  const one = deflateRawSync(Buffer.alloc(1 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
  // 03 00 is the empty last block.
  return Buffer.concat([...Array<Buffer>(mebibytes).fill(one), Buffer.from([3, 0])]);
}
