import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';

/**
 * A small JSON header and columns of 32-bit words in one file, behind a checksum: loads by looking, without parsing. For data that can be made
 * again; a file of another machine or program version is as good as none.
 */
export interface ColumnsFile {
  readonly header: unknown;
  readonly columns: readonly Uint32Array[];
}

const CHECKSUM_BYTES = 4;
const MAGIC = 'blocklist-columns 2';

export function encodeColumns({ header, columns }: ColumnsFile): Buffer {
  const line = JSON.stringify({
    magic: MAGIC,
    endianness: endianness(),
    sizes: columns.map(({ length }) => length),
    header,
  });
  const head = Buffer.from(`${line}\n`);
  // Words must begin at a multiple of four to be looked at in place.
  const padding = Buffer.alloc((4 - (head.length % 4)) % 4, ' ');
  const data = columns.map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength));
  const content = Buffer.concat([padding, head, ...data]);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32(content));
  return Buffer.concat([content, checksum]);
}

/**
 * undefined for anything that encodeColumns did not write here. `own`: the columns are copies; `bytes`: they are parts of the bytes and change with
 * them.
 */
export function decodeColumns(bytes: Buffer, memory: 'own' | 'bytes' = 'own'): ColumnsFile | undefined {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end <= 0) return undefined;
  const content = bytes.subarray(0, end);
  if (crc32(content) !== bytes.readUInt32LE(end)) return undefined;
  const lineEnd = content.indexOf('\n');
  const head = headOfColumns(content.toString('utf8', 0, Math.max(0, lineEnd)));
  if (head === undefined) return undefined;
  const data = content.subarray(lineEnd + 1);
  // A Buffer may begin anywhere in its memory, words may not.
  const words = memory === 'bytes' && data.byteOffset % 4 === 0 ? data : new Uint8Array(data);
  const { sizes, header } = head;
  if (sizes.reduce((total, size) => total + size * 4, 0) !== words.length) return undefined;
  let at = words.byteOffset;
  const columns = sizes.map((size) => {
    const column = new Uint32Array(words.buffer, at, size);
    at += size * 4;
    return column;
  });
  return { header, columns };
}

/** The first line of such a file; undefined for anything else, and for files of another machine or version. */
export function headOfColumns(
  line: string,
): { readonly header: unknown; readonly sizes: readonly number[] } | undefined {
  try {
    const head = JSON.parse(line) as Readonly<Record<string, unknown>> | null;
    if (head?.magic !== MAGIC || head.endianness !== endianness() || !Array.isArray(head.sizes)) return undefined;
    const sizes: readonly unknown[] = head.sizes;
    const isSize = (size: unknown): size is number => Number.isSafeInteger(size) && Number(size) >= 0;
    return sizes.every(isSize) ? { header: head.header, sizes } : undefined;
  } catch {
    return undefined;
  }
}
