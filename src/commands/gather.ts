import { BlocklistError } from '../errors.js';
import { fetchProgress } from '../io/progress.js';
import type { Loaded, Network } from '../sources/contract.js';
import { FetchLog } from '../sources/fetch-log.js';
import { Fetcher, type Urgency } from '../sources/fetcher.js';
import { type Configured, configuredSources, loadSources, type Missing } from '../sources/index.js';
import type { Context, GlobalOptions } from './context.js';
import type { Project } from './project.js';

export interface GatherOptions {
  readonly network: Network;
  readonly urgency: Urgency;
  /** only these are fetched, the others come from last good; all when there are none */
  readonly only: readonly string[];
  /** whose change against last good is wanted */
  readonly accepted: readonly string[];
}

export interface Gathered {
  readonly block: readonly Loaded[];
  readonly allow: readonly Loaded[];
  readonly missing: readonly Missing[];
  /** databases that come from addresses, and those with a problem; those that gave nothing at all are among `missing` */
  readonly databases: readonly LoadedDatabase[];
  /** ids of the databases from addresses that nobody looked at in this run */
  readonly idle: readonly string[];
  /** whether the network was asked for what a source or database needs */
  readonly wasAsked: (id: string) => boolean;
}

/** A database of countries or networks, and how it was come by. */
export type LoadedDatabase = Pick<Loaded, 'id' | 'date' | 'state' | 'problem'>;

/** First pause before a server that failed is asked again. */
const PAUSE_MS = 1000;

/** Loads every source of a configuration, fetching what is due. */
export async function gather(
  { config, cache, state }: Project,
  how: GatherOptions,
  options: GlobalOptions,
  context: Context,
): Promise<Gathered> {
  const log = await FetchLog.open(cache);
  const { contact, deadline } = config.fetch;
  const fetcher = new Fetcher(log, {
    userAgent: `blocklist/${context.version}${contact === undefined ? '' : ` (+${contact})`}`,
    env: context.env,
    now: context.now,
    urgency: how.urgency,
    deadlineMs: deadline,
    pauseMs: PAUSE_MS,
  });
  const isSilent = options.quiet === true || options.json === true;
  const progress = await fetchProgress(context.stderr, isSilent ? 'silent' : 'shown');
  try {
    const accepted = new Set(how.accepted);
    const environment = { cache, state, now: context.now, fetcher, progress, accepted };
    const sources = await configuredSources(config, environment);
    requireKnown(how.only, sources);
    const together = new Map(
      sources.block.flatMap(({ fetchedWith = [] }) => fetchedWith.map((id) => [id, fetchedWith] as const)),
    );
    const networkFor = (id: string) =>
      (together.get(id) ?? [id]).some((each) => networkOf(how, each) === 'use') ? 'use' : 'avoid';
    // In this order: the databases that sources need are those that sources have asked for.
    const [block, allow, databases] = await Promise.all([
      loadSources(sources.block, networkFor),
      loadSources(sources.allow, networkFor),
      loadDatabases(sources.databases, networkFor),
    ]);
    requireAllow(allow.missing);
    return {
      block: block.loaded,
      allow: allow.loaded,
      missing: [...block.missing, ...databases.missing],
      databases: databases.loaded,
      idle: databases.idle,
      wasAsked: (id) => networkFor(id) === 'use',
    };
  } finally {
    progress.close();
    await fetcher.close();
  }
}

/** The databases that sources have loaded, and, where the network may be asked, the others: `why` and `feeds asn` work with them. */
async function loadDatabases(
  databases: Configured['databases'],
  networkFor: (id: string) => Network,
): Promise<{
  readonly loaded: readonly LoadedDatabase[];
  readonly missing: readonly Missing[];
  readonly idle: readonly string[];
}> {
  const wanted = databases.filter((each) => each.isLoaded || (each.isFetched && networkFor(each.id) === 'use'));
  const results = await Promise.all(
    wanted.map(async (database): Promise<LoadedDatabase | Missing> => {
      const { id } = database;
      try {
        const { date, state, problem } = await database.load(networkFor(id));
        return { id, date, state, ...(problem === undefined ? {} : { problem }) };
      } catch (problem) {
        if (!(problem instanceof BlocklistError)) throw problem;
        return { id, problem };
      }
    }),
  );
  const isFetched = (id: string) => databases.some((database) => database.id === id && database.isFetched);
  const loaded = results.filter((result): result is LoadedDatabase => 'state' in result);
  return {
    loaded: loaded.filter(({ id, problem }) => problem !== undefined || isFetched(id)),
    missing: results.filter((result): result is Missing => !('state' in result)),
    idle: databases.filter((each) => each.isFetched && !wanted.includes(each)).map(({ id }) => id),
  };
}

/** Whether the network is asked for a source. */
function networkOf({ network, only }: GatherOptions, id: string): Network {
  return only.length === 0 || only.includes(id) ? network : 'avoid';
}

function requireKnown(only: readonly string[], { block, allow, databases }: Configured): void {
  const known = [...block, ...allow, ...databases].map(({ id }) => id);
  const unknown = only.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  throw new BlocklistError('bad-usage', `--source: there is no source '${unknown}'`, {
    hint: `the sources are ${known.join(', ')}`,
  });
}

/** Without a list of what is never to be blocked, whom it names would be blocked: nothing is rendered then. */
function requireAllow([missing]: readonly Missing[]): void {
  if (missing === undefined) return;
  const { id, problem } = missing;
  throw new BlocklistError(
    'allow-missing',
    `the allow feed ${id} cannot be read: ${problem.message}; nothing was changed`,
    {
      where: problem.where ?? id,
      hint: problem.hint ?? 'mend it, or take it out of allow.feeds',
    },
  );
}
