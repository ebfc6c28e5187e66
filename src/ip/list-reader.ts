import { EntrySlot, parseEntry, type RejectReason } from './entry.js';
import { EntryCollector } from './entry-collector.js';
import { type Family, IPV4, IPV6 } from './family.js';
import { type IpSet, IpSetBuilder } from './ip-set.js';
import {
  concat,
  hasUtf8Mark,
  isComment,
  lastLineEnd,
  lineEndIn,
  refuseUtf16,
  simpleV4Line,
  simpleV6Line,
  skipBlanks,
} from './lines.js';
import type { ListOptions, ListReport } from './list-report.js';
import { isDigit } from './parse-bytes.js';

/** A line beyond this many bytes is rejected without being kept: no entry is a tenth as long. */
const LONGEST_LINE = 4096;
/** Bare IPv4 lines taken together. */
const BATCH = 4096;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads a line-based list from chunks of bytes into a builder, in constant memory but for the entries.
 *
 * A line is an entry (see parseEntry), optionally a blank and a score, optionally a blank and a comment (`#`, `;`, `//`).
 * LF, CRLF and CR end lines; a UTF-8 byte order mark is skipped. Every other line is rejected and counted.
 */
export class ListReader {
  private readonly taken: EntryCollector;
  private readonly slot = new EntrySlot();
  private readonly batch = new Uint32Array(BATCH);
  /** words of the address of a simple line, and its prefix length in the last place */
  private readonly found = new Uint32Array(5);
  private readonly minScore: number;
  private readonly scored: boolean;
  /** the begun line at the end of the last chunk */
  private carry: Uint8Array = new Uint8Array(0);
  /** inside a line that is already counted as too long */
  private skipping = false;
  private atStart = true;
  private afterCr = false;

  constructor(into: IpSetBuilder, options: ListOptions = {}) {
    this.taken = new EntryCollector(into);
    this.minScore = options.minScore ?? 0;
    this.scored = options.column !== 'none';
  }

  /** Takes the next bytes. The chunk is not kept. @throws BlocklistError `bad-encoding` for UTF-16. */
  push(chunk: Uint8Array): void {
    if (this.atStart) {
      const head = this.carry.length > 0 ? concat(this.carry, chunk) : chunk;
      if (head.length < 3) {
        this.carry = new Uint8Array(head);
        return;
      }
      this.atStart = false;
      this.carry = new Uint8Array(0);
      refuseUtf16(head);
      return this.push(hasUtf8Mark(head) ? head.subarray(3) : head);
    }
    if (chunk.length === 0) return;
    // CR ends a line at once; the LF of CRLF may come with the next chunk.
    let from = this.afterCr && chunk[0] === LF ? 1 : 0;
    this.afterCr = chunk[chunk.length - 1] === CR;
    if (this.skipping) {
      from = lineEndIn(chunk, from);
      if (from < 0) return;
      this.skipping = false;
    }
    if (this.carry.length > 0) {
      const end = lineEndIn(chunk, from);
      if (end < 0) return this.keep(concat(this.carry, chunk.subarray(from)));
      const joined = concat(this.carry, chunk.subarray(from, end));
      this.carry = new Uint8Array(0);
      this.lines(joined, 0, joined.length);
      from = end;
    }
    const end = lastLineEnd(chunk, from);
    this.lines(chunk, from, end);
    if (end < chunk.length) this.keep(chunk.subarray(end));
  }

  /** Takes the last line, and tells what was read. */
  end(): ListReport {
    if (this.atStart) {
      refuseUtf16(this.carry);
      this.atStart = false;
    }
    const rest = concat(this.carry, Uint8Array.of(LF));
    this.carry = new Uint8Array(0);
    if (!this.skipping) this.lines(rest, 0, rest.length);
    return this.taken.report();
  }

  private keep(begun: Uint8Array): void {
    if (begun.length <= LONGEST_LINE) {
      // Not slice(): of a Buffer that is a view, and the caller may reuse it.
      this.carry = new Uint8Array(begun);
      return;
    }
    this.carry = new Uint8Array(0);
    this.skipping = true;
    this.taken.line++;
    this.reject(begun, 0, begun.length, 'line too long');
  }

  /** Reads whole lines: `b[to − 1]` is a line end (or `from === to`). */
  private lines(b: Uint8Array, from: number, to: number): void {
    const { batch, found } = this;
    const plain = this.minScore === 0;
    let filled = 0;
    for (let i = from; i < to; ) {
      // Nearly every line of every feed is an IPv4 address or block alone: no slot, no comment, no copy.
      let behind = plain ? simpleV4Line(b, i, found) : -1;
      if (behind > 0) {
        i = behind;
        if (found[4] === 32) batch[filled++] = found[0]!;
        else this.takeBlock(IPV4);
        if (filled === BATCH) filled = this.takeBatch(filled);
        continue;
      }
      behind = plain ? simpleV6Line(b, i, to, found) : -1;
      if (behind > 0) {
        i = behind;
        this.takeBlock(IPV6);
      } else {
        filled = this.takeBatch(filled);
        this.taken.line++;
        let end = i;
        while (b[end] !== LF && b[end] !== CR) end++;
        this.oneLine(b, i, end);
        i = b[end] === CR && end + 1 < to && b[end + 1] === LF ? end + 2 : end + 1;
      }
    }
    this.takeBatch(filled);
  }

  /** Hands on the bare addresses read so far; returns how many are left in the batch: none. */
  private takeBatch(filled: number): 0 {
    if (filled === 0) return 0;
    this.taken.takeWords(this.batch, filled);
    this.taken.line += filled;
    return 0;
  }

  private oneLine(b: Uint8Array, from: number, end: number): void {
    const { slot } = this;
    if (end - from > LONGEST_LINE) return this.reject(b, from, end, 'line too long');
    const start = skipBlanks(b, from, end);
    if (start === end || isComment(b, start, end)) return;
    const p = parseEntry(b, start, end, slot);
    if (p < 0) return this.reject(b, from, end, slot.reason);
    let score = Number.POSITIVE_INFINITY;
    let q = skipBlanks(b, p, end);
    if (this.scored && q > p && q < end && isDigit(b[q]!)) {
      score = 0;
      const scoreAt = q;
      while (q < end && q - scoreAt < 15 && isDigit(b[q]!)) score = score * 10 + b[q++]! - 48;
      const behind = skipBlanks(b, q, end);
      if (behind === q && q < end) return this.reject(b, from, end, 'text after the address');
      q = behind;
    }
    if (q < end && (q === p || !isComment(b, q, end))) return this.reject(b, from, end, 'text after the address');
    if (score < this.minScore) this.taken.leaveOut();
    else this.taken.takeSlot(slot);
  }

  private takeBlock(family: Family): void {
    this.taken.takeBlock(family, this.found);
    this.taken.line++;
  }

  private reject(b: Uint8Array, from: number, end: number, reason: RejectReason): void {
    this.taken.reject(reason, b.subarray(from, end));
  }
}

/** Reads a whole list at once. See ListReader. */
export function readList(
  list: Uint8Array | string,
  options: ListOptions = {},
): { readonly set: IpSet; readonly report: ListReport } {
  const builder = new IpSetBuilder();
  const reader = new ListReader(builder, options);
  reader.push(typeof list === 'string' ? new TextEncoder().encode(list) : list);
  const report = reader.end();
  return { set: builder.build(), report };
}
