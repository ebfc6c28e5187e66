import { addressesOf, type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import { IpSet } from '../ip/index.js';
import type { Ban } from '../sources/bans/contract.js';
import { isInForce } from '../sources/bans/in-force.js';
import { bansMadeHere } from '../sources/bans/index.js';
import { onceEach } from '../sources/bans/once-each.js';
import { configuredAllow, withoutAllowed } from './allowed.js';
import type { Context } from './context.js';
import { fetcherOf } from './gather.js';
import type { Project } from './project.js';

/**
 * The bans in force that were made on this host, each once: those that others may want. What came from lists, CrowdSec or other hosts is not
 * among them, nor who is allowed here: fail2ban writes down a ban that its action refused.
 * @throws BlocklistError when a source of them cannot be read
 */
export async function ownBans(project: Project, context: Context): Promise<Ban[]> {
  const now = context.now();
  const fetcher = await fetcherOf(project, 'polite', context);
  const entries = await readLocalEntries(project.bansState, now);
  const bans = [
    ...entries.filter(({ what }) => what === 'ban').map(banOf),
    ...(await bansMadeHere(project.config, { fetcher, state: project.updateState, now: context.now })),
  ];
  const { all } = await configuredAllow(project, context);
  const spared = IpSet.unionOf([all, addressesOf(entries, 'allow'), IpSet.from(project.config.local.admins)]);
  return onceEach(bans.filter((ban) => isInForce(ban, now))).flatMap((ban) =>
    withoutAllowed(ban.prefix, spared).map((prefix) => ({ ...ban, prefix })),
  );
}

function banOf({ prefix, since, until, author, by = author, reason }: LocalEntry): Ban {
  return { prefix, since, until, by, reason };
}
