import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Namespace } from './namespace.js';

/**
 * An independent reading of lists and of nft's text, for comparison: addresses as numbers, ranges as pairs. Nothing of the
 * product is used here.
 */
export type Range = readonly [first: bigint, last: bigint];

export const SETS = ['nodes4', 'nets4', 'nodes6', 'nets6'] as const;
/** Those that the rules fill, in front of all. */
export const SEEN_SETS = ['seen4', 'seen6'] as const;
/** Those that belong to the host, in front of them. */
export const LOCAL_SETS = ['allow4', 'allow6', 'ban4', 'ban6'] as const;

function number4(text: string): bigint {
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function number6(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const middle = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  const all = [...left, ...middle, ...right];
  if (all.length !== 8) throw new Error(`not an IPv6 address: ${text}`);
  return all.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n);
}

/** Bytes of an address as packets have them. */
export function addressBytes(text: string): Buffer {
  const isSix = text.includes(':');
  const digits = (isSix ? number6(text) : number4(text)).toString(16).padStart(isSix ? 32 : 8, '0');
  return Buffer.from(digits, 'hex');
}

/** `A`, `A/LENGTH` or `A-B` as first and last address. */
function rangeOf(text: string): Range {
  const bits = text.includes(':') ? 128n : 32n;
  const number = bits === 32n ? number4 : number6;
  const [from = '', to] = text.split('-');
  if (to !== undefined) return [number(from), number(to)];
  const [address = '', length] = text.split('/');
  const first = number(address);
  const size = 1n << (bits - BigInt(length ?? bits));
  return [first, first + size - 1n];
}

/** The same addresses as sorted ranges that neither overlap nor touch. */
export function merged(texts: readonly string[]): Range[] {
  const sorted = texts.map(rangeOf).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const out: Array<[bigint, bigint]> = [];
  for (const [first, last] of sorted) {
    const previous = out.at(-1);
    if (previous !== undefined && first <= previous[1] + 1n) previous[1] = last > previous[1] ? last : previous[1];
    else out.push([first, last]);
  }
  return out;
}

/** Elements of a set as nft prints them. */
export function elementsIn(listing: string): string[] {
  const body = /elements = \{([^}]*)\}/.exec(listing)?.[1] ?? '';
  return body
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

/** Elements of one set of the kernel. */
export async function liveSet(namespace: Namespace, name: string): Promise<string[]> {
  return elementsIn(await namespace.must(['nft', 'list', 'set', 'inet', 'blocklist', name]));
}

/** Names of the sets of our table in the kernel, in its order. */
export async function liveSetNames(namespace: Namespace): Promise<string[]> {
  const text = await namespace.must(['nft', '-t', 'list', 'sets', 'inet']);
  const table = /table inet blocklist \{\n([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
  return [...table.matchAll(/^\tset (\S+) \{/gm)].map(([, name]) => name ?? '');
}

/** Lines of a plain list. */
export async function plainList(folder: string, name: string): Promise<string[]> {
  const text = await readFile(join(folder, `${name}.txt`), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}
