import { readManifest } from '../apply/artefact-store.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { age } from '../io/figures.js';
import { hitDays, readHitDay, readLastLook } from '../report/hit-files.js';
import { statsJson, statsText } from '../report/stats.js';
import { type Command, commandLine, say } from './context.js';
import { openProject } from './project.js';

export interface StatsOptions {
  /** gather what the kernel counted, and print nothing else */
  readonly harvest?: boolean;
  /** days back from today */
  readonly days: number;
}

/** What was dropped, by source, country and day, as it was gathered. Only `--harvest` writes. */
export const run: Command<StatsOptions> = async (options, context) => {
  if (options.harvest === true) return (await import('./harvest.js')).harvest(options, context);
  const { config, state } = await openProject(options, context, 'read');
  const last = await readLastLook(state);
  if (last === undefined) {
    throw new BlocklistError('nothing-kept', 'nothing was gathered yet: the kernel remembers hosts for an hour', {
      where: state,
      hint: `${commandLine(context, options, 'stats --harvest')}, as root and every half hour; blocklist install has a timer for it`,
    });
  }
  const wanted = (await hitDays(state)).slice(-options.days);
  const days = (await Promise.all(wanted.map((day) => readHitDay(state, day)))).filter((day) => day !== undefined);
  const named = (await readManifest(config.paths.rules))?.sources.map(({ id }) => id) ?? [];
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify(statsJson(days, named, last.at))}\n`);
    return ExitStatus.done;
  }
  context.stdout.write(statsText(days, named));
  say(context, options, `\ngathered ${age(context.now() - last.at)} ago; at least so much was dropped`);
  return ExitStatus.done;
};
