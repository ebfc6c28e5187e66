import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../src/io/read.js';
import { formatPrefix, type IpSet } from '../../src/ip/index.js';
import type { FetchProgress, Loaded, Network } from '../../src/sources/contract.js';
import { FetchLog } from '../../src/sources/fetch-log.js';
import { Fetcher, type FetchOptions } from '../../src/sources/fetcher.js';
import type { SourceLimits } from '../../src/sources/guards.js';
import type { PartOrigin } from '../../src/sources/list-part.js';
import { type ListEnvironment, type ListSpec, listSource } from '../../src/sources/list-source.js';

/** The clock of the tests: Saturday, 22 August 2026, noon UTC. */
export const NOON = Date.UTC(2026, 7, 22, 12);
export const HOUR = 3_600_000;

export const LIMITS: SourceLimits = {
  maxPrefixV4: 8,
  maxPrefixV6: 16,
  maxRejects: 0.05,
  canBeEmpty: false,
  shrink: 0.5,
  grow: 3,
  maxAgeMs: 14 * 24 * HOUR,
};

/** What a fetcher works with; no pause between its attempts. */
export function fetchOptions(now: () => number, changes: Partial<FetchOptions> = {}): FetchOptions {
  return {
    userAgent: 'blocklist/0.0.0-test',
    env: {},
    now,
    urgency: 'polite',
    deadlineMs: 60_000,
    pauseMs: 1,
    ...changes,
  };
}

const SILENT: FetchProgress = { begin: () => undefined, advance: () => undefined, end: () => undefined };

/** The lists of a source named `s` are in `cache/s` then. */
export async function environmentAt(cache: string, now = NOON): Promise<ListEnvironment> {
  const fetcher = new Fetcher(
    await FetchLog.open(join(cache, 'none')),
    fetchOptions(() => now),
  );
  return { cache, seen: join(cache, 'seen'), now: () => now, change: 'judge', fetcher, progress: SILENT };
}

/** A source named `s` with the limits of the default configuration. */
export function specOf(origin: PartOrigin, changes: Partial<ListSpec> = {}): ListSpec {
  const reading = { format: 'plain', options: {}, maxBytes: 1 << 20, limits: LIMITS } as const;
  return { id: 's', direction: 'in', ...reading, parts: [origin], ...changes };
}

export function urlSpec(url: string, changes: Partial<ListSpec> = {}, timeoutMs = 20_000): ListSpec {
  return specOf({ kind: 'url', request: { url, target: 'any', timeoutMs, intervalMs: 0 } }, changes);
}

export async function loadSpec(
  spec: ListSpec,
  cache: string,
  network: Network = 'use',
  now = NOON,
  changes: Partial<ListEnvironment> = {},
): Promise<Loaded> {
  const environment = { ...(await environmentAt(cache, now)), ...changes };
  try {
    return await listSource(spec, environment).load(network);
  } finally {
    await environment.fetcher.end();
  }
}

/** What is kept of the source `s`, without its parsed form, which is tested by itself. */
export async function keptIn(cache: string): Promise<Record<string, string>> {
  const files = Object.entries(await contentOf(join(cache, 's')));
  return Object.fromEntries(files.filter(([name]) => !name.endsWith('.parsed')));
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
