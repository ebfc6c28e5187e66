import { readManifest, writeArtefact } from '../apply/artefact-store.js';
import { checkInNewNamespace, type NamespaceCheck } from '../apply/nft.js';
import { type Built, build } from '../build/build.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { withLock } from '../io/lock.js';
import { regularFileChunks } from '../io/read.js';
import { IpSet, specialPurpose } from '../ip/index.js';
import { renderArtefact, SCRIPT_FILE } from '../render/artefact.js';
import { namedSets } from '../render/commands.js';
import { buildJson, buildTables } from '../report/build-report.js';
import { readLastBuild, writeLastBuild } from '../report/last-build.js';
import type { Loaded, Network } from '../sources/contract.js';
import { bundledList } from '../sources/feeds/catalogue.js';
import { readLines } from '../sources/feeds/formats/plain.js';
import { configuredSources, loadSources, type Missing } from '../sources/index.js';
import { type Context, commandLine, type GlobalOptions, say, shortPath } from './context.js';
import { openProject, type Project } from './project.js';

/** `build` and `update`: sources → sets → rendered rules. They differ only in whether the network is asked. */
export async function refresh(network: Network, options: GlobalOptions, context: Context): Promise<ExitStatus> {
  const project = await openProject(options, context);
  return withLock(project.state, async () => {
    const { config } = project;
    const environment = { cache: project.cache, userAgent: `blocklist/${context.version}`, now: context.now };
    const { loaded, missing } = await loadSources(await configuredSources(config, environment), network);
    reportProblems(loaded, missing, await failingBefore(project.state), options, context);
    await requireNoneLost(config.paths.rules, missing);
    const built = build({
      sources: loaded,
      neverBlock: specialPurpose().union(await listOf([bundledList('never-block.txt')])),
      allow: await listOf(config.allow.files),
      now: context.now(),
      limits: { feeds: config.guards['max-coverage'], all: config.guards['max-country-coverage'] },
    });
    const files = renderArtefact(built.sets, built.shares);
    const script = files.get(SCRIPT_FILE) ?? new Uint8Array();
    const check = await checkInNewNamespace(script);
    await writeArtefact(config.paths.rules, files);
    await writeLastBuild(
      project.state,
      context.now(),
      loaded,
      missing.map(({ id, problem }) => ({ id, problem: problem.message })),
    );
    report(built, loaded, check, project, options, context);
    const incomplete = missing.length > 0 || loaded.some(({ problem }) => problem !== undefined);
    return incomplete ? ExitStatus.incomplete : ExitStatus.done;
  });
}

/** The union of lists of ours or of the operator: every line must be readable, since a lost line is a lost protection. */
async function listOf(paths: readonly string[]): Promise<IpSet> {
  let all = IpSet.empty;
  for (const path of paths) {
    const { set, report } = await readLines(regularFileChunks(path), { column: 'none' });
    const [bad] = report.samples;
    if (bad !== undefined) {
      throw new BlocklistError('bad-prefix', `${path}:${bad.line}: ${bad.reason}: ${escapeText(bad.text, 60)}`, {
        where: `${path}:${bad.line}`,
        hint: 'mend or remove this line: a list of allowed addresses must be readable as a whole',
      });
    }
    all = all.union(set);
  }
  return all;
}

/** Ids of the sources that failed in the build before this one. */
async function failingBefore(state: string): Promise<ReadonlySet<string>> {
  const last = await readLastBuild(state);
  const failed = (last?.sources ?? []).filter(({ problem }) => problem !== undefined);
  return new Set([...failed, ...(last?.missing ?? [])].map(({ id }) => id));
}

/** Rules that stand must not open because a source vanished together with its last good. */
async function requireNoneLost(rules: string, missing: readonly Missing[]): Promise<void> {
  if (missing.length === 0) return;
  const manifest = await readManifest(rules);
  const lost = missing.find(({ id }) => manifest?.sources.some((source) => source.id === id));
  if (lost === undefined) return;
  throw new BlocklistError(
    'source-lost',
    `the rules hold addresses of ${lost.id}, which cannot be read any more: ${lost.problem.message}; nothing was changed`,
    { where: lost.id, hint: 'mend the source, or remove it from the configuration if it is meant to go' },
  );
}

function reportProblems(
  loaded: readonly Loaded[],
  missing: readonly Missing[],
  known: ReadonlySet<string>,
  options: GlobalOptions,
  context: Context,
): void {
  for (const { id, problem } of [...loaded, ...missing]) {
    if (problem === undefined) continue;
    // A night that says nothing new should not send a mail; the first failure of a source should.
    const voice = known.has(id) ? options : { ...options, quiet: false };
    const kept = loaded.some((source) => source.id === id);
    const where = problem.where === undefined ? '' : ` (${escapeText(problem.where)})`;
    say(
      context,
      voice,
      `${id}: ${escapeText(problem.message, 300)}${where}; ${kept ? 'last good is used' : 'nothing to use'}`,
    );
  }
  if (options.verbose !== true) return;
  for (const { id, counts } of loaded) {
    for (const { line, reason, text } of counts.samples) {
      say(context, options, `${id}:${line}: ${reason}: ${escapeText(text, 80)}`);
    }
    if (counts.hostBits > 0)
      say(context, options, `${id}: ${counts.hostBits} entries had host bits set, which were cleared`);
  }
}

function report(
  built: Built,
  loaded: readonly Loaded[],
  check: NamespaceCheck,
  { config }: Project,
  options: GlobalOptions,
  context: Context,
): void {
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify(buildJson(built, namedSets(built.sets), loaded))}\n`);
    return;
  }
  if (options.quiet === true) return;
  context.stdout.write(buildTables(built, namedSets(built.sets), loaded));
  const checked = check.checked
    ? 'nft -c accepts it (in a network namespace of its own)'
    : `not checked by nft: ${check.why}`;
  say(context, options, `\nrendered ${shortPath(context, config.paths.rules)}/${SCRIPT_FILE}; ${checked}`);
  say(context, options, `next, as root: ${commandLine(context, options, 'apply --dry-run')}`);
  say(context, options, `          then: ${commandLine(context, options, 'apply')}`);
}
