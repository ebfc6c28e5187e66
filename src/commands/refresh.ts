import { readManifest, writeArtefact } from '../apply/artefact-store.js';
import type { NamespaceCheck } from '../apply/nft.js';
import { type Built, build } from '../build/build.js';
import type { Policy } from '../build/policy.js';
import type { Config } from '../config/load.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { grouped } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { IpSet, SPECIAL_PURPOSE } from '../ip/index.js';
import { renderArtefact, renderSample, SCRIPT_FILE } from '../render/artefact.js';
import { namedSets } from '../render/layout.js';
import type { AllowedList } from '../render/manifest.js';
import { readLastBuild, writeLastBuild } from '../report/last-build.js';
import type { Missing } from '../sources/index.js';
import { allowFileId } from './allowed.js';
import { type Context, commandLine, type GlobalOptions, say, shortPath } from './context.js';
import { requireWithinFirewalld, wantsFirewalld, writeFirewalldFiles } from './firewalld-files.js';
import { type Gathered, type GatherOptions, gather } from './gather.js';
import { listOf, neverBlock } from './lists.js';
import { openProject, type Project } from './project.js';
import { pushBansOf, withPushProblem } from './push-bans.js';
import { sayProblems } from './say-problems.js';

/** How sources are gathered, and in which form the rules are rendered beside the artefact. */
export interface RefreshOptions extends GatherOptions {
  readonly format?: 'nft' | 'firewalld';
}

/** `build` and `update`: sources → sets → rendered rules. They differ only in what the network is asked. */
export async function refresh(how: RefreshOptions, options: GlobalOptions, context: Context): Promise<ExitStatus> {
  const project = await openProject(options, context);
  return withLock(project.state, async () => {
    const { config } = project;
    const notPushed = await pushBansOf(project, how, options, context);
    const gathered = withPushProblem(await gather(project, how, options, context), notPushed);
    const { block, allow, only, missing, databases, idle, wasAsked } = gathered;
    const before = await readLastBuild(project.state);
    sayProblems(gathered, before, options, context);
    await requireNoneLost(config.paths.rules, missing);
    const { density, countries } = config.sources;
    const allowed = [...(await allowFiles(config)), ...allow];
    const built = build({
      sources: block,
      neverBlock: await neverBlock(),
      allow: IpSet.unionOf(allowed.map(({ set }) => set)),
      now: context.now(),
      limits: { feeds: config.guards['max-coverage'], all: config.guards['max-country-coverage'] },
      policy: policyOf(config),
      ...(density === undefined ? {} : { density }),
      ...(only === undefined
        ? {}
        : {
            only: {
              sources: only,
              ports: countries.ports ?? [],
              special: IpSet.from(SPECIAL_PURPOSE.map(([prefix]) => prefix)),
            },
          }),
    });
    const { rules } = config.paths;
    const forFirewalld = wantsFirewalld(rules, how.format ?? 'nft');
    if (forFirewalld) requireWithinFirewalld(built.sets, rules, context);
    const rendered = await render(built, allowed, rules);
    if (forFirewalld)
      say(context, options, `rendered ${shortPath(context, await writeFirewalldFiles(rules, built.sets))}`);
    const sources = [...block, ...allow, ...(only ?? []), ...databases];
    await writeLastBuild(project.state, context.now(), sources, missing, { build: before, wasAsked, idle });
    await report(built, gathered, rendered, project, options, context);
    // Not in the first run: nobody has a question yet, and somebody waits.
    if (before !== undefined) await gathered.prepare();
    const isIncomplete = [...sources, ...missing].some(({ problem }) => problem !== undefined);
    return isIncomplete ? ExitStatus.incomplete : ExitStatus.done;
  });
}

function policyOf({ policy }: Config): Policy {
  return {
    drop: policy.drop,
    ports: policy.ports,
    skipInterfaces: policy['skip-interfaces'],
    alsoOutbound: policy['also-outbound'],
    log: policy.log,
    echoLimit: policy['icmp-echo-limit'],
  };
}

async function allowFiles(config: Config): Promise<AllowedList[]> {
  return Promise.all(
    config.allow.files.map(async (path) => ({ id: allowFileId(config, path), set: await listOf(path) })),
  );
}

/** Writes the rules, and says how they were checked. A night without news writes and checks nothing. */
async function render(built: Built, allowed: readonly AllowedList[], rules: string): Promise<string> {
  const files = renderArtefact(built.sets, built.shares, allowed);
  let check = { checked: false, why: 'it was not asked' } as NamespaceCheck;
  const ended = await writeArtefact(rules, files, async () => {
    // A night without news pays neither for this nor for tables that nobody reads.
    const { checkInNewNamespace } = await import('../apply/nft.js');
    check = await checkInNewNamespace((size) => renderSample(built.sets, size));
  });
  if (ended === 'as they were') return ended;
  if (!check.checked) return `not checked by nft: ${check.why}`;
  return `nft -c accepts the rules, with up to ${grouped(check.size)} elements a set`;
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

async function report(
  built: Built,
  { block, only = [], missing }: Gathered,
  rendered: string,
  { config }: Project,
  options: GlobalOptions,
  context: Context,
): Promise<void> {
  if (options.quiet === true && options.json !== true) return;
  const { buildJson, buildTables } = await import('../report/build-report.js');
  const sets = namedSets(built.sets);
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify(buildJson(built, sets, block, missing))}\n`);
    return;
  }
  context.stdout.write(buildTables(built, sets, block, only));
  say(context, options, `\nrendered ${shortPath(context, config.paths.rules)}/${SCRIPT_FILE}; ${rendered}`);
  say(context, options, `next, as root: ${commandLine(context, options, 'apply --dry-run')}`);
  say(context, options, `          then: ${commandLine(context, options, 'apply')}`);
}
