import { hostname } from 'node:os';
import { ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { writeBanLines } from '../sources/bans/ban-lines.js';
import { type Command, say } from './context.js';
import { ownBans } from './own-bans.js';
import { openProject } from './project.js';

/** Writes the bans in force that were made on this host, as other hosts take them under `sources.bans`. */
export const run: Command<unknown> = async (options, context) => {
  const project = await openProject(options, context, 'none');
  const { bans, problems } = await ownBans(project, context);
  context.stdout.write(writeBanLines(bans, { host: hostname(), at: context.now() }));
  for (const { message } of problems) {
    say(context, { ...options, quiet: false }, `some bans may be missing: ${escapeText(message, 300)}`);
  }
  return problems.length === 0 ? ExitStatus.done : ExitStatus.incomplete;
};
