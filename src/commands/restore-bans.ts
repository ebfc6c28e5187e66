import type { LocalEntry } from '../apply/local-entries.js';
import { FAIL2BAN } from '../config/fail2ban-schema.js';
import type { ExitStatus } from '../errors.js';
import { grouped } from '../io/figures.js';
import { factsOf } from '../io/read.js';
import { IpSet, partIn } from '../ip/index.js';
import type { Ban, BansRead } from '../sources/bans/contract.js';
import { bansOfFail2ban } from '../sources/bans/fail2ban.js';
import { doubtsOf, requireAllowKnown } from './allowed.js';
import { authorOf } from './author.js';
import type { Context, GlobalOptions } from './context.js';
import { decide, isNarrow, programOf, tellDecided } from './decide.js';
import { everyoneOf, type Local } from './local.js';
import type { Project } from './project.js';

/**
 * Makes the bans of a jail on this host those of fail2ban's database, all in one go: fail2ban takes its bans back when it stops, and a start of
 * this program for each of thousands would keep it busy for minutes when it starts. Who is allowed or protected here is left out.
 */
export async function restoreBans(jail: string, options: GlobalOptions, context: Context): Promise<ExitStatus> {
  const by = programOf({ by: `fail2ban ${jail}` });
  let bans: readonly Ban[] = [];
  let told = '';
  const decided = await decide(
    async (before, project) => {
      const read = await bansOfJail(jail, project, context);
      if (read === undefined) return before.entries;
      requireAllowKnown(before.configured);
      bans = read.bans.filter(isToBeMade(before, project));
      told = leftWords(read.bans.length - bans.length, read.rejected);
      const author = authorOf(context);
      return [
        ...before.entries.filter((entry) => entry.by !== by),
        ...bans.map(({ prefix, since, until }): LocalEntry => {
          return { what: 'ban', prefix, since, author, by, ...(until === undefined ? {} : { until }) };
        }),
      ];
    },
    IpSet.empty,
    options,
    context,
  );
  const doubts = doubtsOf(decided.local.configured);
  const words = `bans of ${by} restored: ${grouped(bans.length)}${told}`;
  const prefixes = bans.map(({ prefix }) => prefix);
  return tellDecided(words, prefixes, decided, options, context, doubts);
}

/** undefined where fail2ban keeps no database: there is nothing that it could restore itself, either. */
async function bansOfJail(jail: string, { config }: Project, context: Context): Promise<BansRead | undefined> {
  const database = config.sources.fail2ban?.database ?? FAIL2BAN.database;
  if (factsOf(database) === undefined) return undefined;
  // By the database alone: the server waits for us while it starts a jail and answers nobody.
  const reader = bansOfFail2ban({ database, jails: [jail] }, { state: '', now: context.now });
  const read = await reader.read(undefined);
  return typeof read === 'string' ? undefined : read;
}

/** As `ban` judges them one by one. */
function isToBeMade(local: Local, project: Project): (ban: Ban) => boolean {
  const { allowed, configured } = local;
  const protectedHosts = IpSet.from(everyoneOf(local).map(({ prefix }) => prefix)).subtract(allowed);
  const spared = protectedHosts.union(configured.all);
  return ({ prefix }) => isNarrow(prefix, project) && partIn(spared, prefix).isEmpty;
}

function leftWords(left: number, rejected: number): string {
  const kept = left === 0 ? '' : `; ${grouped(left)} left out, which are allowed, of this host, or too wide`;
  return rejected === 0 ? kept : `${kept}; ${grouped(rejected)} left out, which are no addresses`;
}
