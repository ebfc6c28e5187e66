/**
 * Strict address parsing from ASCII bytes, without a string per line. Nothing here guesses: a number with a
 * leading zero (octal for some programs, decimal for others), a short form and an integer are all refused.
 */

const DOT = 0x2e;
const COLON = 0x3a;

/**
 * Reads a dotted quad (RFC 6943 section 3.1.1 "strict") at `b[i]` into `out[o]`. Returns the position behind the last digit, or −1.
 * The caller decides whether what follows may follow.
 */
export function parseV4(b: Uint8Array, i: number, end: number, out: Uint32Array, o: number): number {
  let p = i;
  let word = 0;
  for (let octet = 0; octet < 4; octet++) {
    if (octet > 0) {
      if (p >= end || b[p] !== DOT) return -1;
      p++;
    }
    if (p >= end) return -1;
    let value = b[p]! - 48;
    if (value < 0 || value > 9) return -1;
    p++;
    if (value !== 0) {
      for (let digits = 1; digits < 3 && p < end; digits++) {
        const digit = b[p]! - 48;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
        p++;
      }
    }
    if (value > 255) return -1;
    word = word * 256 + value;
  }
  if (p < end && isDigit(b[p]!)) return -1;
  out[o] = word;
  return p;
}

/** Whether an ASCII byte is `0` to `9`. */
export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Value of each byte as a hexadecimal digit, −1 where it is none. */
const HEX: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
});

/**
 * Reads an IPv6 address (RFC 4291 section 2.2, all three forms, either case) at `b[i]` into the four words at `out[o]`. Returns
 * the position behind it, or −1. A zone (`%eth0`) is not part of an address and is left for the caller to refuse.
 */
export function parseV6(b: Uint8Array, i: number, end: number, out: Uint32Array, o: number): number {
  out[o] = out[o + 1] = out[o + 2] = out[o + 3] = 0;
  let p = i;
  let count = 0;
  let gapAt = -1;
  /** the first half of the word that is being filled */
  let half = 0;
  if (p + 1 < end && b[p] === COLON && b[p + 1] === COLON) {
    gapAt = 0;
    p += 2;
  }
  while (p < end && count < 8) {
    const start = p;
    let value = 0;
    while (p < end && p - start < 4) {
      const digit = HEX[b[p]!]!;
      if (digit < 0) break;
      value = value * 16 + digit;
      p++;
    }
    if (p === start) {
      // Nothing may follow `::`, but a single colon must be followed by a hextet.
      if (gapAt === count) break;
      return -1;
    }
    if (p < end && HEX[b[p]!]! >= 0) return -1;
    if (p < end && b[p] === DOT) {
      if (count > 6) return -1;
      const tail = new Uint32Array(1);
      p = parseV4(b, start, end, tail, 0);
      if (p < 0) return -1;
      setHextet(out, o, count++, tail[0]! >>> 16);
      setHextet(out, o, count++, tail[0]! & 0xffff);
      break;
    }
    if (count & 1) {
      out[o + (count >> 1)] = half | value;
    } else {
      half = value << 16;
      out[o + (count >> 1)] = half;
    }
    count++;
    if (count === 8 || p >= end || b[p] !== COLON) break;
    p++;
    if (p >= end) return -1;
    if (b[p] === COLON) {
      if (gapAt >= 0) return -1;
      gapAt = count;
      p++;
    }
  }
  if (gapAt < 0) return count === 8 ? p : -1;
  // RFC 5952 section 4.2.2 forbids writing one hextet as `::`, but RFC 4291 lets it be read.
  if (count === 8) return -1;
  spreadGap(out, o, gapAt, count);
  return p;
}

function setHextet(out: Uint32Array, o: number, k: number, value: number): void {
  const word = o + (k >> 1);
  out[word] = k & 1 ? ((out[word]! & 0xffff0000) | value) >>> 0 : ((out[word]! & 0xffff) | (value << 16)) >>> 0;
}

/** Moves the hextets from `gapAt` on to the end of the address and leaves zeros where `::` stood. */
function spreadGap(out: Uint32Array, o: number, gapAt: number, count: number): void {
  for (let k = 7, from = count - 1; from >= gapAt; k--, from--) {
    const value = (out[o + (from >> 1)]! >>> (from & 1 ? 0 : 16)) & 0xffff;
    setHextet(out, o, from, 0);
    setHextet(out, o, k, value);
  }
}
