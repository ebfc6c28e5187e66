import { driftWords, EMERGENCY } from '../apply/apply.js';
import type { Count } from '../apply/live.js';
import { Nft } from '../apply/nft.js';
import { type Judged, judge } from '../apply/verdict.js';
import { wayBackLog } from '../apply/watchdog.js';
import { ExitStatus } from '../errors.js';
import { age, grouped } from '../io/figures.js';
import { table } from '../io/table.js';
import { type CounterName, namedSets } from '../render/layout.js';
import { type LastBuild, readLastBuild } from '../report/last-build.js';
import { artefactOf } from './artefact.js';
import { type Command, type Context, commandLine, type GlobalOptions, say, shortPath } from './context.js';
import { localOf } from './local.js';
import { lockdownJson, shoutLines, standing } from './lockdown-words.js';
import { openProject, type Project } from './project.js';

export interface StatusOptions {
  /** branch, tag or commit to compare with, in place of the files */
  readonly ref?: string;
  readonly fast?: boolean;
  readonly target?: 'nft' | 'firewalld';
}

const COUNTED: ReadonlyArray<readonly [name: CounterName, words: string]> = [
  ['dropped', 'dropped since loading'],
  ['dropped_out', 'dropped on the way out'],
  ['kept_out', 'kept out by countries.only'],
  ['echo_limited', 'pings beyond the limit'],
];

/** Compares what is loaded with what was loaded and what was reviewed, element by element. Never writes. */
export const run: Command<StatusOptions> = async (options, context) => {
  const lockdown = await standing();
  // Also for those who asked for silence, and before anything else can fail.
  for (const line of lockdown === undefined ? [] : shoutLines(lockdown, context))
    say(context, { ...options, quiet: false }, line);
  if (options.target === 'firewalld') return (await import('./status-firewalld.js')).run(options, context);
  const project = await openProject(options, context, options.ref === undefined ? 'read' : 'none');
  const { state } = project;
  const { artefact, title } = await artefactOf(options, project, context);
  const now = context.now();
  const { content } = await localOf(project, context);
  const look = options.fast === true ? 'structure' : 'every element';
  const judged = await judge(new Nft(), state, artefact, content, look, now);
  const sources = agesOf(await readLastBuild(project.updateState), now);
  const counters = judged.live?.counters ?? new Map<string, Count>();
  if (options.json === true) {
    const data = {
      verdict: judged.verdict,
      compared: look,
      digest: artefact.digest,
      loaded: judged.live?.digest ?? null,
      since: judged.load?.at ?? null,
      differences: (judged.drift?.sets ?? []).map(({ name, missing, extra }) => ({
        name,
        missing: String(missing),
        extra: String(extra),
      })),
      chains: judged.drift?.structure ?? [],
      hold: judged.hold ?? null,
      unconfirmed: judged.waiting === undefined ? null : { deadline: judged.waiting.deadline },
      expired: judged.expired === undefined ? null : { deadline: judged.expired.deadline, wentBack: !judged.isStuck },
      dropped: counters.get('dropped') ?? { packets: 0, bytes: 0 },
      counters: Object.fromEntries(counters),
      sources,
      lockdown: lockdown === undefined ? null : { ...lockdownJson(lockdown, context), intact: lockdown.isIntact },
    };
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/status', version: 1, ...data })}\n`);
  } else {
    const isRead = (name: string) =>
      judged.live === undefined
        ? 'not loaded'
        : judged.verdict === 'outdated'
          ? 'other rules'
          : judged.drift?.sets.some((each) => each.name === name)
            ? 'differs'
            : look === 'structure'
              ? 'not compared'
              : 'same';
    const rows = namedSets(artefact.sets).map(({ name, prefixes }) => [name, grouped(prefixes.size), isRead(name)]);
    const sets = table([{ title: 'set' }, { title: 'prefixes', align: 'right' }, { title: 'in the kernel' }], rows);
    context.stdout.write(`${sets}\n`);
    if (sources.length > 0) {
      const columns = [{ title: 'source' }, { title: 'age', align: 'right' }, { title: 'data' }] as const;
      const ages = sources.map((source) => [source.id, age(now - source.date), source.problem ?? source.state]);
      context.stdout.write(`${table(columns, ages)}\n`);
    }
    for (const [name, words] of COUNTED) {
      const { packets, bytes } = counters.get(name) ?? { packets: 0, bytes: 0 };
      // What the policy does not count is not told.
      if (judged.live !== undefined && (name === 'dropped' || packets > 0))
        context.stdout.write(`${words}: ${grouped(packets)} packets, ${grouped(bytes)} bytes\n`);
    }
    sayVerdict(judged, title, project, now, options, context);
  }
  return judged.verdict === 'in-sync' ? ExitStatus.done : ExitStatus.differs;
};

function agesOf(last: LastBuild | undefined, now: number) {
  return (last?.sources ?? []).map((source) => ({ ...source, ageSeconds: Math.round((now - source.date) / 1000) }));
}

function sayVerdict(
  { verdict, drift, load, hold, waiting, expired, isStuck }: Judged,
  rules: string,
  { state }: Project,
  now: number,
  options: StatusOptions & GlobalOptions,
  context: Context,
): void {
  const line = (command: string) => commandLine(context, options, command);
  const apply = options.ref === undefined ? 'apply' : `apply --ref ${options.ref}`;
  const since = load === undefined ? '' : `, loaded ${ago(load.at, now)}`;
  if (waiting !== undefined) {
    const left = Math.ceil((waiting.deadline - now) / 1000);
    say(context, options, `UNCONFIRMED: goes back in ${left} s unless: ${line('confirm')}`);
  }
  if (expired !== undefined && isStuck) {
    const log = shortPath(context, wayBackLog(state));
    say(context, options, `nobody confirmed the load of ${ago(expired.at, now)}, and it did NOT go back: see ${log}`);
    say(context, options, `to keep it: ${line('confirm')}; to go back: ${line('rollback')}`);
  } else if (expired !== undefined) {
    say(context, options, `nobody confirmed the load of ${ago(expired.at, now)}: it went back`);
  }
  if (hold !== undefined)
    say(context, options, `${hold.what} by ${hold.by} ${ago(hold.at, now)}; ${line(apply)} loads the rules again`);
  const what = options.fast === true ? 'the kernel says that it holds' : 'the kernel holds exactly';
  if (verdict === 'in-sync') say(context, options, `in sync: ${what} ${rules}${since}; in an emergency: ${EMERGENCY}`);
  else if (verdict === 'not-loaded') say(context, options, `not loaded: ${line(apply)}`);
  else if (verdict === 'outdated') {
    say(context, options, `other rules than ${rules} are loaded${since}`);
    say(context, options, `to see what would change: ${line(`${apply} --dry-run`)}`);
  } else {
    say(context, options, `DIFFERS from what was loaded: ${drift === undefined ? '' : driftWords(drift)}${since}`);
    say(context, options, `to mend it: ${line(`${apply} --repair`)}`);
  }
}

function ago(at: number, now: number): string {
  const text = age(now - at);
  return text === 'now' ? 'just now' : `${text} ago`;
}
