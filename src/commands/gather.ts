import { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { age, grouped } from '../io/figures.js';
import { fetchProgress } from '../io/progress.js';
import type { LastBuild } from '../report/last-build.js';
import type { Loaded, Network } from '../sources/contract.js';
import { FetchLog } from '../sources/fetch-log.js';
import { Fetcher, type Urgency } from '../sources/fetcher.js';
import { type Configured, configuredSources, loadSources, type Missing } from '../sources/index.js';
import { type Context, commandLine, type GlobalOptions, say } from './context.js';
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
}

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
    const networkFor = (id: string) => networkOf(how, id);
    const [block, allow, only] = await Promise.all([
      loadSources(sources.block, networkFor),
      loadSources(sources.allow, networkFor),
      sources.only && loadSources(sources.only, networkFor),
    ]);
    requireAll('allow feed', 'take it out of allow.feeds', allow.missing);
    requireAll('country', 'take it out of countries.only', only?.missing ?? []);
    return { block: block.loaded, allow: allow.loaded, only: only?.loaded, missing: block.missing };
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
export async function fetcherOf({ config, cache }: Project, urgency: Urgency, context: Context): Promise<Fetcher> {
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

/** Whether the network is asked for a source. */
export function networkOf({ network, only }: GatherOptions, id: string): Network {
  return only.length === 0 || only.includes(id) ? network : 'avoid';
}

function requireKnown(only: readonly string[], sources: Configured): void {
  const known = [...sources.block, ...sources.allow, ...(sources.only ?? [])].map(({ id }) => id);
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

/** Says what is wrong with which source. Under --quiet only what is new since the last build. */
export function sayProblems(
  { block, allow, only = [], missing }: Gathered,
  last: LastBuild | undefined,
  options: GlobalOptions,
  context: Context,
): void {
  const known = new Map([...(last?.sources ?? []), ...(last?.missing ?? [])].map(({ id, code }) => [id, code]));
  for (const source of [...block, ...allow, ...only, ...missing]) {
    const { id, problem } = source;
    if (problem === undefined) continue;
    const before = known.get(id);
    // A night that says nothing new should not send a mail; a first failure should, and data that became too old.
    const isAge = problem.code === 'source-stale' || problem.code === 'source-frozen';
    const isNew = before === undefined || (isAge && problem.code !== before);
    const where = problem.where === undefined ? '' : ` (${escapeText(problem.where)})`;
    const text = `${id}: ${escapeText(problem.message, 300)}${where}; ${consequence(source, context.now())}`;
    const voice = isNew ? { ...options, quiet: false } : options;
    say(context, voice, text);
    // The one problem that a person may have to decide.
    if (problem.code === 'source-shrunk' || problem.code === 'source-grown') {
      say(context, voice, `  if that is right: ${commandLine(context, options, `update --accept-change ${id}`)}`);
    }
  }
  if (options.verbose !== true) return;
  for (const { id, counts } of [...block, ...allow]) {
    for (const { line, reason, text } of counts.samples) {
      say(context, options, `${id}:${line}: ${reason}: ${escapeText(text, 80)}`);
    }
    if (counts.hostBits > 0)
      say(context, options, `${id}: ${grouped(counts.hostBits)} entries had host bits set, which were cleared`);
    for (const [why, count] of Object.entries(counts.leftOut ?? {})) {
      say(context, options, `${id}: ${grouped(count)} left out: ${why}`);
    }
  }
}

function consequence(source: Loaded | Missing, now: number): string {
  if (!('set' in source)) return 'nothing to use';
  if (source.state === 'fresh' || source.state === 'unchanged') return 'used all the same';
  if (source.state === 'bundled') return 'the list that ships with blocklist is used';
  const ageMs = now - source.date;
  return ageMs < 60_000 ? 'last good is used' : `last good, ${age(ageMs)} old, is used`;
}
