import { join } from 'node:path';
import { IpSet } from '../ip/index.js';
import type { Density, Direction, FetchProgress, Loaded, Source } from './contract.js';
import type { Fetcher } from './fetcher.js';
import type { Change } from './guards.js';
import { type LoadedPart, loadPart, type PartOrigin } from './list-part.js';
import type { ListReading } from './list-reading.js';

/** A list of addresses, wherever it comes from: one file, or all of its addresses together. */
export interface ListSpec extends ListReading {
  readonly direction: Direction;
  readonly density?: Density;
  readonly parts: readonly PartOrigin[];
}

export interface ListEnvironment {
  /** folder of all lists; this one has a folder of its own in it */
  readonly cache: string;
  /** folder of the histories */
  readonly seen: string;
  readonly now: () => number;
  readonly change: Change;
  readonly fetcher: Fetcher;
  readonly progress: FetchProgress;
}

/** A source that reads a list from a file or from addresses, keeps the last bodies that passed, and falls back to them. */
export function listSource(spec: ListSpec, environment: ListEnvironment): Source {
  const { id, direction, parts } = spec;
  const kind = parts[0]?.kind === 'file' ? 'file' : 'feed';
  return {
    id,
    kind,
    direction,
    load: async (network) => {
      const { cache, seen, progress, ...rest } = environment;
      const isFetched = kind === 'feed' && network === 'use';
      if (isFetched) progress.begin(id);
      const arrived = parts.map(() => ({ bytes: 0, total: undefined as number | undefined }));
      try {
        const loaded = await Promise.all(
          parts.map((origin, i) => {
            const name = i === 0 ? id : `${id}.${i + 1}`;
            const onBytes = (bytes: number, total: number | undefined) => {
              arrived[i] = { bytes, total };
              const all = arrived.reduce<number | undefined>(
                (sum, part) => (sum === undefined || part.total === undefined ? undefined : sum + part.total),
                0,
              );
              progress.advance(
                id,
                arrived.reduce((sum, part) => sum + part.bytes, 0),
                all,
              );
            };
            const own = { ...rest, cache: join(cache, name), seen: join(seen, name), onBytes };
            return loadPart(spec, origin, own, network);
          }),
        );
        return { id, kind, direction, ...(spec.density && { density: spec.density }), ...together(loaded) };
      } finally {
        if (isFetched) progress.end(id);
      }
    },
  };
}

/** From the state that tells least of the origin to the one that tells most. */
const STATES: readonly Loaded['state'][] = ['kept', 'bundled', 'not-due', 'unchanged', 'fresh'];

function together(parts: readonly LoadedPart[]): Omit<Loaded, 'id' | 'kind' | 'direction' | 'density'> {
  const sum = (count: (part: LoadedPart) => number) => parts.reduce((total, part) => total + count(part), 0);
  const joined = (sets: readonly IpSet[]) => sets.reduce((all, set) => all.union(set), IpSet.empty);
  const problem = parts.find((part) => part.problem !== undefined)?.problem;
  const before = parts.some((part) => part.before !== undefined)
    ? { before: joined(parts.map(({ before, content }) => (before ?? content).set)) }
    : {};
  return {
    set: joined(parts.map(({ content }) => content.set)),
    nodes: joined(parts.map(({ content }) => content.nodes)),
    counts: {
      entries: sum(({ content }) => content.report.entries),
      rejected: sum(({ content }) => content.report.rejected),
      hostBits: sum(({ content }) => content.report.hostBits),
      samples: parts.flatMap(({ content }) => content.report.samples),
    },
    date: Math.min(...parts.map(({ date }) => date)),
    state: STATES.find((state) => parts.some((part) => part.state === state)) ?? 'kept',
    ...before,
    ...(problem === undefined ? {} : { problem }),
  };
}
