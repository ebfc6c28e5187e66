import { BlocklistError } from '../errors.js';
import { EntrySlot, parseEntry, type RejectReason } from './entry.js';
import { type IpSet, IpSetBuilder } from './ip-set.js';
import { asciiBytes } from './parse.js';

/** A line beyond this many bytes is rejected without being kept: no entry is a tenth as long. */
const LONGEST_LINE = 4096;
/** Rejected lines shown to the person; the others are only counted. */
const SAMPLES = 5;
const SAMPLE_BYTES = 120;

const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const SLASH = 0x2f;
const DOT = 0x2e;

export interface RejectedLine {
  /** 1-based */
  readonly line: number;
  /** as it stands in the list, cut, NOT escaped: escape before showing */
  readonly text: string;
  readonly reason: RejectReason;
}

/** What became of the lines of one list. */
export interface ListReport {
  /** lines that held an address, a block or a range */
  readonly entries: number;
  /** lines that held something else; comments and blank lines count nowhere */
  readonly rejected: number;
  readonly reasons: Readonly<Partial<Record<RejectReason, number>>>;
  /** the first five rejected lines */
  readonly samples: readonly RejectedLine[];
  /** entries whose host bits were set and were cleared, like `192.0.2.5/24` */
  readonly hostBits: number;
  /** well-formed entries left out because their score was too low */
  readonly belowScore: number;
}

export interface ListOptions {
  /** Lines may carry a number behind the address (`192.0.2.7<TAB>9`); entries below this one are left out. Default 0: all are taken. */
  readonly minScore?: number;
}

/**
 * Reads a line-based list from chunks of bytes into a builder, in constant memory but for the entries.
 *
 * A line is an entry (see parseEntry), optionally a blank and a score, optionally a blank and a comment (`#`, `;`, `//`).
 * LF, CRLF and CR end lines; a UTF-8 byte order mark is skipped. Every other line is rejected and counted.
 */
export class ListReader {
  private entries = 0;
  private rejected = 0;
  private hostBits = 0;
  private belowScore = 0;
  private line = 0;
  private readonly reasons: Partial<Record<RejectReason, number>> = {};
  private readonly samples: RejectedLine[] = [];
  private readonly slot = new EntrySlot();
  private readonly minScore: number;
  /** the begun line at the end of the last chunk */
  private carry: Uint8Array = new Uint8Array(0);
  /** inside a line that is already counted as too long */
  private skipping = false;
  private atStart = true;

  constructor(
    private readonly into: IpSetBuilder,
    options: ListOptions = {},
  ) {
    this.minScore = options.minScore ?? 0;
  }

