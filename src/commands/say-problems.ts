import type { BlocklistError } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { age, grouped } from '../io/figures.js';
import type { LastBuild } from '../report/last-build.js';
import type { Loaded } from '../sources/contract.js';
import type { Missing } from '../sources/index.js';
import { type Context, commandLine, type GlobalOptions, say } from './context.js';
import type { Gathered, LoadedDatabase } from './gather.js';

type Sick = Loaded | LoadedDatabase | Missing;

/** Says what is wrong with which source. Under --quiet only what is new since the last build. */
export function sayProblems(
  gathered: Gathered,
  last: LastBuild | undefined,
  options: GlobalOptions,
  context: Context,
): void {
  const { block, allow, only = [], missing, databases } = gathered;
  const known = new Map([...(last?.sources ?? []), ...(last?.missing ?? [])].map(({ id, code }) => [id, code]));
  for (const { source, problem, serves } of oncePerProblem([...databases, ...block, ...allow, ...only, ...missing])) {
    const { id } = source;
    const before = known.get(id);
    // A night that says nothing new should not send a mail; a first failure should, and data that became too old.
    const isAge = problem.code === 'source-stale' || problem.code === 'source-frozen';
    const isNew = before === undefined || (isAge && problem.code !== before);
    const where = problem.where === undefined ? '' : ` (${escapeText(problem.where)})`;
    const text = `${id}: ${escapeText(problem.message, 300)}${where}; ${consequence(source, context.now())}`;
    const voice = isNew ? { ...options, quiet: false } : options;
    say(context, voice, `${text}${servesWords(serves)}`);
    // The one problem that a person may have to decide.
    if (problem.code === 'source-shrunk' || problem.code === 'source-grown') {
      say(context, voice, `  if that is right: ${commandLine(context, options, `update --accept-change ${id}`)}`);
    } else if (OF_OPERATOR.test(id) && problem.hint !== undefined) {
      say(context, voice, `  ${escapeText(problem.hint, 300)}`);
    }
  }
  // Lists have a column for it; a database has no row.
  for (const { id, counts } of databases) {
    const { rejected, entries } = counts;
    const share = `${grouped(rejected)} of ${grouped(rejected + entries)} lines`;
    if (rejected > 0) say(context, options, `${id}: ${share} left out: unreadable, or they contradict another`);
  }
  if (options.verbose !== true) return;
  for (const { id, counts } of [...databases, ...block, ...allow]) {
    for (const { line, reason, text } of counts.samples) {
      say(context, options, `${id}:${line}: ${reason}: ${escapeText(text, 80)}`);
    }
  }
  for (const { id, counts } of [...block, ...allow]) {
    if (counts.hostBits > 0)
      say(context, options, `${id}: ${grouped(counts.hostBits)} entries had host bits set, which were cleared`);
    for (const [why, count] of Object.entries(counts.leftOut ?? {})) {
      say(context, options, `${id}: ${grouped(count)} left out: ${why}`);
    }
  }
}

/** Ids of databases begin with it, and those of nothing else. */
const DATABASE = 'geo-';
/** A feed is mended by its publisher; about databases, what they serve, and CrowdSec the operator can do something, and is told what. */
const OF_OPERATOR = /^((geo|country|asn)-|crowdsec$)/;

interface Told {
  readonly source: Sick;
  readonly problem: BlocklistError;
  /** ids of those that a database with this problem serves */
  readonly serves: readonly string[];
}

/** A problem of a database is that of all its countries: it is told once, under the name of the database. */
function oncePerProblem(sources: readonly Sick[]): Told[] {
  const told = new Map<BlocklistError, Told & { readonly serves: string[] }>();
  const ofDatabasesFirst = [...sources].sort((a, b) => rank(a) - rank(b));
  for (const source of ofDatabasesFirst) {
    const { problem } = source;
    if (problem === undefined) continue;
    const before = told.get(problem);
    if (before === undefined) told.set(problem, { source, problem, serves: [] });
    else before.serves.push(source.id);
  }
  return [...told.values()];
}

function rank({ id }: Sick): number {
  return id.startsWith(DATABASE) ? 0 : 1;
}

const MOST_NAMED = 3;

function servesWords(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return `; it serves ${named}${ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : ''}`;
}

function consequence(source: Sick, now: number): string {
  if (!('state' in source)) return 'nothing to use';
  if (source.state === 'fresh' || source.state === 'unchanged') return 'used all the same';
  if (source.state === 'bundled') return 'the list that ships with blocklist is used';
  const ageMs = now - source.date;
  return ageMs < 60_000 ? 'last good is used' : `last good, ${age(ageMs)} old, is used`;
}
