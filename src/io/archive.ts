import { constants, crc32, inflateRawSync } from 'node:zlib';
import { BlocklistError } from '../errors.js';
import { listTooLarge } from './read.js';

/** How a packed body is to be opened. */
export interface OpenOptions {
  /** cap on what comes out at each step, in bytes */
  readonly cap: number;
  /** path, or last part of the path, of the wanted file in an archive; not needed when there is one file */
  readonly member?: string;
  /** for messages: address or path of the body */
  readonly where: string;
}

export interface Opened {
  readonly bytes: Buffer;
  /** bytes behind the end of the packed data, which belong to nothing: servers glue error texts there */
  readonly trailing: number;
}

const GZIP = [0x1f, 0x8b];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const USTAR_AT = 257;
const MOST_LAYERS = 3;
/** bgzip makes one of each 64 KiB; millions of empty ones would take minutes. */
const MOST_GZIP_MEMBERS = 100_000;

/**
 * The list inside a body: through gzip (twice packed, too), a zip or a tar, told by their magic bytes, since names and Content-Type lie.
 * @throws BlocklistError `too-large`, `bad-gzip`, `bad-archive`.
 */
export async function openBody(body: Buffer, options: OpenOptions): Promise<Opened> {
  let bytes = body;
  let trailing = 0;
  for (let layer = 0; layer < MOST_LAYERS; layer++) {
    if (startsWith(bytes, GZIP)) {
      const inner = gunzip(bytes, options);
      bytes = inner.bytes;
      trailing += inner.trailing;
    } else if (startsWith(bytes, ZIP)) bytes = await zipMember(bytes, options);
    else if (isTar(bytes)) bytes = await tarMember(bytes, options);
    else break;
  }
  if (bytes.length > options.cap) throw listTooLarge(options.cap, options.where);
  return { bytes, trailing };
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function isTar(bytes: Buffer): boolean {
  return bytes.toString('latin1', USTAR_AT, USTAR_AT + 5) === 'ustar';
}

/** All members of a gzip file (RFC 1952 section 2.2), each with its checksum and length checked. */
function gunzip(body: Buffer, { cap, where }: OpenOptions): Opened {
  const parts: Buffer[] = [];
  let size = 0;
  let at = 0;
  do {
    const from = at + headerSize(body.subarray(at), where);
    const { buffer, engine } = inflated(body.subarray(from), cap - size, where, cap);
    const end = from + engine.bytesWritten;
    if (end + 8 > body.length || parts.length >= MOST_GZIP_MEMBERS) throw damaged(where);
    const isWhole = body.readUInt32LE(end) === crc32(buffer) && body.readUInt32LE(end + 4) === buffer.length % 2 ** 32;
    if (!isWhole) throw damaged(where);
    parts.push(buffer);
    size += buffer.length;
    at = end + 8;
  } while (startsWith(body.subarray(at), GZIP));
  const rest = body.subarray(at);
  return { bytes: Buffer.concat(parts), trailing: rest.every((byte) => byte === 0) ? 0 : rest.length };
}

/** Bytes of the header in front of the deflated data: RFC 1952 section 2.3. */
function headerSize(member: Buffer, where: string): number {
  const flags = member[3] ?? 0;
  let size = 10;
  if (flags & 4) size += 2 + (member.length >= 12 ? member.readUInt16LE(10) : 0);
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const end = member.indexOf(0, size);
    if (end < 0) throw damaged(where);
    size = end + 1;
  }
  if (flags & 2) size += 2;
  if (member[2] !== 8 || (flags & 0xe0) !== 0 || size > member.length) throw damaged(where);
  return size;
}

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function inflated(deflated: Buffer, room: number, where: string, cap: number): Inflated {
  try {
    // `info` gives the number of bytes that belonged to the data; the types do not know it.
    const options = { info: true, maxOutputLength: Math.max(1, room), finishFlush: constants.Z_FINISH };
    return inflateRawSync(deflated, options) as unknown as Inflated;
  } catch (cause) {
    if (cause instanceof RangeError) throw listTooLarge(cap, where);
    throw damaged(where, cause);
  }
}

async function zipMember(body: Buffer, options: OpenOptions): Promise<Buffer> {
  const { fromBufferPromise } = await import('yauzl');
  try {
    const zip = await fromBufferPromise(body, { lazyEntries: true });
    const files = [];
    for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) files.push(entry);
    const entry = chosen(files, ({ fileName }) => fileName, options);
    if (entry.uncompressedSize > options.cap) throw listTooLarge(options.cap, options.where);
    const parts: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) parts.push(chunk as Buffer);
    const bytes = Buffer.concat(parts);
    if (crc32(bytes) !== entry.crc32) throw new Error('wrong checksum');
    return bytes;
  } catch (cause) {
    throw badArchive('zip', options.where, cause);
  }
}

async function tarMember(body: Buffer, options: OpenOptions): Promise<Buffer> {
  const { unpackTar } = await import('modern-tar');
  try {
    const entries = await unpackTar(body, { strict: true, filter: ({ type }) => type === 'file' });
    const { data } = chosen(entries, ({ header }) => header.name, options);
    return Buffer.from(data ?? []);
  } catch (cause) {
    throw badArchive('tar', options.where, cause);
  }
}

/** The file that is meant. @throws BlocklistError `bad-archive` when it is not there or not the only one. */
function chosen<File>(files: readonly File[], nameOf: (file: File) => string, { member, where }: OpenOptions): File {
  const names = files.map(nameOf);
  const named = files.filter((_, i) => names[i] === member);
  const fits =
    named.length > 0 ? named : files.filter((_, i) => member === undefined || names[i]?.endsWith(`/${member}`));
  const [only] = fits;
  if (fits.length === 1 && only !== undefined) return only;
  const [list, more] = [names.slice(0, 5).join(', ').slice(0, 200), names.length > 5 ? ', …' : ''];
  const what = member === undefined ? 'no single file' : `no single file '${member}'`;
  throw new BlocklistError('bad-archive', `the archive holds ${what}, but ${names.length}: ${list}${more}`, {
    where,
    hint: 'name the one that is meant with member',
  });
}

function damaged(where: string, cause?: unknown): BlocklistError {
  return new BlocklistError('bad-gzip', 'the gzip data is damaged or cut off', {
    where,
    hint: 'fetch the file again',
    cause,
  });
}

function badArchive(kind: 'zip' | 'tar', where: string, cause: unknown): BlocklistError {
  if (cause instanceof BlocklistError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new BlocklistError('bad-archive', `the ${kind} archive is damaged: ${detail}`, {
    where,
    hint: 'fetch the file again',
    cause,
  });
}
