/** Where glibc keeps the fields of a record (utmp(5), bits/utmp.h). Type, pid and the texts are at the same place in both. */
export interface Layout {
  /** bytes of a record */
  readonly size: 384 | 400;
  readonly seconds: number;
  readonly micros: number;
  /** 16 bytes in network order */
  readonly address: number;
  /** from here on all is reserved and zero */
  readonly spare: number;
  /** session, seconds and microseconds have 64 bits each */
  readonly wide: boolean;
}

/** x86 and all others that once had programs of 32 bits; arm64 and its like, which never had. */
export const LAYOUTS: readonly [Layout, Layout] = [
  { size: 384, seconds: 340, micros: 344, address: 348, spare: 364, wide: false },
  { size: 400, seconds: 344, micros: 352, address: 360, spare: 376, wide: true },
];
export const LONGEST = 400;

/** ut_type */
export const UtmpType = {
  empty: 0,
  runLevel: 1,
  boot: 2,
  newTime: 3,
  oldTime: 4,
  init: 5,
  getty: 6,
  user: 7,
  dead: 8,
} as const;

const TYPE = 0;
const PID = 4;
const LINE = 8;
const ID = 40;
const USER = 44;
const HOST = 76;
const HOST_END = 332;
/** 1980: no clock of a machine that writes these was ever right before. */
const EARLIEST_S = 315_532_800;
/** Lines that programs are known to write: terminals, displays, and what stands for one. `|` and `{`: the clock before and after it was set. */
const KNOWN_LINE =
  /^(?:~$|[|{]$|:\d|pts\/\d|lxc\/|tty|3270\/|console|seat\d|web console$|ssh(?::|$)|(?:vs)?ftpd|hvc\d|hvsi\d|xvc\d|sclp)[ -~]*$/;

/** One record as it lies in memory; each text is made when asked for. Good for as long as the memory is not overwritten. */
export class UtmpRecord {
  constructor(
    private readonly bytes: Buffer,
    private readonly at: number,
    private readonly layout: Layout,
  ) {}

  get type(): number {
    return this.bytes[this.at + TYPE]!;
  }

  /** 0: none */
  get pid(): number {
    return this.bytes.readInt32LE(this.at + PID);
  }

  get line(): string {
    return textIn(this.bytes, this.at + LINE, this.at + ID);
  }

  get user(): string {
    return textIn(this.bytes, this.at + USER, this.at + HOST);
  }

  get host(): string {
    return textIn(this.bytes, this.at + HOST, this.at + HOST_END);
  }

  /** Whether the host is this ASCII text, without making one of it. */
  hostIs(text: string): boolean {
    const { bytes } = this;
    const from = this.at + HOST;
    for (let k = 0; k < text.length; k++) if (bytes[from + k] !== text.charCodeAt(k)) return false;
    return from + text.length === this.at + HOST_END || bytes[from + text.length] === 0;
  }

  /** milliseconds since 1970. The seconds are unsigned (glibc 2.40), so that they last until 2106. */
  get time(): number {
    const { bytes, at, layout } = this;
    return secondsAt(bytes, at, layout) * 1000 + Math.floor(bytes.readUInt32LE(at + layout.micros) / 1000);
  }

  /** One of the four words of the address, the first on top. */
  word(index: 0 | 1 | 2 | 3): number {
    return this.bytes.readUInt32BE(this.at + this.layout.address + 4 * index);
  }
}

function secondsAt(bytes: Buffer, at: number, layout: Layout): number {
  return bytes.readUInt32LE(at + layout.seconds);
}

/** Up to the first zero or the end of the field: a full field has none. Plain ASCII, which is what nearly all hold, is made at half the cost. */
export function textIn(bytes: Buffer, from: number, to: number): string {
  let end = from;
  let any = 0;
  for (; end < to && bytes[end] !== 0; end++) any |= bytes[end]!;
  if (end === from) return '';
  return bytes.toString(any < 0x80 ? 'latin1' : 'utf8', from, end);
}

export function isZero(bytes: Buffer, from: number, to: number): boolean {
  let at = from;
  // Eight at a time: this is most of the work on a record.
  for (; at + 8 <= to; at += 8) {
    const first = bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!;
    if ((first | bytes[at + 4]! | bytes[at + 5]! | bytes[at + 6]! | bytes[at + 7]!) !== 0) return false;
  }
  while (at < to && bytes[at] === 0) at++;
  return at === to;
}

/** Nothing but zeros behind the text: programs clear a record before they fill it. */
export function isText(bytes: Buffer, from: number, to: number): boolean {
  let at = from;
  while (at < to && bytes[at] !== 0) at++;
  return isZero(bytes, at, to);
}

function isPrintable(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to && bytes[at] !== 0; at++) if (bytes[at]! < 0x20 || bytes[at]! > 0x7e) return false;
  return true;
}

/** Everything a record must be, whoever wrote it and when. The cheapest comes first: this is asked for every byte of a damaged file. */
function hasForm(bytes: Buffer, at: number, layout: Layout): boolean {
  const type = bytes[at]!;
  if (type === 0 || type > UtmpType.dead) return false;
  if (bytes[at + 1] !== 0 || bytes[at + 2] !== 0 || bytes[at + 3] !== 0) return false;
  if (secondsAt(bytes, at, layout) === 0 || bytes.readUInt32LE(at + layout.micros) >= 1_000_000) return false;
  if (layout.wide && (bytes.readUInt32LE(at + layout.seconds + 4) | bytes.readUInt32LE(at + layout.micros + 4)) !== 0)
    return false;
  return (
    isZero(bytes, at + layout.spare, at + layout.size) &&
    isText(bytes, at + LINE, at + ID) &&
    isText(bytes, at + USER, at + HOST) &&
    isText(bytes, at + HOST, at + HOST_END)
  );
}

/** init(8) of old wrote processes without a terminal, and failures may come from where there is none. */
function mayLackLine(type: number): boolean {
  return type === UtmpType.init || type === UtmpType.getty || type === UtmpType.dead;
}

/** Whether this is a record beyond doubt, so that it can be trusted wherever it stands. */
export function isCertain(bytes: Buffer, at: number, layout: Layout): boolean {
  if (!hasForm(bytes, at, layout) || secondsAt(bytes, at, layout) < EARLIEST_S) return false;
  if (bytes[at + LINE] === 0) return mayLackLine(bytes[at]!);
  return KNOWN_LINE.test(textIn(bytes, at + LINE, at + ID));
}

/** Whether this can be a record: of a program that we do not know, or of a machine that had no idea of the year. */
export function isLikely(bytes: Buffer, at: number, layout: Layout): boolean {
  if (!hasForm(bytes, at, layout)) return false;
  return bytes[at + LINE] === 0 ? mayLackLine(bytes[at]!) : isPrintable(bytes, at + LINE, at + ID);
}
