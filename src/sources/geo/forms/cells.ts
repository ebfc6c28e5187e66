const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const HASH = 0x23;
const SPACE = 0x20;
/** No database has as many columns. */
const MOST_CELLS = 64;

/**
 * The cells of lines (RFC 4180, without line ends inside quotes) as places in the bytes: text is made only of the few that are wanted as text,
 * since a database has half a million lines. Blank lines and lines that begin with # are passed over; so is a byte order mark.
 */
export class CellReader {
  /** 1-based number of the line that is read now */
  line = 0;
  /** cells of this line */
  count = 0;
  /** a quote that does not end, something behind one, or too many cells */
  isBroken = false;
  readonly starts: Int32Array = new Int32Array(MOST_CELLS);
  readonly ends: Int32Array = new Int32Array(MOST_CELLS);
  private from = 0;
  private next: number;

  constructor(
    readonly bytes: Buffer,
    private readonly separator: number,
  ) {
    this.next = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  }

  /** Goes to the next line; false behind the last one. */
  advance(): boolean {
    const { bytes } = this;
    while (this.next < bytes.length) {
      this.from = this.next;
      const found = bytes.indexOf(LF, this.from);
      const end = found < 0 ? bytes.length : found;
      this.next = end + 1;
      this.line++;
      const last = end > this.from && bytes[end - 1] === CR ? end - 1 : end;
      if (last === this.from || bytes[this.from] === HASH) continue;
      this.split(this.from, last);
      return true;
    }
    return false;
  }

  /** One cell as text, without its quotes; empty when the line has no such cell. */
  text(i: number): string {
    if (i < 0 || i >= this.count) return '';
    const text = this.bytes.toString('utf8', this.starts[i], this.ends[i]);
    return text.includes('""') ? text.replaceAll('""', '"') : text;
  }

  /** The begin of the line, for messages. */
  shown(): string {
    return this.bytes.toString('utf8', this.from, Math.min(this.next, this.from + 120)).trimEnd();
  }

  private split(from: number, end: number): void {
    const { bytes, separator } = this;
    this.count = 0;
    this.isBroken = false;
    for (let p = from; ; p++) {
      if (this.count === MOST_CELLS) break;
      while (p < end && bytes[p] === SPACE) p++;
      if (bytes[p] === QUOTE && p < end) p = this.quoted(p + 1, end);
      else p = this.bare(p, end);
      if (p < 0 || p >= end) {
        this.isBroken = p < 0;
        return;
      }
      if (bytes[p] !== separator) break;
    }
    this.isBroken = true;
  }

  /** Position behind a cell without quotes. */
  private bare(from: number, end: number): number {
    let p = from;
    while (p < end && this.bytes[p] !== this.separator) p++;
    let last = p;
    while (last > from && this.bytes[last - 1] === SPACE) last--;
    this.put(from, last);
    return p;
  }

  /** Position behind a cell whose quote opened before `from`, or −1 when it does not close. */
  private quoted(from: number, end: number): number {
    let p = from;
    for (; p < end; p++) {
      if (this.bytes[p] !== QUOTE) continue;
      if (p + 1 < end && this.bytes[p + 1] === QUOTE) p++;
      else break;
    }
    if (p >= end) return -1;
    this.put(from, p++);
    while (p < end && this.bytes[p] === SPACE) p++;
    return p;
  }

  private put(start: number, end: number): void {
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}
