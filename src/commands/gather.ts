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
  /** who alone may connect; undefined: everybody */
  readonly only: readonly Loaded[] | undefined;
  readonly missing: readonly Missing[];
  /** databases that come from addresses, and those with a problem or with lines left out; those that gave nothing at all are among `missing` */
  readonly databases: readonly LoadedDatabase[];
  /** ids of the databases from addresses that nobody looked at in this run */
  readonly idle: readonly string[];
  /** whether the network was asked for what a source or database needs */
  readonly wasAsked: (id: string) => boolean;
  /** Makes the databases that no source asks for ready for questions. */
  readonly prepare: () => Promise<void>;
}

/** A database of countries or networks, and how it was come by. */
export interface LoadedDatabase extends Pick<Loaded, 'id' | 'date' | 'state' | 'problem'> {
  readonly counts: Pick<Loaded['counts'], 'entries' | 'rejected' | 'samples'>;
}

/** From what is on this machine alone. */
export const OFFLINE: GatherOptions = { network: 'avoid', urgency: 'polite', only: [], accepted: [] };

/** First pause before a server that failed is asked again. */
const PAUSE_MS = 1000;

/** Loads every source of a configuration, fetching what is due. */
export function gather(
  project: Project,
  how: GatherOptions,
  options: GlobalOptions,
  context: Context,
): Promise<Gathered> {
  return withSources(project, how, options, context, async (sources) => {
    requireKnown(how.only, sources);
    const { block: blocking, only: alone = [] } = sources;
    const together = new Map(
      [...blocking, ...alone].flatMap(({ fetchedWith = [] }) => fetchedWith.map((id) => [id, fetchedWith] as const)),
    );
    const networkFor = (id: string) =>
      (together.get(id) ?? [id]).some((each) => networkOf(how, each) === 'use') ? 'use' : 'avoid';
    // In this order: the databases that sources need are those that sources have asked for.
    const [block, allow, only, databases] = await Promise.all([
      loadSources(blocking, networkFor),
      loadSources(sources.allow, networkFor),
      sources.only && loadSources(sources.only, networkFor),
      loadDatabases(sources.databases, networkFor),
    ]);
    requireAll('allow feed', 'take it out of allow.feeds', allow.missing);
    requireAll('country', 'take it out of countries.only', only?.missing ?? []);
    return {
      block: block.loaded,
      allow: allow.loaded,
      only: only?.loaded,
      missing: [...block.missing, ...databases.missing],
      databases: databases.loaded,
      idle: databases.idle,
      wasAsked: (id) => networkFor(id) === 'use',
      prepare: async () => {
        await Promise.all(sources.unasked.map((database) => database.prepare()));
      },
    };
  });
}

/** The sources of a configuration for as long as `work` takes. */
export async function withSources<T>(
  project: Project,
  how: GatherOptions,
  options: GlobalOptions,
  context: Context,
  work: (sources: Configured) => Promise<T>,
): Promise<T> {
  const fetcher = await fetcherOf(project, how.urgency, context);
  const { config, cache, state } = project;
  const isSilent = options.quiet === true || options.json === true;
  const progress = await fetchProgress(context.stderr, isSilent ? 'silent' : 'shown');
  try {
    const accepted = new Set(how.accepted);
    const environment = { cache, state, now: context.now, fetcher, progress, accepted };
    return await work(await configuredSources(config, environment));
  } finally {
    progress.close();
    await fetcher.close();
  }
}

/** As the configuration wants publishers to be asked. */
async function fetcherOf({ config, cache }: Project, urgency: Urgency, context: Context): Promise<Fetcher> {
  const { contact, deadline } = config.fetch;
  return new Fetcher(await FetchLog.open(cache), {
    userAgent: `blocklist/${context.version}${contact === undefined ? '' : ` (+${contact})`}`,
    env: context.env,
    now: context.now,
    urgency,
    deadlineMs: deadline,
    pauseMs: PAUSE_MS,
  });
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
        const { date, state, problem, content: counts } = await database.load(networkFor(id));
        return { id, date, state, counts, ...(problem === undefined ? {} : { problem }) };
      } catch (problem) {
        if (!(problem instanceof BlocklistError)) throw problem;
        return { id, problem };
      }
    }),
  );
  const isFetched = (id: string) => databases.some((database) => database.id === id && database.isFetched);
  const loaded = results.filter((result): result is LoadedDatabase => 'state' in result);
  return {
    loaded: loaded.filter(({ id, problem, counts }) => problem !== undefined || counts.rejected > 0 || isFetched(id)),
    missing: results.filter((result): result is Missing => !('state' in result)),
    idle: databases.filter((each) => each.isFetched && !wanted.includes(each)).map(({ id }) => id),
  };
}

/** Whether the network is asked for a source. */
export function networkOf({ network, only }: GatherOptions, id: string): Network {
  return only.length === 0 || only.includes(id) ? network : 'avoid';
}

function requireKnown(only: readonly string[], sources: Configured): void {
  const known = [...sources.block, ...sources.allow, ...(sources.only ?? []), ...sources.databases].map(({ id }) => id);
  const unknown = only.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  throw new BlocklistError('bad-usage', `--source: there is no source '${unknown}'`, {
    hint: `the sources are ${known.join(', ')}`,
  });
}

/** Without a list of who may come in, whom it names would be blocked: nothing is rendered then. */
function requireAll(what: string, otherwise: string, [missing]: readonly Missing[]): void {
  if (missing === undefined) return;
  const { id, problem } = missing;
  throw new BlocklistError(
    'allow-missing',
    `the ${what} ${id} cannot be read: ${problem.message}; nothing was changed`,
    {
      where: problem.where ?? id,
      hint: problem.hint ?? `mend it, or ${otherwise}`,
    },
  );
}
