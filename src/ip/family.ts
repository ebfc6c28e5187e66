/**
 * A family is data: the algorithms of this folder are written once, over the number of 32-bit words in an
 * address. Addresses are words in network order: word 0 is the most significant.
 */
export interface Family {
  readonly name: 'IPv4' | 'IPv6';
  readonly version: 4 | 6;
  /** bits in an address */
  readonly bits: 32 | 128;
  /** 32-bit words in an address */
  readonly words: 1 | 4;
}

export const IPV4: Family = { name: 'IPv4', version: 4, bits: 32, words: 1 };
export const IPV6: Family = { name: 'IPv6', version: 6, bits: 128, words: 4 };
/** In the order of every output: IPv4 first. */
export const FAMILIES: readonly Family[] = [IPV4, IPV6];

/** One address. `words` has `family.words` entries. */
export interface Address {
  readonly family: Family;
  readonly words: Uint32Array;
}

/** A CIDR block. The bits of `words` behind `length` are zero. */
export interface Prefix extends Address {
  /** 0…32 or 0…128 */
  readonly length: number;
}
