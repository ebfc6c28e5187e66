import {
  type Files,
  loadFirewalld,
  ownFiles,
  requireFirewalld,
  requireNothingLost,
  requireWithinReach,
} from '../apply/firewalld.js';
import { firewalldDrift, zonesBefore } from '../apply/firewalld-drift.js';
import { readHold, release } from '../apply/hold.js';
import { Nft } from '../apply/nft.js';
import { requireRight } from '../apply/right.js';
import { cutConnections, droppedBy, endSessions, type IsDropped } from '../apply/sessions.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { grouped, minuteText } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { type FourSets, fourSets, IpSet, SET_KEYS } from '../ip/index.js';
import { ipsetName, renderFirewalld, usedKeys } from '../render/firewalld.js';
import { doubtsOf } from './allowed.js';
import { artefactOf } from './artefact.js';
import { type Command, type Context, commandLine, type GlobalOptions, say } from './context.js';
import { type Local, localFacts, localWith } from './local.js';
import { requireNoLockout } from './lockout.js';
import { openProject, type Project } from './project.js';
import { connectionWords, explained, notEnded } from './tell-apply.js';

export interface FirewalldOptions {
  readonly dryRun?: boolean;
  readonly ref?: string;
  readonly repair?: boolean;
  readonly acceptSlowReload?: boolean;
}

/** firewalld reads an ipset in Python, entry by entry, and the kernel one interval set: 0.4 s for 1,000, 6 s for 46,084, and 208,363 failed. */
const MOST_ENTRIES = 20_000;

/** What is to be in firewalld, and what that means. */
export interface FirewalldWork {
  readonly title: string;
  readonly sets: FourSets;
  /** the same as firewalld reads it */
  readonly files: Files;
  readonly entries: number;
  readonly local: Local;
  readonly isDropped: IsDropped;
  /** holds it to the limits of this host, and to whom it needs. @throws BlocklistError as Loadable.prove, `lockout`, `firewalld-slow` */
  readonly requireSafe: () => Promise<void>;
}

/** Writes our ipsets and our zone, lets firewalld reload once, reads the kernel back, and ends what firewalld would let go on. */
export const run: Command<FirewalldOptions> = async (options, context) => {
  const project = await openProject(options, context, options.ref === undefined ? 'read' : 'none');
  await requireRight();
  await requireFirewalld();
  const nft = new Nft();
  if (options.dryRun === true) {
    const work = await prepareFirewalld(options, project, context);
    await work.requireSafe();
    const isThere = (await firewalldDifferences(nft, work, await ownFiles())).length === 0;
    await tellPlan(work, isThere, project, options, context);
    return ExitStatus.done;
  }
  return withLock(project.state, async () => {
    const held = options.repair === true ? await readHold(project.state) : undefined;
    if (held?.what === 'unloaded') {
      say(context, options, `not loaded: unloaded by ${held.by} on ${minuteText(held.at)}`);
      return ExitStatus.done;
    }
    const work = await prepareFirewalld(options, project, context);
    await work.requireSafe();
    const before = await ownFiles();
    const isThere = (await firewalldDifferences(nft, work, before)).length === 0;
    if (!isThere) {
      await requireNothingLost();
      await loadFirewalld(nft, work, before);
    }
    if (options.repair !== true) await release(project.state);
    return tellDone(nft, work, isThere, project, options, context);
  });
};

/** @throws BlocklistError `beyond-firewalld`, and what reading the rules throws */
export async function prepareFirewalld(
  options: FirewalldOptions & GlobalOptions,
  project: Project,
  context: Context,
): Promise<FirewalldWork> {
  const { artefact, title, prove } = await artefactOf(options, project, context);
  const hint = `our own table beside firewalld can: ${commandLine(context, options, 'apply')}`;
  requireWithinReach(artefact.sets, artefact.folder, hint);
  const local = await localWith(await localFacts(project, context), project, context, artefact.manifest);
  // firewalld has no set of this host alone: who is allowed here is left out, and who is banned here is put in.
  const listed = IpSet.unionOf(SET_KEYS.map((key) => IpSet.ofPrefixes(artefact.sets.in[key])));
  const sets = fourSets(listed.union(local.banned).subtract(local.open));
  const entries = SET_KEYS.reduce((total, key) => total + sets[key].size, 0);
  const requireSafe = async () => {
    await prove();
    await requireNoLockout(artefact.sets, artefact.folder, local, project, options, context);
    requireQuick(entries, options);
  };
  const isDropped = droppedBy(artefact, local.banned, local.open);
  return { title, sets, files: renderFirewalld(sets), entries, local, isDropped, requireSafe };
}

