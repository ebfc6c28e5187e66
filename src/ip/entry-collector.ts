import { EntrySlot, hostBitsOf, parseEntry, type RejectReason } from './entry.js';
import { type Family, IPV4 } from './family.js';
import type { IpSetBuilder } from './ip-set.js';
import type { ListReport, RejectedLine } from './list-report.js';
import { maskHostBits } from './words.js';

/** Rejected lines shown to the person; the others are only counted. */
const SAMPLES = 5;
const SAMPLE_BYTES = 120;
/** No entry is half as long. */
const LONGEST_ENTRY = 128;

/** Takes the entries of one list into a builder and keeps the account: what was taken, refused, left out. */
export class EntryCollector {
  /** 1-based number of the line or record that is read now */
  line = 0;
  /** how many entries the list itself says it holds, where it says so */
  records: number | undefined;
  private entries = 0;
  private rejected = 0;
  private hostBits = 0;
  private leftOut = 0;
  private readonly widest = { v4: -1, v6: -1 };
  private readonly reasons: Partial<Record<RejectReason, number>> = {};
  private readonly samples: RejectedLine[] = [];
  private readonly slot = new EntrySlot();
  private readonly bytes = new Uint8Array(LONGEST_ENTRY);

  constructor(readonly into: IpSetBuilder) {}

  /** The first `count` words are bare IPv4 addresses, one a line. */
  takeWords(words: Uint32Array, count: number): void {
    this.into.v4.addWords(words, count);
    if (this.widest.v4 < 0) this.widest.v4 = 0;
    this.entries += count;
  }

  /** The block whose address stands in `found` and whose length in `found[4]`. */
  takeBlock(family: Family, found: Uint32Array): void {
    const length = found[4]!;
    this.into.of(family).addBlock(found, 0, length);
    if (maskHostBits(found, 0, family.words, length)) this.hostBits++;
    this.widen(family, family.bits - length);
    this.entries++;
  }

  /** What parseEntry read. */
  takeSlot(slot: EntrySlot): void {
    this.entries++;
    if (slot.hostBits) this.hostBits++;
    this.widen(slot.family, hostBitsOf(slot));
    const into = this.into.of(slot.family);
    if (slot.length >= 0) into.addBlock(slot.lo, 0, slot.length);
    else into.addRange(slot.lo, 0, slot.hi, 0);
  }

  /** An entry as text, in every form that parseEntry knows; anything else is a reject, shown as `line`. */
  takeText(text: string, line = text): void {
    const { slot, bytes } = this;
    const size = text.length;
    if (size > LONGEST_ENTRY) return this.reject('not an address', line);
    // Beyond ASCII becomes NUL, which no entry holds.
    for (let i = 0; i < size; i++) bytes[i] = text.charCodeAt(i) > 127 ? 0 : text.charCodeAt(i);
    const p = parseEntry(bytes, 0, size, slot);
    if (p < 0) return this.reject(slot.reason, line);
    if (p < size) return this.reject('text after the address', line);
    this.takeSlot(slot);
  }

  /** The IPv4 range from `first` to `last`, both inclusive and below 2^32; `last` below `first` is a reject. */
  takeRange(first: number, last: number, line: string): void {
    const { slot } = this;
    if (last < first) return this.reject('range runs backwards', line);
    slot.family = IPV4;
    slot.hostBits = false;
    slot.lo[0] = first;
    slot.hi[0] = last;
    slot.length = -1;
    this.takeSlot(slot);
  }

  /** A well-formed entry that a filter leaves out. */
  leaveOut(): void {
    this.leftOut++;
  }

  reject(reason: RejectReason, text: Uint8Array | string): void {
    this.rejected++;
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
    if (this.samples.length === SAMPLES) return;
    const shown = typeof text === 'string' ? text.slice(0, SAMPLE_BYTES) : decoded(text.subarray(0, SAMPLE_BYTES));
    this.samples.push({ line: this.line, text: shown, reason });
  }

  report(): ListReport {
    const { entries, rejected, reasons, samples, hostBits, widest, leftOut, records } = this;
    const counted = { entries, rejected, reasons, samples, hostBits, widest, leftOut };
    return records === undefined ? counted : { ...counted, records };
  }

  private widen({ version }: Family, hostBits: number): void {
    if (version === 4) this.widest.v4 = Math.max(this.widest.v4, hostBits);
    else this.widest.v6 = Math.max(this.widest.v6, hostBits);
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