  /** Takes the next bytes. The chunk is not kept. @throws BlocklistError `bad-encoding` for UTF-16. */
  push(chunk: Uint8Array): void {
    let from = 0;
    if (this.atStart) {
      const head = this.carry.length > 0 ? concat(this.carry, chunk) : chunk;
      if (head.length < 3) {
        this.carry = head.slice();
        return;
      }
      this.atStart = false;
      this.carry = new Uint8Array(0);
      refuseUtf16(head);
      return this.push(hasUtf8Mark(head) ? head.subarray(3) : head);
    }
    if (this.skipping) {
      from = lineEndIn(chunk, 0);
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
    const { entries, rejected, reasons, samples, hostBits, belowScore } = this;
    return { entries, rejected, reasons, samples, hostBits, belowScore };
  }

  private keep(begun: Uint8Array): void {
    if (begun.length <= LONGEST_LINE) {
      this.carry = begun.slice();
      return;
    }
    this.carry = new Uint8Array(0);
    this.skipping = true;
    this.line++;
    this.reject(begun, 0, begun.length, 'line too long');
  }

  /** Reads whole lines: `b[to − 1]` is a line end (or `from === to`). */
  private lines(b: Uint8Array, from: number, to: number): void {
    const nodes = this.into.v4;
    const plain = this.minScore === 0;
    const word = new Uint32Array(1);
    for (let i = from; i < to; ) {
      this.line++;
      // Nearly every line of every feed is a bare IPv4 address: no slot, no comment, no copy.
      const behind = plain ? bareV4Line(b, i, word) : -1;
      if (behind > 0) {
        nodes.addWord(word[0]!);
        this.entries++;
        i = behind;
        continue;
      }
      let end = i;
      while (b[end] !== LF && b[end] !== CR) end++;
      this.oneLine(b, i, end);
      i = b[end] === CR && end + 1 < to && b[end + 1] === LF ? end + 2 : end + 1;
    }
  }

  private oneLine(b: Uint8Array, from: number, end: number): void {
    const { slot } = this;
    const start = skipBlanks(b, from, end);
    if (start === end || isComment(b, start, end)) return;
    if (end - from > LONGEST_LINE) return this.reject(b, from, end, 'line too long');
    const p = parseEntry(b, start, end, slot);
    if (p < 0) return this.reject(b, from, end, slot.reason);
    let score = Number.POSITIVE_INFINITY;
    let q = skipBlanks(b, p, end);
    if (q > p && q < end && isDigit(b[q]!)) {
      score = 0;
      const scoreAt = q;
      while (q < end && q - scoreAt < 15 && isDigit(b[q]!)) score = score * 10 + b[q++]! - 48;
      const behind = skipBlanks(b, q, end);
      if (behind === q && q < end) return this.reject(b, from, end, 'text after the address');
      q = behind;
    }
    if (q < end && (q === p || !isComment(b, q, end))) return this.reject(b, from, end, 'text after the address');
    if (score < this.minScore) {
      this.belowScore++;
      return;
    }
    this.entries++;
    if (slot.hostBits) this.hostBits++;
    this.into.of(slot.family).addRange(slot.lo, 0, slot.hi, 0);
  }

  private reject(b: Uint8Array, from: number, end: number, reason: RejectReason): void {
    this.rejected++;
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
    if (this.samples.length === SAMPLES) return;
    const text = new TextDecoder().decode(b.subarray(from, Math.min(end, from + SAMPLE_BYTES)));
    this.samples.push({ line: this.line, text, reason });
  }
}

/**
 * Reads the line at `b[i]` if it is a strict dotted quad and nothing else (LF or CRLF behind it): returns the position of the next line, or −1.
 * The same rules as parseV4, unrolled, and without bounds checks, for which `b` must hold an LF at or behind `i`.
 */
function bareV4Line(b: Uint8Array, i: number, out: Uint32Array): number {
  let p = i;
  let word = 0;
  for (let octet = 0; ; octet++) {
    let value = b[p]! - 48;
    if (value < 0 || value > 9) return -1;
    let next = b[++p]!;
    if (next >= 48 && next <= 57 && value !== 0) {
      value = value * 10 + next - 48;
      next = b[++p]!;
      if (next >= 48 && next <= 57) {
        value = value * 10 + next - 48;
        next = b[++p]!;
        if (value > 255) return -1;
      }
    }
    word = (word << 8) | value;
    p++;
    if (octet < 3) {
      if (next !== DOT) return -1;
      continue;
    }
    out[0] = word;
    if (next === LF) return p;
    return next === CR && b[p] === LF ? p + 1 : -1;
  }
}

/** Reads a whole list at once. See ListReader. */
export function readList(
  list: Uint8Array | string,
  options: ListOptions = {},
): { readonly set: IpSet; readonly report: ListReport } {
  const builder = new IpSetBuilder();
  const reader = new ListReader(builder, options);
  reader.push(typeof list === 'string' ? asciiBytes(list) : list);
  const report = reader.end();
  return { set: builder.build(), report };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Space, tab, vertical tab, form feed, and the UTF-8 form of the no-break space that web pages leave behind. */
function skipBlanks(b: Uint8Array, from: number, end: number): number {
  let p = from;
  for (; p < end; p++) {
    const byte = b[p]!;
    if (byte === 0x20 || byte === 0x09 || byte === 0x0b || byte === 0x0c) continue;
    if (byte === 0xc2 && p + 1 < end && b[p + 1] === 0xa0) p++;
    else break;
  }
  return p;
}

function isComment(b: Uint8Array, p: number, end: number): boolean {
  const byte = b[p]!;
  return byte === HASH || byte === SEMICOLON || (byte === SLASH && p + 1 < end && b[p + 1] === SLASH);
}

/** Position behind the first line end at or after `from`, or −1. A CR as the last byte may be half of CRLF and does not count. */
function lineEndIn(b: Uint8Array, from: number): number {
  for (let i = from; i < b.length; i++) {
    if (b[i] === LF) return i + 1;
    if (b[i] === CR && i + 1 < b.length) return b[i + 1] === LF ? i + 2 : i + 1;
  }
  return -1;
}

/** Position behind the last line end of the chunk, `from` when it has none. */
function lastLineEnd(b: Uint8Array, from: number): number {
  for (let i = b.length - 1; i >= from; i--) if (b[i] === LF || (b[i] === CR && i + 1 < b.length)) return i + 1;
  return from;
}

function hasUtf8Mark(b: Uint8Array): boolean {
  return b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf;
}

function refuseUtf16(b: Uint8Array): void {
  if (!((b[0] === 0xff && b[1] === 0xfe) || (b[0] === 0xfe && b[1] === 0xff))) return;
  throw new BlocklistError('bad-encoding', 'the list is UTF-16 text, which no feed uses for addresses', {
    hint: 'convert it first: iconv -f utf-16 -t utf-8 LIST',
  });
}
