import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { headOfColumns } from './columns-file.js';
import { errnoOf, unreadable } from './read.js';

const WORD_BYTES = 4;
/** What is read at once: a system call costs as much for a page as for a word. */
const PAGE_BYTES = 1 << 12;
/** Longer than every header. */
const HEAD_BYTES = 1 << 16;

/**
 * Single words of a file that encodeColumns wrote, read where they stand: some ten small reads in place of all of it. What was read is kept, so that
 * thousands of questions read each page once. The checksum is not looked at, so this is for answers that nothing depends on.
 */
export class ColumnsLook {
  private readonly pages = new Map<number, Uint32Array>();

  private constructor(
    private readonly file: number,
    readonly header: unknown,
    /** words of each column */
    readonly sizes: readonly number[],
    /** where each column begins, in bytes */
    private readonly offsets: readonly number[],
  ) {}

  /**
   * Undefined when there is no such file, or another one; the file stays open until `close`.
   * @throws BlocklistError `file-unreadable`
   */
  static open(path: string): ColumnsLook | undefined {
    const file = opened(path);
    const facts = file === undefined ? undefined : fstatSync(file);
    if (file === undefined || facts === undefined) return undefined;
    const look = facts.isFile() ? ColumnsLook.of(file, facts.size) : undefined;
    if (look === undefined) closeSync(file);
    return look;
  }

  private static of(file: number, fileSize: number): ColumnsLook | undefined {
    const bytes = Buffer.alloc(HEAD_BYTES);
    const end = bytes.subarray(0, readSync(file, bytes, 0, HEAD_BYTES, 0)).indexOf('\n');
    const head = end < 0 ? undefined : headOfColumns(bytes.toString('utf8', 0, end));
    if (head === undefined) return undefined;
    const offsets: number[] = [];
    let at = end + 1;
    for (const size of head.sizes) {
      offsets.push(at);
      at += size * WORD_BYTES;
    }
    // Behind the columns stands the checksum, a word. No word lies in two pages.
    return fileSize === at + WORD_BYTES && at % WORD_BYTES === 0
      ? new ColumnsLook(file, head.header, head.sizes, offsets)
      : undefined;
  }

  /** A word of a column; zero beyond the end of the file. */
  word(column: number, index: number): number {
    const at = this.offsets[column]! + index * WORD_BYTES;
    return this.page(Math.floor(at / PAGE_BYTES))[(at % PAGE_BYTES) / WORD_BYTES]!;
  }

  private page(number: number): Uint32Array {
    const known = this.pages.get(number);
    if (known !== undefined) return known;
    const page = new Uint32Array(PAGE_BYTES / WORD_BYTES);
    readSync(this.file, page, 0, PAGE_BYTES, number * PAGE_BYTES);
    this.pages.set(number, page);
    return page;
  }

  /** Bytes of a column from `from` up to, not including, `to`. */
  bytes(column: number, from: number, to: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(to, this.sizes[column]! * WORD_BYTES) - from));
    if (bytes.length > 0) readSync(this.file, bytes, 0, bytes.length, this.offsets[column]! + from);
    return bytes;
  }

  close(): void {
    closeSync(this.file);
  }
}

function opened(path: string): number | undefined {
  try {
    // Without waiting: a pipe in the place of the file must not hold up a question.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw unreadable(path, error);
  }
}
