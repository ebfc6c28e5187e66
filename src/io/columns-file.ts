import { createHash } from 'node:crypto';
import { endianness } from 'node:os';

/**
 * A small JSON header and columns of 32-bit words in one file, behind a checksum: loads by looking, without parsing. For data that can be made
 * again; a file of another machine or program version is as good as none.
 */
export interface ColumnsFile {
  readonly header: unknown;
  readonly columns: readonly Uint32Array[];
}

const DIGEST_BYTES = 32;
const MAGIC = 'blocklist-columns 1';

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
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
}

/** undefined for anything that encodeColumns did not write here. */
export function decodeColumns(bytes: Buffer): ColumnsFile | undefined {
  const end = bytes.length - DIGEST_BYTES;
  if (end < 0) return undefined;
  const content = bytes.subarray(0, end);
  if (!createHash('sha256').update(content).digest().equals(bytes.subarray(end))) return undefined;
  const lineEnd = content.indexOf('\n');
  const head = JSON.parse(content.toString('utf8', 0, lineEnd)) as Readonly<Record<string, unknown>>;
  if (head.magic !== MAGIC || head.endianness !== endianness()) return undefined;
  // A Buffer may begin anywhere in its memory.
  const words = new Uint8Array(content.subarray(lineEnd + 1));
  const columns: Uint32Array[] = [];
  let at = 0;
  for (const size of head.sizes as number[]) {
    columns.push(new Uint32Array(words.buffer, at, size));
    at += size * 4;
  }
  return { header: head.header, columns };
}
