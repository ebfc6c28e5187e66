import { EMERGENCY, inWords, makePlan } from '../apply/apply.js';
import { readArtefact } from '../apply/artefact-store.js';
import { Nft } from '../apply/nft.js';
import { ExitStatus } from '../errors.js';
import { age, grouped } from '../io/figures.js';
import { table } from '../io/table.js';
import { namedSets } from '../render/commands.js';
import { readLastBuild } from '../report/last-build.js';
import { type Command, commandLine, say, shortPath } from './context.js';
import { openProject } from './project.js';

/** Compares what is loaded with the artefact, element by element. Never writes. */
export const run: Command<unknown> = async (options, context) => {
  const { config, state } = await openProject(options, context, 'read');
  const artefact = await readArtefact(config.paths.rules);
  const plan = await makePlan(new Nft(), artefact);
  const isLoaded = plan.live !== undefined;
  const dropped = plan.live?.dropped ?? { packets: 0, bytes: 0 };
  const last = await readLastBuild(state);
  const now = context.now();
  const verdict = !isLoaded ? 'not-loaded' : plan.kind === 'nothing' ? 'in-sync' : 'differs';
  const sources = (last?.sources ?? []).map((source) => ({
    ...source,
    ageSeconds: Math.round((now - source.date) / 1000),
  }));
  if (options.json === true) {
    const differences = plan.differences.sets.map(({ name, missing, extra }) => ({
      name,
      missing: String(missing),
      extra: String(extra),
    }));
    const { chains } = plan.differences;
    const data = {
      verdict,
      digest: artefact.digest,
      loaded: plan.loaded ?? null,
      differences,
      chains,
      dropped,
      sources,
    };
    context.stdout.write(`${JSON.stringify({ schema: 'blocklist/status', version: 1, ...data })}\n`);
    return verdict === 'in-sync' ? ExitStatus.done : ExitStatus.differs;
  }
  const rows = namedSets(artefact.sets).map(({ name, prefixes }) => [
    name,
    grouped(prefixes.size),
    isLoaded ? (plan.differences.sets.some((each) => each.name === name) ? 'differs' : 'same') : 'not loaded',
  ]);
  const sets = table([{ title: 'set' }, { title: 'prefixes', align: 'right' }, { title: 'in the kernel' }], rows);
  context.stdout.write(`${sets}\n`);
  if (sources.length > 0) {
    const columns = [{ title: 'source' }, { title: 'age', align: 'right' }, { title: 'data' }] as const;
    const ages = sources.map((source) => [source.id, age(now - source.date), source.problem ?? source.state]);
    context.stdout.write(`${table(columns, ages)}\n`);
  }
  if (isLoaded)
    context.stdout.write(
      `dropped since loading: ${grouped(dropped.packets)} packets, ${grouped(dropped.bytes)} bytes\n`,
    );
  const rules = shortPath(context, config.paths.rules);
  if (verdict === 'in-sync')
    say(context, options, `in sync: the kernel holds exactly ${rules}; in an emergency: ${EMERGENCY}`);
  else if (verdict === 'not-loaded') say(context, options, `not loaded: ${commandLine(context, options, 'apply')}`);
  else {
    say(context, options, `DIFFERS from ${rules}: ${inWords(plan.differences) || 'another digest is loaded'}`);
    say(context, options, `to load the artefact: ${commandLine(context, options, 'apply')}`);
  }
  return verdict === 'in-sync' ? ExitStatus.done : ExitStatus.differs;
};
