import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../src/io/read.js';
import { formatPrefix, type IpSet } from '../../src/ip/index.js';
import type { Loaded, Network } from '../../src/sources/contract.js';
import { type ListEnvironment, type ListSpec, listSource } from '../../src/sources/list-source.js';

/** The clock of the tests: Saturday, 22 August 2026, noon UTC. */
export const NOON = Date.UTC(2026, 7, 22, 12);
export const HOUR = 3_600_000;

export const LIMITS = { maxPrefixV4: 8, maxPrefixV6: 16, maxRejects: 0.05 };

export function environmentAt(cache: string, now = NOON): ListEnvironment {
  return { cache, userAgent: 'blocklist/0.0.0-test', now: () => now };
}

/** A source named `s` with the limits of the default configuration. */
export function specOf(origin: ListSpec['origin'], changes: Partial<ListSpec> = {}): ListSpec {
  return { id: 's', direction: 'in', format: 'plain', maxBytes: 1 << 20, limits: LIMITS, origin, ...changes };
}

export function urlSpec(url: string, changes: Partial<ListSpec> = {}, timeoutMs = 20_000): ListSpec {
  return specOf({ kind: 'url', url, timeoutMs }, changes);
}

export function loadSpec(spec: ListSpec, cache: string, network: Network = 'use', now = NOON): Promise<Loaded> {
  return listSource(spec, environmentAt(cache, now)).load(network);
}

export function textOf(set: IpSet): string[] {
  return [...set.prefixes()].map(formatPrefix);
}

/** Names and contents of the files in a folder. */
export async function contentOf(folder: string): Promise<Record<string, string>> {
  try {
    const names = (await readdir(folder)).sort();
    const files = names.map(async (name) => [name, await readFile(join(folder, name), 'latin1')] as const);
    return Object.fromEntries(await Promise.all(files));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {};
    throw error;
  }
}
