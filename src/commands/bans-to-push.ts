import type { Ban } from '../sources/bans/contract.js';
import type { Context } from './context.js';
import { ownBans } from './own-bans.js';
import type { Project } from './project.js';

/**
 * The bans that were made on this host, without whom it lets through all the same: CrowdSec's own bouncer, perhaps on this very host, knows nothing of
 * `allow`, and would drop them for our sake.
 * @throws BlocklistError when not all of them are known, since those that are missing would be taken back there; and when it is not known whom a list of
 * allowed addresses spares
 */
export async function bansToPush(project: Project, context: Context): Promise<readonly Ban[]> {
  const { bans, problems, unknown } = await ownBans(project, context);
  const problem = unknown ?? problems[0];
  if (problem !== undefined) throw problem;
  return bans;
}
