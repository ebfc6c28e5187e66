import type { BuildInput } from '../../src/build/build.js';
import { formatPrefix, IpSet, type Prefixes } from '../../src/ip/index.js';
import type { Direction, Loaded } from '../../src/sources/contract.js';

/** Saturday, 22 August 2026, noon UTC. */
export const NOW = Date.UTC(2026, 7, 22, 12);
export const HOUR = 3_600_000;

/** A source with these addresses, an hour old. */
export function source(id: string, prefixes: readonly string[], changes: Partial<Loaded> = {}): Loaded {
  const counts = { entries: prefixes.length, rejected: 0, hostBits: 0, samples: [] };
  const set = IpSet.from(prefixes);
  const nodes = IpSet.from(prefixes.filter((text) => !/[-/]/.test(text)));
  return { id, kind: 'feed', direction: 'in', set, nodes, counts, date: NOW - HOUR, state: 'fresh', ...changes };
}

/** Nothing protected, no limit. */
export function inputOf(sources: readonly Loaded[], changes: Partial<BuildInput> = {}): BuildInput {
  const limits = { feeds: 1, all: 1 };
  return { sources, neverBlock: IpSet.empty, allow: IpSet.empty, now: NOW, limits, ...changes };
}

export function linesOf({ family, size, words, lengths }: Prefixes): string[] {
  return Array.from({ length: size }, (_, i) => {
    const at = i * family.words;
    return formatPrefix({ family, words: words.slice(at, at + family.words), length: lengths[i]! });
  });
}

export function textOf(set: IpSet): string[] {
  return [...set.prefixes()].map(formatPrefix);
}

export const DIRECTIONS: readonly Direction[] = ['in', 'out', 'both'];
