import { readArtefact } from '../apply/artefact-store.js';
import { Nft } from '../apply/nft.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { grouped } from '../io/figures.js';
import { namedSets } from '../render/layout.js';
import { type Command, type Context, commandLine, type GlobalOptions, shortPath } from './context.js';
import { shoutLines, standing } from './lockdown-words.js';
import { openProject } from './project.js';

/** Bare `blocklist`: the state in three lines, and the next command; before them a lockdown that stands. */
export const run: Command<unknown> = async (options, context) => {
  const lockdown = await standing();
  const lines: string[] = lockdown === undefined ? [] : shoutLines(lockdown, context);
  const next = await describe(lines, options, context);
  context.stdout.write(`${lines.join('\n')}\nnext:    ${next}\n`);
  return ExitStatus.done;
};

/** Adds the three lines and returns the next command. Each line that cannot be had names the command that makes it. */
async function describe(lines: string[], options: GlobalOptions, context: Context): Promise<string> {
  const project = await attempt(() => openProject(options, context, 'read'));
  if (project instanceof BlocklistError) {
    lines.push(`config:  ${project.message}`, 'rules:   unknown', 'loaded:  unknown');
    return `${context.self} build --config FILE    (or ${context.self} --help)`;
  }
  lines.push(`config:  ${shortPath(context, project.config.file)}`);
  const artefact = await attempt(() => readArtefact(project.config.paths.rules));
  if (artefact instanceof BlocklistError) {
    lines.push(`rules:   ${artefact.message}`, 'loaded:  unknown');
    return commandLine(context, options, 'update');
  }
  const prefixes = namedSets(artefact.sets).reduce((total, set) => total + set.prefixes.size, 0);
  lines.push(`rules:   ${shortPath(context, artefact.folder)}, ${grouped(prefixes)} prefixes`);
  const state = await attempt(() => new Nft().structure());
  if (state instanceof BlocklistError) {
    lines.push(`loaded:  unknown: ${state.message}`);
    return `as root: ${commandLine(context, options, 'status')}`;
  }
  const isCurrent = state?.digest === artefact.digest;
  lines.push(
    `loaded:  ${state === undefined ? 'nothing' : isCurrent ? 'these rules (elements not compared)' : 'other rules'}`,
  );
  return commandLine(context, options, isCurrent ? 'status' : 'apply --dry-run');
}

async function attempt<T>(work: () => Promise<T>): Promise<T | BlocklistError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlocklistError) return error;
    throw error;
  }
}