function requireQuick(entries: number, { acceptSlowReload }: FirewalldOptions): void {
  if (entries <= MOST_ENTRIES || acceptSlowReload === true) return;
  const what = `firewalld would have to read ${grouped(entries)} entries, more than ${grouped(MOST_ENTRIES)}`;
  const why = 'measured reloads: 1,000 in 0.4 s, 19,507 in 1.5 s, 46,084 in 6 s; with 208,363 it failed';
  throw new BlocklistError('firewalld-slow', `${what} (${why}); nothing was changed`, {
    where: 'apply --target firewalld',
    hint: 'load our own table beside firewalld: blocklist apply; or take the time: --accept-slow-reload',
  });
}

/** How firewalld's files and the kernel differ from what is wanted; empty when nothing has to be done. */
export async function firewalldDifferences(nft: Nft, { sets, files }: FirewalldWork, found: Files): Promise<string[]> {
  const names = [...new Set([...files.keys(), ...found.keys()])];
  const other = names.filter((name) => {
    const [a, b] = [files.get(name), found.get(name)];
    return a === undefined || b === undefined || !a.equals(b);
  });
  return [...other.map((name) => `${name} is not as rendered`), ...(await firewalldDrift(nft, sets))];
}

/** The ipsets that there are to be, in their order. */
export function ipsetsOf({ sets }: FirewalldWork): Array<{ readonly name: string; readonly prefixes: number }> {
  return usedKeys(sets).map((key) => ({ name: ipsetName(key), prefixes: sets[key].size }));
}

/** `rules (blocklist-nodes4 123, blocklist-nets4 45)` */
function workWords(work: FirewalldWork): string {
  return `${work.title} (${ipsetsOf(work)
    .map(({ name, prefixes }) => `${name} ${grouped(prefixes)}`)
    .join(', ')})`;
}

async function tellPlan(
  work: FirewalldWork,
  isThere: boolean,
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<void> {
  const cut = await explained(await cutConnections(work.isDropped), project, options, context);
  if (options.json === true)
    return printJson(work, isThere ? 'nothing' : 'reload', { connections: cut.length }, context);
  const what = workWords(work);
  say(
    context,
    options,
    isThere ? `nothing to do: firewalld holds ${what}` : `would give firewalld ${what}, in one reload`,
  );
  for (const line of cut) say(context, options, `would end: ${connectionWords(line)}`);
  tellLimits(options, context);
  say(context, options, 'dry run: nothing was changed');
}

async function tellDone(
  nft: Nft,
  work: FirewalldWork,
  isThere: boolean,
  project: Project,
  options: FirewalldOptions & GlobalOptions,
  context: Context,
): Promise<ExitStatus> {
  // firewalld lets go on what is established: it is ended also when nothing was loaded.
  const { closed, ssh, refused, flows, problem } = await endSessions(work.isDropped);
  const doubts = doubtsOf(work.local.configured);
  const isWhole = problem === undefined && doubts.length === 0 && refused.length === 0;
  const status = isWhole ? ExitStatus.done : ExitStatus.incomplete;
  const before = await zonesBefore(nft);
  if (options.json === true) {
    const problems = [...(problem ? [problem.message] : []), ...doubts];
    printJson(
      work,
      isThere ? 'nothing' : 'reload',
      { ended: closed.length, refused: refused.length, flows, zonesBefore: before, problems },
      context,
    );
    return status;
  }
  const what = workWords(work);
  const did = isThere ? 'nothing to do: firewalld holds' : 'reloaded firewalld with';
  say(context, options, `${did} ${what}; read back: the kernel holds exactly this`);
  const voice = { ...options, quiet: false };
  for (const line of await explained(closed, project, options, context)) {
    const isSsh = ssh.includes(line.socket);
    say(context, isSsh ? voice : options, `ended${isSsh ? ', an SSH SESSION' : ''}: ${connectionWords(line)}`);
  }
  for (const line of await explained(refused, project, options, context)) {
    say(context, voice, `cannot end, and firewalld lets it go on: ${connectionWords(line)}`);
  }
  if (problem !== undefined) say(context, voice, `${notEnded(problem)}; but firewalld lets them go on`);
  for (const words of doubts) say(context, options, escapeText(words, 400));
  if (before.length > 0)
    say(context, voice, `asked before ours: zone ${before.join(', ')}; whom they know, they decide on`);
  tellLimits(options, context);
  say(context, options, `next: ${commandLine(context, options, 'status --target firewalld')}`);
  return status;
}

/** Never silently. */
function tellLimits(options: GlobalOptions, context: Context): void {
  const limits = [
    'answers to connections that this host begins, and ports that are published by DNAT (Docker), pass a zone of firewalld',
    'hits are not counted, and a ban ends with the apply after its end',
  ];
  for (const each of limits) say(context, options, `note: ${each}`);
}

function printJson(work: FirewalldWork, done: string, more: object, context: Context): void {
  const data = {
    schema: 'blocklist/apply-firewalld',
    version: 1,
    rules: work.title,
    done,
    entries: work.entries,
    sets: ipsetsOf(work),
    ...more,
  };
  context.stdout.write(`${JSON.stringify(data)}\n`);
}
