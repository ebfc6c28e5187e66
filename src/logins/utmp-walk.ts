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
/** Bytes from which a record is judged: it may be another one, of which the one behind it has to tell. */
const AHEAD = 4 * LONGEST;

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
  /** offset in the file of what was found to be like a record */
  private likely = -1;
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
    const { at, base, memory, end } = this;
    const layout = this.layout!;
    const left = end - at;
    if (left === 0 || (left < AHEAD && !this.isOver)) return false;
    const next = at + layout.size;
    if (next > end) {
      tell({ kind: 'partial', at: base + at, to: base + end });
      this.at = end;
      return false;
    }
    if (this.isNext(at, layout)) {
      tell({ kind: 'record', at: base + at, record: new UtmpRecord(memory, at, layout) });
    } else if (isZero(memory, at, next)) {
      tell({ kind: 'zeros', at: base + at });
    } else if (next + layout.size <= end && isCertain(memory, next, layout) && this.stands(next, layout)) {
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
    const last = this.end - (this.isOver ? LAYOUTS[0].size : AHEAD);
    for (; this.at <= last; this.at++) {
      const layout = layoutAt(this.memory, this.at, this.end);
      if (layout === undefined || !this.stands(this.at, layout)) continue;
      this.layout = layout;
      this.tellDamage(tell);
      return true;
    }
    if (!this.isOver) return false;
    this.at = this.end;
    this.tellDamage(tell);
    return false;
  }

  /** Whether what stands in step is a record. Each is looked at once: the next one vouches for it, and need not be looked at again. */
  private isNext(at: number, layout: Layout): boolean {
    const { memory, end, base } = this;
    if (this.likely !== base + at && !isLikely(memory, at, layout)) return false;
    const next = at + layout.size;
    if (next + layout.size <= end && isLikely(memory, next, layout)) {
      this.likely = base + next;
      return true;
    }
    return isRecord(memory, at, end, layout) && this.stands(at, layout);
  }

  /**
   * Whether a record, as it seems, is not the front of one and the back of another with bytes missing between: then what follows is none, and
   * within its bytes a better one begins. Such a record may have four letters of a terminal for its time.
   */
  private stands(at: number, layout: Layout): boolean {
    const { memory, end } = this;
    if (isFollowed(memory, at + layout.size, end, layout)) return true;
    for (let inner = at + 1; inner < at + layout.size; inner++) {
      const found = layoutAt(memory, inner, end);
      if (found !== undefined && isFollowed(memory, inner + found.size, end, found)) return false;
    }
    return true;
  }

  private tellDamage(tell: (piece: Piece) => void): void {
    tell({ kind: 'damage', at: this.lostSince!, to: this.base + this.at });
    this.lostSince = undefined;
  }

  /** By the content, as a file may come from another machine. @throws what `unknown` throws where fewer than half of the bytes are records */
  private chosen(): Layout {
    const shares = LAYOUTS.map((layout) => share(this.memory, Math.min(this.end, HEAD), layout));
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

/** Whether a record stands here, or the end of the file. */
function isFollowed(bytes: Buffer, at: number, end: number, layout: Layout): boolean {
  if (at + layout.size > end) return at === end;
  return isLikely(bytes, at, layout) || isZero(bytes, at, at + layout.size);
}

/** How much of what is not zero is records, 0…1. 1 where there is nothing to tell from. */
function share(bytes: Buffer, end: number, layout: Layout): number {
  let good = 0;
  let zeros = 0;
  let isInStep = true;
  for (let at = 0; at + layout.size <= end; at += isInStep ? layout.size : 1) {
    const isGood = isRecord(bytes, at, end, layout);
    const isEmpty: boolean = isInStep && !isGood && isZero(bytes, at, at + layout.size);
    if (isGood) good += layout.size;
    if (isEmpty) zeros += layout.size;
    isInStep = isGood || isEmpty;
  }
  return end - zeros < layout.size ? 1 : good / (end - zeros);
}
