import { isCertain, isLikely, isZero, LAYOUTS, type Layout, LONGEST, UtmpRecord } from './utmp-record.js';

/** What a file consists of, in its order and without a hole. Offsets are bytes from its beginning. */
export type Piece =
  | { readonly kind: 'record'; readonly at: number; readonly record: UtmpRecord }
  /** a record of nothing but zeros */
  | { readonly kind: 'zeros'; readonly at: number }
  /** bytes that are no record; `to` is the first one behind them */
  | { readonly kind: 'damage'; readonly at: number; readonly to: number }
  /** the beginning of a record at the end of the file */
  | { readonly kind: 'partial'; readonly at: number; readonly to: number };

/** Records from whose bytes the layout is told. */
const JUDGED = 50;
const HEAD = JUDGED * LONGEST;
const WINDOW = 1 << 18;

/**
 * Finds the records of a file that is given piece by piece, in memory of a fixed size. A byte too many or too few costs one record: behind it
 * the next one is looked for at every byte, and only one beyond doubt is taken.
 */
export class UtmpWalk {
  private readonly memory = Buffer.allocUnsafeSlow(WINDOW);
  /** bytes in use */
  private end = 0;
  /** of the first byte of the memory in the file */
  private base = 0;
  /** next byte of the memory to look at */
  private at = 0;
  private layout: Layout | undefined;
  /** offset in the file of the first byte that is no record, while the next record is looked for */
  private lostSince: number | undefined;
  private isOver = false;

  /** @param unknown throws what is to be said of a file of anything else */
  constructor(private readonly unknown: () => never) {}

  /** Calls `tell` for each piece that is whole by now: a record is valid during the call. */
  take(chunk: Uint8Array, tell: (piece: Piece) => void): void {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + WINDOW - this.end);
      this.memory.set(part, this.end);
      this.end += part.length;
      from += part.length;
      if (this.layout !== undefined || this.end >= HEAD) this.walk(tell);
    }
  }

  /** There is no more. */
  finish(tell: (piece: Piece) => void): void {
    this.isOver = true;
    this.walk(tell);
  }

  private walk(tell: (piece: Piece) => void): void {
    this.layout ??= this.chosen();
    while (this.lostSince === undefined ? this.inStep(tell) : this.lost(tell));
    this.memory.copyWithin(0, this.at, this.end);
    this.base += this.at;
    this.end -= this.at;
    this.at = 0;
  }

  /** The piece at the place where the one before it ended. @returns whether to go on */
  private inStep(tell: (piece: Piece) => void): boolean {
    const { at, base, memory } = this;
    const layout = this.layout!;
    const left = this.end - at;
    // What is behind a record helps to judge it.
    if (left < 2 * layout.size && !this.isOver) return false;
    if (left === 0) return false;
    const next = at + layout.size;
    if (left < layout.size) {
      tell({ kind: 'partial', at: base + at, to: base + this.end });
      this.at = this.end;
      return false;
    }
    if (isRecord(memory, at, this.end, layout))
      tell({ kind: 'record', at: base + at, record: new UtmpRecord(memory, at, layout) });
    else if (isZero(memory, at, next)) tell({ kind: 'zeros', at: base + at });
    else if (next + layout.size <= this.end && isCertain(memory, next, layout)) {
      tell({ kind: 'damage', at: base + at, to: base + next });
    } else {
      this.lostSince = base + at;
      this.at = at + 1;
      return true;
    }
    this.at = next;
    return true;
  }

  /** Looks for the next record at every byte, of either layout. @returns whether to go on */
  private lost(tell: (piece: Piece) => void): boolean {
    const last = this.end - (this.isOver ? LAYOUTS[0].size : LONGEST);
    for (; this.at <= last; this.at++) {
      const layout = layoutAt(this.memory, this.at, this.end);
      if (layout === undefined) continue;
      this.layout = layout;
      this.tellDamage(tell);
      return true;
    }
    if (!this.isOver) return false;
    this.at = this.end;
    this.tellDamage(tell);
    return false;
  }

  private tellDamage(tell: (piece: Piece) => void): void {
    tell({ kind: 'damage', at: this.lostSince!, to: this.base + this.at });
    this.lostSince = undefined;
  }

  /** By the content, as a file may come from another machine. @throws what `unknown` throws where fewer than half of the bytes are records */
  private chosen(): Layout {
    const shares = LAYOUTS.map((layout) => share(this.memory, this.end, layout));
    const [short, long] = shares as [number, number];
    if (Math.max(short, long) < 0.5) this.unknown();
    return LAYOUTS[long > short ? 1 : 0];
  }
}

/** The layout of the record that stands here beyond doubt. */
function layoutAt(bytes: Buffer, at: number, end: number): Layout | undefined {
  const first = bytes[at]!;
  // The type: most bytes of a damaged file are turned down here.
  if (first === 0 || first > 8) return undefined;
  return LAYOUTS.find((layout) => at + layout.size <= end && isCertain(bytes, at, layout));
}

/** Whether what stands in step is a record: one that may be is believed when another follows, or the end. */
function isRecord(bytes: Buffer, at: number, end: number, layout: Layout): boolean {
  if (isCertain(bytes, at, layout)) return true;
  const next = at + layout.size;
  return isLikely(bytes, at, layout) && (next === end || (next + layout.size <= end && isLikely(bytes, next, layout)));
}

/** How much of what is not zero is records, 0…1. 1 where there is nothing to tell from. */
function share(bytes: Buffer, end: number, layout: Layout): number {
  let good = 0;
  let zeros = 0;
  let at = 0;
  while (at + layout.size <= end) {
    const next = at + layout.size;
    if (isRecord(bytes, at, end, layout)) good += layout.size;
    else if (isZero(bytes, at, next)) zeros += layout.size;
    else {
      at += 1;
      continue;
    }
    at = next;
  }
  return end - zeros < layout.size ? 1 : good / (end - zeros);
}
