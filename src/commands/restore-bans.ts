import { access } from 'node:fs/promises';
import type { LocalEntry } from '../apply/local-entries.js';
import { FAIL2BAN } from '../config/fail2ban-schema.js';
import { ExitStatus } from '../errors.js';
import { grouped } from '../io/figures.js';
import { errnoOf } from '../io/read.js';
import { IpSet, type Prefix } from '../ip/index.js';
import type { Ban } from '../sources/bans/contract.js';
import { bansOfFail2ban } from '../sources/bans/fail2ban.js';
import { authorOf } from './author.js';
import { type Context, type GlobalOptions, say } from './context.js';
import { decide, tellDecided } from './decide.js';
import { everyoneOf, type Local } from './local.js';
import type { Project } from './project.js';

/**
 * Makes the bans of a jail on this host those of fail2ban's database, all in one go: fail2ban takes its bans back when it stops, and a start of
 * this program for each of thousands would keep it busy for minutes when it starts. Who is allowed or protected here is left out.
 */
export async function restoreBans(jail: string, options: GlobalOptions, context: Context): Promise<ExitStatus> {
  let left = 0;
  let restored: readonly Prefix[] = [];
  const decided = await decide(
    async (before, project) => {
      const bans = await bansOfJail(jail, project, context);
      if (bans === undefined) return before.entries;
      const harmless = bans.filter(isHarmless(before));
      left = bans.length - harmless.length;
      restored = harmless.map(({ prefix }) => prefix);
      const by = `fail2ban ${jail}`;
      return [
        ...before.entries.filter((entry) => entry.by !== by),
        ...harmless.map(({ prefix, since, until }): LocalEntry => {
          return {
            what: 'ban',
            prefix,
            since,
            author: authorOf(context),
            by,
            ...(until === undefined ? {} : { until }),
          };
        }),
      ];
    },
    IpSet.empty,
    options,
    context,
  );
  if (options.json === true) return tellDecided('restored', restored, decided, options, context);
  const rest = left === 0 ? '' : `; ${left} left out, which are allowed or of this host`;
  const when = decided.isLoaded ? 'in force now' : 'not loaded: in force with the next apply';
  say(context, options, `bans of fail2ban ${jail} restored: ${grouped(restored.length)}${rest}; ${when}`);
  return ExitStatus.done;
}

/** undefined where fail2ban keeps no database: there is nothing that it could restore itself, either. */
async function bansOfJail(jail: string, { config }: Project, context: Context): Promise<readonly Ban[] | undefined> {
  const database = config.sources.fail2ban?.database ?? FAIL2BAN.database;
  try {
    await access(database);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  // By the database alone: the server waits for us while it starts a jail and answers nobody.
  const reader = bansOfFail2ban({ database, jails: [jail] }, { state: '', now: context.now });
  const read = await reader.read(undefined);
  return typeof read === 'string' ? undefined : read.bans;
}

function isHarmless(local: Local): (ban: Ban) => boolean {
  const { allowed, configured } = local;
  const protectedHosts = IpSet.from(everyoneOf(local).map(({ prefix }) => prefix)).subtract(allowed);
  const spared = protectedHosts.union(configured.all);
  return ({ prefix }) => IpSet.from([prefix]).intersect(spared).isEmpty;
}
