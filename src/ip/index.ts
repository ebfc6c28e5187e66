/** The pure heart, for use without node: `import { IpSet } from 'blocklist/ip'`. */
export { BlocklistError, ErrorCode } from '../errors.js';
export type { Prefixes } from './decompose.js';
export { BlockWalk, decompose, splitNodes } from './decompose.js';
export type { RejectReason } from './entry.js';
export type { Address, Family, Prefix } from './family.js';
export { FAMILIES, IPV4, IPV6 } from './family.js';
export type { Decoration } from './format.js';
export { formatAddress, formatPrefix, prefixLines, writeBlocks } from './format.js';
export type { FourSets, SetKey } from './four-sets.js';
export { countAddresses, fourSets, SET_KEYS } from './four-sets.js';
export { IpSet, IpSetBuilder } from './ip-set.js';
export { ListReader, readList } from './list-reader.js';
export type { ListOptions, ListReport, RejectedLine } from './list-report.js';
export { parseAddress, parsePrefix } from './parse.js';
export type { RangeSet } from './range-set.js';
export { SPECIAL_PURPOSE, specialPurpose } from './special.js';
