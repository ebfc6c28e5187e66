import { readFileSync } from 'node:fs';
import {
  formatPrefix,
  type IpSet,
  IpSetBuilder,
  type ListOptions,
  ListReader,
  type ListReport,
  readList,
} from '../../src/ip/index.js';

/** The bytes of a file of test/fixtures/lists; its README tells where each comes from. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/lists/${name}`, import.meta.url)));
}

/** UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The blocks of a set as text, IPv4 first, numeric order. */
export function textOf(set: IpSet): string[] {
  return [...set.prefixes()].map(formatPrefix);
}

export interface Reading {
  readonly prefixes: string[];
  readonly report: ListReport;
}

export function readAtOnce(bytes: Uint8Array, options: ListOptions = {}): Reading {
  const { set, report } = readList(bytes, options);
  return { prefixes: textOf(set), report };
}

/** Pushes copies of the pieces, and overwrites each copy afterwards: a reader must not keep a chunk. */
export function readPieces(pieces: Iterable<Uint8Array>, options: ListOptions = {}): Reading {
  const builder = new IpSetBuilder();
  const reader = new ListReader(builder, options);
  for (const piece of pieces) {
    const chunk = piece.slice();
    reader.push(chunk);
    chunk.fill(0x39);
  }
  const report = reader.end();
  return { prefixes: textOf(builder.build()), report };
}

/** The bytes cut at the given offsets (any order, repeats give empty chunks). */
export function piecesAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const cuts = [0, ...offsets.map((offset) => Math.min(offset, bytes.length)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((cut, k) => bytes.subarray(cuts[k], cut));
}

/** Pieces of `size` bytes each, the last one shorter. */
export function piecesOf(bytes: Uint8Array, size: number): Uint8Array[] {
  return piecesAt(
    bytes,
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, k) => k * size),
  );
}
