import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { BlocklistError } from '../errors.js';
import type { Column } from '../ip/index.js';
import { CHECKSUM_BYTES, contentSize, headOfColumns, PAGE_BYTES } from './columns-file.js';
import { errnoOf, unreadable } from './read.js';

const WORD_BYTES = 4;
const PAGE_WORDS = PAGE_BYTES / WORD_BYTES;
/** Longer than every header. */
const HEAD_PAGES = 4;

/**
 * Single words of a file that encodeColumns wrote, read where they stand: some ten small reads in place of all of it. What was read is kept, so that
 * thousands of questions read each page once. Each method but `close` throws `file-unreadable` where the file is damaged, see `lookingInto`.
 */
export class ColumnsLook {
  readonly header: unknown;
  /** words of each column */
  readonly sizes: readonly number[];
  /** where each column begins, in bytes */
  private readonly offsets: readonly number[];

  private constructor(
    private readonly pages: Pages,
    { header, sizes, end }: Head,
  ) {
    this.header = header;
    this.sizes = sizes;
    let at = end;
    this.offsets = sizes.map((size) => {
      at += size * WORD_BYTES;
      return at - size * WORD_BYTES;
    });
  }

  /**
   * Undefined when there is no such file, or another one, or its header is damaged; the file stays open until `close`.
   * @throws BlocklistError `file-unreadable`
   */
  static open(path: string): ColumnsLook | undefined {
    const pages = Pages.open(path);
    const head = pages && whereSound(() => headOf(pages));
    if (head === undefined) pages?.close();
    return pages && head && new ColumnsLook(pages, head);
  }

  /** A column, of which each word is read when it is asked for. */
  column(i: number): Column {
    const [first, length] = [this.offsets[i]! / WORD_BYTES, this.sizes[i]!];
    return {
      length,
      at: (index) => {
        const word = first + index;
        return this.pages.page(Math.floor(word / PAGE_WORDS))[word % PAGE_WORDS];
      },
    };
  }

  /** Bytes of a column from `from` up to, not including, `to`. */
  bytes(column: number, from: number, to: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(to, this.sizes[column]! * WORD_BYTES) - from));
    for (let done = 0; done < bytes.length; ) {
      const at = this.offsets[column]! + from + done;
      done += bytesOf(this.pages.page(Math.floor(at / PAGE_BYTES))).copy(bytes, done, at % PAGE_BYTES);
    }
    return bytes;
  }

  close(): void {
    this.pages.close();
  }
}

/** What `work` finds in a file, which is open as long. undefined as ColumnsLook.open. @throws BlocklistError `file-unreadable` */
export function lookingInto<T>(path: string, work: (look: ColumnsLook) => T | undefined): T | undefined {
  const look = ColumnsLook.open(path);
  try {
    return look && whereSound(() => work(look));
  } finally {
    look?.close();
  }
}

/** What `work` finds, or undefined when a file that it looks into is damaged where it looks. */
function whereSound<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Damaged) return undefined;
    throw error;
  }
}

/** Of what was kept, that it is not as it was written. */
export class Damaged extends BlocklistError {
  constructor(path: string) {
    super('file-unreadable', 'what is kept of it is damaged', { where: path, hint: 'run: blocklist update' });
  }
}

interface Head {
  readonly header: unknown;
  readonly sizes: readonly number[];
  /** where the first column begins */
  readonly end: number;
}

function headOf(pages: Pages): Head | undefined {
  let first: Buffer = Buffer.alloc(0);
  for (let i = 0; i < HEAD_PAGES && i * PAGE_BYTES < pages.size && !first.includes('\n'); i++) {
    const page = bytesOf(pages.page(i));
    first = i === 0 ? page : Buffer.concat([first, page]);
  }
  const end = first.indexOf('\n') + 1;
  const head = end === 0 ? undefined : headOfColumns(first.toString('utf8', 0, end - 1));
  const words = head?.sizes.reduce((total, size) => total + size, 0) ?? 0;
  // No word lies in two pages.
  const isWhole = end % WORD_BYTES === 0 && pages.size === end + words * WORD_BYTES;
  return head !== undefined && isWhole ? { ...head, end } : undefined;
}

/** The pages of an open file, each compared with its checksum when it is first read. */
class Pages {
  private readonly known = new Map<number, Uint32Array>();
  /** For a hundred files in a row: fresh memory costs more than reading. */
  private static readonly spare: ArrayBufferLike[] = [];

  private constructor(
    private readonly path: string,
    private readonly file: number,
    /** bytes of all pages */
    readonly size: number,
    private readonly checksums: Buffer,
  ) {}

  static open(path: string): Pages | undefined {
    const file = opened(path);
    if (file === undefined) return undefined;
    try {
      const facts = fstatSync(file);
      const size = contentSize(facts.size);
      const isLikely = facts.isFile() && size > 0 && size % WORD_BYTES === 0;
      const checksums = isLikely ? keptChecksums(file, facts.size - size, size) : undefined;
      if (checksums !== undefined) return new Pages(path, file, size, checksums);
    } catch (error) {
      closeSync(file);
      throw unreadable(path, error);
    }
    closeSync(file);
    return undefined;
  }

  page(number: number): Uint32Array {
    const known = this.known.get(number);
    if (known !== undefined) return known;
    const length = Math.min(PAGE_BYTES, this.size - number * PAGE_BYTES);
    const page = new Uint32Array(Pages.spare.pop() ?? new ArrayBuffer(PAGE_BYTES), 0, length / WORD_BYTES);
    const got = this.read(page, length, number * PAGE_BYTES);
    if (got < length || crc32(bytesOf(page)) !== this.checksums.readUInt32LE(number * CHECKSUM_BYTES)) {
      throw new Damaged(this.path);
    }
    this.known.set(number, page);
    return page;
  }

  private read(page: Uint32Array, length: number, at: number): number {
    try {
      return readSync(this.file, page, 0, length, at);
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  close(): void {
    for (const { buffer } of this.known.values()) Pages.spare.push(buffer);
    this.known.clear();
    closeSync(this.file);
  }
}

function bytesOf({ buffer, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer, 0, byteLength);
}

/** The checksums of the pages, where they fit their own. */
function keptChecksums(file: number, length: number, at: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  const got = readSync(file, bytes, 0, length, at);
  const end = length - CHECKSUM_BYTES;
  const checksums = bytes.subarray(0, end);
  return got === length && crc32(checksums) === bytes.readUInt32LE(end) ? checksums : undefined;
}

function opened(path: string): number | undefined {
  try {
    // Without waiting: a pipe in the place of the file must not hold up a question.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw unreadable(path, error);
  }
}
