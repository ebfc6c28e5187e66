import { addressesOf, readLocalEntries } from '../apply/local-entries.js';
import { IpSet } from '../ip/index.js';
import type { Ban } from '../sources/bans/contract.js';
import { configuredAllow, withoutAllowed } from './allowed.js';
import type { Context } from './context.js';
import { ownBans } from './own-bans.js';
import type { Project } from './project.js';

/**
 * The bans that were made on this host, without whom it lets through all the same: CrowdSec's own bouncer, perhaps on this very host, knows nothing of
 * `allow`, and would drop them for our sake.
 * @throws BlocklistError when a source of them cannot be read, or it is not known whom a list of allowed addresses spares
 */
export async function bansToPush(project: Project, context: Context): Promise<Ban[]> {
  const { bans } = await ownBans(project, context);
  const { all: configured, unknown } = await configuredAllow(project, context);
  if (unknown !== undefined) throw unknown;
  const byHand = addressesOf(await readLocalEntries(project.bansState, context.now()), 'allow');
  const allowed = IpSet.unionOf([configured, byHand, IpSet.from(project.config.local.admins)]);
  // Few of many bans are concerned, and of clouds with many ranges few of these.
  const all = IpSet.from(bans.map(({ prefix }) => prefix)).intersect(allowed);
  if (all.isEmpty) return bans;
  return bans.flatMap((ban) => withoutAllowed(ban.prefix, all).map((prefix) => ({ ...ban, prefix })));
}
