import { addressesOf, type LocalEntry, readLocalEntries } from '../apply/local-entries.js';
import { IpSet } from '../ip/index.js';
import type { Ban } from '../sources/bans/contract.js';
import { isInForce } from '../sources/bans/in-force.js';
import { bansMadeHere, type MadeHere } from '../sources/bans/index.js';
import { onceEach } from '../sources/bans/once-each.js';
import { type ConfiguredAllow, configuredAllow, withoutAllowed } from './allowed.js';
import type { Context } from './context.js';
import type { Project } from './project.js';

/** The bans of this host, and why it may not be known whom they must spare: as ConfiguredAllow says. */
export type OwnBans = MadeHere & Pick<ConfiguredAllow, 'unknown'>;

/**
 * The bans in force that were made on this host, each once: those that others may want. What came from lists, CrowdSec or other hosts is not
 * among them, nor who is allowed here: fail2ban writes down a ban that its action refused.
 * @throws BlocklistError when a source of them cannot be read
 */
export async function ownBans(project: Project, context: Context): Promise<OwnBans> {
  const now = context.now();
  const entries = await readLocalEntries(project.bansState, now);
  const made = await bansMadeHere(project.config, { state: project.updateState, now: context.now });
  const all = [...entries.filter(({ what }) => what === 'ban').map(banOf), ...made.bans];
  const configured = await configuredAllow(project, context);
  const spared = IpSet.unionOf([
    configured.all,
    addressesOf(entries, 'allow'),
    IpSet.from(project.config.local.admins),
  ]);
  const bans = onceEach(all.filter((ban) => isInForce(ban, now))).flatMap((ban) =>
    withoutAllowed(ban.prefix, spared).map((prefix) => ({ ...ban, prefix })),
  );
  return { bans, problems: made.problems, unknown: configured.unknown };
}

function banOf({ prefix, since, until, author, by = author, reason }: LocalEntry): Ban {
  return { prefix, since, until, by, reason };
}
