import { hostname } from 'node:os';
import { type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import { ExitStatus } from '../errors.js';
import { writeBanLines } from '../sources/bans/ban-lines.js';
import type { Ban } from '../sources/bans/contract.js';
import { bansMadeHere } from '../sources/bans/index.js';
import type { Command } from './context.js';
import { fetcherOf } from './gather.js';
import { openProject } from './project.js';

/** Writes the bans in force that were made on this host, as other hosts take them under `sources.bans`. */
export const run: Command<unknown> = async (options, context) => {
  const project = await openProject(options, context, 'none');
  const now = context.now();
  const fetcher = await fetcherOf(project, 'polite', context);
  const byHand = (await readLocalEntries(project.state, now)).filter(({ what }) => what === 'ban').map(banOf);
  const bans = [...byHand, ...(await bansMadeHere(project.config, { fetcher }))];
  const open = bans.filter(({ until }) => until === undefined || until > now);
  context.stdout.write(writeBanLines(open, { host: hostname(), at: now }));
  return ExitStatus.done;
};

function banOf({ prefix, since, until, author, reason }: LocalEntry): Ban {
  return { prefix, since, until, by: author, reason };
}
