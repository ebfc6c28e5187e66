const NEWLINE = 0x0a;
const SIZE = 1 << 24;
/** What stays behind the line that is read, to look back from it. */
const KEPT = 1 << 22;
/** A line without end is given up here. */
const LONGEST = 1 << 20;
const DECODED = 1 << 16;

/** A line by its place in the window. */
export interface Span {
  readonly from: number;
  /** its end, without the line end */
  readonly to: number;
}

/** The last bytes of a log that is read from its start, in constant memory. */
export class LogWindow {
  private readonly bytes = Buffer.allocUnsafeSlow(SIZE);
  private size = 0;
  /** the whole lines up to here were handed out */
  private done = 0;
  /** where in the file the first byte of the window stands */
  private start = 0;
  /** inside a line that was given up */
  private isSkipping = false;

  /** Takes the next bytes of the file: at most 1 MiB of them. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    if (this.isSkipping) {
      const end = chunk.indexOf(NEWLINE);
      this.isSkipping = end < 0;
      this.start += end < 0 ? chunk.length : end + 1;
      rest = end < 0 ? chunk.subarray(chunk.length) : chunk.subarray(end + 1);
    }
    if (this.size + rest.length > SIZE) this.forget();
    this.bytes.set(rest, this.size);
    this.size += rest.length;
  }

  private forget(): void {
    const from = Math.max(0, this.done - KEPT);
    this.bytes.copyWithin(0, from, this.size);
    this.start += from;
    this.size -= from;
    this.done -= from;
  }

  /** The whole lines that came since the last call, each needle that stands in one, in their order; a line once. */
  *lines(needles: readonly Buffer[]): Generator<Span> {
    const end = this.size === 0 ? 0 : this.bytes.lastIndexOf(NEWLINE, this.size - 1) + 1;
    if (end > this.done) {
      const hits = hitsOf(this.bytes.subarray(this.done, end), needles);
      let from = this.done;
      for (const hit of hits) {
        const at = this.done + hit;
        if (at < from) continue;
        const to = this.bytes.indexOf(NEWLINE, at);
        yield { from: this.startOfLine(at), to };
        from = to + 1;
      }
      this.done = end;
    }
    if (this.size - this.done > LONGEST) {
      this.start += this.size;
      this.size = 0;
      this.done = 0;
      this.isSkipping = true;
    }
  }

  /** Begin of the line in which the byte at `at` stands. */
  startOfLine(at: number): number {
    return at === 0 ? 0 : this.bytes.lastIndexOf(NEWLINE, at - 1) + 1;
  }

  /** As text, cut at 64 KiB; what is no UTF-8 becomes U+FFFD. */
  text({ from, to }: Span): string {
    const end = to > from && this.bytes[to - 1] === 0x0d ? to - 1 : to;
    return this.bytes.toString('utf8', from, Math.min(end, from + DECODED));
  }

  /** Where in the file the line stands. */
  offset({ from }: Span): number {
    return this.start + from;
  }

  /** The lines from `first` up to `last` that hold this text, the youngest first. */
  *back(text: Buffer, first: number, last: Span): Generator<Span> {
    for (let before = last.from; before > first; ) {
      const hit = this.bytes.subarray(0, before).lastIndexOf(text);
      if (hit < first) return;
      const from = this.startOfLine(hit);
      yield { from, to: this.bytes.indexOf(NEWLINE, hit) };
      before = from;
    }
  }

  /** The line in the middle between two places, for a search by time. */
  lineAt(at: number): Span {
    const from = this.startOfLine(at);
    return { from, to: this.bytes.indexOf(NEWLINE, at) };
  }
}

/** Where the needles stand, ascending. */
function hitsOf(bytes: Buffer, needles: readonly Buffer[]): number[] {
  const hits: number[] = [];
  for (const needle of needles) {
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + needle.length)) hits.push(at);
  }
  return hits.sort((a, b) => a - b);
}
