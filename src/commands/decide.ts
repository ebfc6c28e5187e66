import { writeLocalBoot } from '../apply/boot.js';
import { type LocalEntry, writeLocalEntries } from '../apply/local-entries.js';
import { Nft } from '../apply/nft.js';
import { requireRight } from '../apply/right.js';
import { type Ended, endSessions, type IsDropped, NOTHING_ENDED } from '../apply/sessions.js';
import { syncLocal } from '../apply/sync-local.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { grouped, minuteText } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { formatPrefix, type IpSet, type Prefix } from '../ip/index.js';
import { authorOf } from './author.js';
import { type Context, type GlobalOptions, say } from './context.js';
import { type Local, localOf, withEntries } from './local.js';
import { openProject, type Project } from './project.js';
import { notEnded } from './tell-apply.js';
import { duringOption } from './times.js';

/** What the commands that decide about addresses on this host have in common. */

export interface DecideOptions {
  readonly addresses: readonly string[];
  /** a time like `7d` */
  readonly for?: string;
  /** a date: `2026-12-31`, `2026-12-31T18:00` */
  readonly until?: string;
  readonly reason?: string;
  /** the program that decides, like `fail2ban sshd`; its decisions are its own: nobody else's are replaced or taken back */
  readonly by?: string;
}

/** The entries after a decision; refuses by throwing. */
export type Decision = (before: Local, project: Project) => readonly LocalEntry[] | Promise<readonly LocalEntry[]>;

export interface Decided {
  readonly local: Local;
  readonly project: Project;
  /** whether the kernel holds it now; otherwise it waits for apply */
  readonly isLoaded: boolean;
  readonly ended: Ended;
}

/**
 * Writes a decision down and brings it into the kernel at once.
 * @param cuts whose connections end with it
 * @throws BlocklistError what `decision` throws, and as Nft.load: state and kernel are then as before.
 */
export async function decide(
  decision: Decision,
  cuts: IpSet,
  options: GlobalOptions,
  context: Context,
): Promise<Decided> {
  const project = await openProject(options, context, 'none');
  const nft = new Nft();
  await requireRight();
  const work = async () => {
    // What nft does not tell must not leave a decision behind.
    const [before, live] = await Promise.all([localOf(project, context), nft.situation()]);
    const entries = await decision(before, project);
    const local = withEntries(before, entries, context.now());
    await writeLocalEntries(project.state, entries);
    if (live === undefined) return { local, project, isLoaded: false, ended: NOTHING_ENDED };
    try {
      await syncLocal(nft, local.content, live);
    } catch (error) {
      await writeLocalEntries(project.state, before.entries);
      throw error;
    }
    await writeLocalBoot(project.state, local.content);
    const isCut: IsDropped = (address) => cuts.has(address) && !local.open.has(address);
    const ended = cuts.isEmpty ? NOTHING_ENDED : await endSessions(isCut);
    return { local, project, isLoaded: true, ended };
  };
  // A program like fail2ban does not try again, and an apply may take its time.
  return withLock(project.state, work, 'long');
}

/** A slip of the key must not ban half of the internet, nor let it in. @throws BlocklistError `too-wide` */
export function requireNarrow(prefixes: readonly Prefix[], project: Project): void {
  const { guards } = project.config;
  for (const prefix of prefixes) {
    if (isNarrow(prefix, project)) continue;
    const key = widthKey(prefix);
    throw new BlocklistError('too-wide', `${formatPrefix(prefix)} is wider than /${guards[key]}; nothing was changed`, {
      hint: `if it is meant, raise guards.${key} in the configuration`,
    });
  }
}

export function isNarrow(prefix: Prefix, { config: { guards } }: Project): boolean {
  return prefix.length >= guards[widthKey(prefix)];
}

function widthKey({ family }: Prefix): 'max-prefix-v4' | 'max-prefix-v6' {
  return family.version === 4 ? 'max-prefix-v4' : 'max-prefix-v6';
}

