import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';

/**
 * A small JSON header and columns of 32-bit words in one file, with checksums behind: loads by looking, without parsing. For data that can be made
 * again; a file of another machine or program version is as good as none.
 */
export interface ColumnsFile {
  readonly header: unknown;
  readonly columns: readonly Uint32Array[];
}

export const CHECKSUM_BYTES = 4;
const MAGIC = 'blocklist-columns 3';
/** Each page has its checksum, so that who reads a few words need not read all. A system call costs as much for some pages of memory as for a word. */
export const PAGE_BYTES = 1 << 14;

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
  return Buffer.concat([content, checksumsOf(content)]);
}

/** Of every page, and in the end of these checksums. */
function checksumsOf(content: Buffer): Buffer {
  const pages = Math.ceil(content.length / PAGE_BYTES);
  const checksums = Buffer.alloc((pages + 1) * CHECKSUM_BYTES);
  for (let i = 0; i < pages; i++) {
    const page = content.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES);
    checksums.writeUInt32LE(crc32(page), i * CHECKSUM_BYTES);
  }
  const end = pages * CHECKSUM_BYTES;
  checksums.writeUInt32LE(crc32(checksums.subarray(0, end)), end);
  return checksums;
}

/** Bytes before the checksums in a file of so many. */
export function contentSize(fileSize: number): number {
  const pages = Math.ceil((fileSize - CHECKSUM_BYTES) / (PAGE_BYTES + CHECKSUM_BYTES));
  return fileSize - (pages + 1) * CHECKSUM_BYTES;
}

/**
 * undefined for anything that encodeColumns did not write here. `own`: the columns are copies; `bytes`: they are parts of the bytes and change with
 * them.
 */
export function decodeColumns(bytes: Buffer, memory: 'own' | 'bytes' = 'own'): ColumnsFile | undefined {
  const end = contentSize(bytes.length);
  if (end <= 0) return undefined;
  const content = bytes.subarray(0, end);
  if (!checksumsOf(content).equals(bytes.subarray(end))) return undefined;
  const lineEnd = content.indexOf('\n');
  const head = headOfColumns(content.toString('utf8', 0, Math.max(0, lineEnd)));
  if (head === undefined) return undefined;
  const { sizes, header } = head;
  const data = content.subarray(lineEnd + 1);
  // A Buffer may begin anywhere in its memory, words may not.
  const words = memory === 'bytes' && data.byteOffset % 4 === 0 ? data : new Uint8Array(data);
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
