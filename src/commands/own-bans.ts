import { type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import type { Ban } from '../sources/bans/contract.js';
import { isInForce } from '../sources/bans/in-force.js';
import { bansMadeHere } from '../sources/bans/index.js';
import { onceEach } from '../sources/bans/once-each.js';
import type { Context } from './context.js';
import { fetcherOf } from './gather.js';
import type { Project } from './project.js';

/**
 * The bans in force that were made on this host, each once: those that others may want. What came from lists, CrowdSec or other hosts is not
 * among them.
 * @throws BlocklistError when a source of them cannot be read
 */
export async function ownBans(project: Project, context: Context): Promise<Ban[]> {
  const now = context.now();
  const fetcher = await fetcherOf(project, 'polite', context);
  const byHand = (await readLocalEntries(project.bansState, now)).filter(({ what }) => what === 'ban').map(banOf);
  const bans = [
    ...byHand,
    ...(await bansMadeHere(project.config, { fetcher, state: project.updateState, now: context.now })),
  ];
  return onceEach(bans.filter((ban) => isInForce(ban, now)));
}

function banOf({ prefix, since, until, author, by = author, reason }: LocalEntry): Ban {
  return { prefix, since, until, by, reason };
}