/** New entries of one kind for these prefixes; earlier ones by the same for exactly the same are replaced. */
export function withNew(
  what: LocalEntry['what'],
  prefixes: readonly Prefix[],
  options: DecideOptions,
  before: readonly LocalEntry[],
  context: Context,
): readonly LocalEntry[] {
  const now = context.now();
  const until = endOption(options, now);
  const { reason } = options;
  const by = programOf(options);
  requireText(reason, '--reason', 200);
  const added = prefixes.map((prefix): LocalEntry => {
    const author = authorOf(context);
    return {
      what,
      prefix,
      since: now,
      author,
      ...(until === undefined ? {} : { until }),
      ...(reason ? { reason } : {}),
      ...(by === undefined ? {} : { by }),
    };
  });
  const earlier = before.filter((entry) => entry.by === by);
  const kept = new Set(without(what, prefixes, earlier));
  return [...before.filter((entry) => entry.by !== by || kept.has(entry)), ...added];
}

/** The entries without those of one kind for exactly these prefixes. */
export function without(
  what: LocalEntry['what'],
  prefixes: readonly Prefix[],
  entries: readonly LocalEntry[],
): readonly LocalEntry[] {
  const texts = new Set(prefixes.map(formatPrefix));
  return entries.filter((entry) => entry.what !== what || !texts.has(formatPrefix(entry.prefix)));
}

/** Who decides, when it is a program. @throws BlocklistError `bad-usage` */
export function programOf({ by }: Pick<DecideOptions, 'by'>): string | undefined {
  requireText(by, '--by', 100);
  return by;
}

/** Characters as the files count them that it is written to: in UTF-16, where an emoji is two. @throws BlocklistError `bad-usage` */
export function requireText(text: string | undefined, option: string, most: number): void {
  if (text === undefined || (text.length <= most && /^\P{Cc}+$/u.test(text))) return;
  throw new BlocklistError('bad-usage', `${option}: expected up to ${most} characters on one line`, {
    hint: 'see --help',
  });
}

/** Milliseconds since 1970, undefined for good. */
export function endOption({ for: time, until }: Pick<DecideOptions, 'for' | 'until'>, now: number): number | undefined {
  if (time !== undefined) return now + duringOption(time, '--for');
  if (until === undefined) return undefined;
  const date = Date.parse(until);
  if (date > now) return date;
  const what = Number.isNaN(date) ? 'expected a date like 2026-12-31 or 2026-12-31T18:00' : 'that date is over';
  throw new BlocklistError('bad-usage', `--until '${until}': ${what}`, { hint: 'see --help' });
}

/** `until 2026-12-31 18:00 UTC`, `for good` */
export function endWords({ until }: Pick<LocalEntry, 'until'>): string {
  return until === undefined ? 'for good' : `until ${minuteText(until)}`;
}

/** On one line. */
const MOST_NAMED = 50;

/** `203.0.113.7, 2001:db8::/32` */
export function named(prefixes: readonly Prefix[]): string {
  const texts = [...new Set(prefixes.map(formatPrefix))];
  const rest = texts.length > MOST_NAMED ? ` and ${grouped(texts.length - MOST_NAMED)} more` : '';
  return `${texts.slice(0, MOST_NAMED).join(', ')}${rest}`;
}

/** What became of a decision about these prefixes. `doubts`: what somebody should look at although it is done. */
export function tellDecided(
  words: string,
  prefixes: readonly Prefix[],
  { local, isLoaded, ended }: Decided,
  options: GlobalOptions,
  context: Context,
  doubts: readonly string[] = [],
): ExitStatus {
  const { closed } = ended;
  const problems = [...(ended.problem === undefined ? [] : [notEnded(ended.problem)]), ...doubts];
  const status = problems.length === 0 ? ExitStatus.done : ExitStatus.incomplete;
  const texts = new Set(prefixes.map(formatPrefix));
  const entries = local.entries.filter(({ prefix }) => texts.has(formatPrefix(prefix)));
  if (options.json === true) {
    const data = entries.map(({ prefix, ...rest }) => ({ ...rest, prefix: formatPrefix(prefix) }));
    const value = {
      schema: 'blocklist/decided',
      version: 1,
      isLoaded,
      ended: closed.length,
      problem: problems.join('; ') || null,
      entries: data,
    };
    context.stdout.write(`${JSON.stringify(value)}\n`);
    return status;
  }
  const when = isLoaded ? 'in force now' : 'not loaded: in force with the next apply';
  say(context, options, `${words}; ${when}`);
  if (closed.length > 0) say(context, options, `ended ${closed.length} connection${closed.length === 1 ? '' : 's'}`);
  for (const problem of problems) say(context, { ...options, quiet: false }, escapeText(problem, 400));
  return status;
}
