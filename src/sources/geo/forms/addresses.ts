import { EntrySlot, type Family, IPV4, IPV6, parseEntry } from '../../../ip/index.js';

const ZERO = 0x30;
const NINE = 0x39;
/** 2^128 − 1 has 39 digits. */
const MOST_DIGITS = 39;
const LAST_V4 = 0xffffffff;
const LAST_V6 = (1n << 128n) - 1n;

/** Reads addresses as databases write them: as text, as a block, or as one decimal number. */
export class AddressReader {
  private readonly slot = new EntrySlot();
  family: Family = IPV4;
  readonly lo: Uint32Array = new Uint32Array(4);
  readonly hi: Uint32Array = new Uint32Array(4);
  isBlock = false;

  constructor(private readonly bytes: Buffer) {}

  /** Reads the bytes from `start` to `end` into `family`, `lo` and `hi`; false when they are no address, block or number. */
  read(start: number, end: number): boolean {
    const { bytes, slot } = this;
    if (end > start && end - start <= MOST_DIGITS && this.isNumber(start, end)) return this.number(start, end);
    if (parseEntry(bytes, start, end, slot) !== end || end === start || slot.length < 0) return false;
    this.family = slot.family;
    this.isBlock = slot.length < slot.family.bits;
    this.lo.set(slot.lo);
    this.hi.set(slot.hi);
    return true;
  }

  private isNumber(start: number, end: number): boolean {
    for (let p = start; p < end; p++) if (this.bytes[p]! < ZERO || this.bytes[p]! > NINE) return false;
    return true;
  }

  /**
   * A number below 2^32 is an IPv4 address: no network of IPv6 begins there. One of ::ffff:0:0/96 is one, too, as in text (RFC 4291 section 2.5.5.2):
   * IP2Location writes all of IPv4 so into its file for IPv6.
   */
  private number(start: number, end: number): boolean {
    this.isBlock = false;
    const text = this.bytes.toString('latin1', start, end);
    if (end - start <= 15 && Number(text) <= LAST_V4) {
      this.family = IPV4;
      this.lo[0] = this.hi[0] = Number(text);
      return true;
    }
    let rest = BigInt(text);
    if (rest > LAST_V6) return false;
    this.family = IPV6;
    for (let k = 3; k >= 0; k--, rest >>= 32n) this.lo[k] = this.hi[k] = Number(rest & 0xffffffffn);
    if (this.lo[0] === 0 && this.lo[1] === 0 && this.lo[2] === 0xffff) {
      this.family = IPV4;
      this.lo[0] = this.hi[0] = this.lo[3]!;
    }
    return true;
  }
}
