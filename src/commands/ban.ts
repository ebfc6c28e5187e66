import { lockoutHits } from '../apply/lockout.js';
import { BlocklistError } from '../errors.js';
import { formatPrefix, fourSets, IpSet } from '../ip/index.js';
import { doubtsOf, requireAllowKnown, requireNotAllowed } from './allowed.js';
import { type Command, commandLine, say } from './context.js';
import { type DecideOptions, decide, endWords, named, requireNarrow, tellDecided, withNew } from './decide.js';
import { everyoneOf, type Local } from './local.js';
import { namedPrefixes } from './named-prefixes.js';

export interface BanOptions extends DecideOptions {
  /** a jail of fail2ban: all that it bans by its database */
  readonly restore?: string;
}

/** Drops everything from these addresses on this host, at once, and ends their connections. */
export const run: Command<BanOptions> = async (options, context) => {
  if (options.restore !== undefined) {
    if (options.addresses.length > 0) {
      throw new BlocklistError('bad-usage', '--restore takes its addresses from fail2ban', { hint: 'see --help' });
    }
    const { restoreBans } = await import('./restore-bans.js');
    return restoreBans(options.restore, options, context);
  }
  const prefixes = namedPrefixes(options.addresses);
  if (prefixes.length === 0) throw new BlocklistError('bad-usage', 'which addresses?', { hint: 'see --help' });
  const wanted = IpSet.from(prefixes);
  const decided = await decide(
    (before, project) => {
      requireNarrow(prefixes, project);
      requireHarmless(wanted, before);
      requireNotAllowed(wanted, before.configured);
      requireAllowKnown(before.configured);
      return withNew('ban', prefixes, options, before.entries, context);
    },
    wanted,
    options,
    context,
  );
  const [first] = decided.local.entries.slice(-1);
  const words = `banned ${first === undefined ? '' : endWords(first)}: ${named(prefixes)}`;
  const status = tellDecided(words, prefixes, decided, options, context, doubtsOf(decided.local.configured));
  const [open] = wanted.intersect(decided.local.open).prefixes();
  if (open !== undefined) {
    const line = commandLine(context, options, `allow --remove ${formatPrefix(open)}`);
    say(
      context,
      options,
      `but ${formatPrefix(open)} is allowed here, which wins over a ban; if it was by hand: ${line}`,
    );
  }
  return status;
};

/** @throws BlocklistError `lockout` when the host, its network or the caller is among them */
function requireHarmless(wanted: IpSet, local: Local): void {
  const [hit] = lockoutHits({ in: fourSets(wanted) }, everyoneOf(local), local.allowed);
  if (hit === undefined) return;
  throw new BlocklistError('lockout', `that would ban ${formatPrefix(hit.hit)}, ${hit.what}; nothing was changed`, {
    hint: 'ban the addresses around it',
  });
}
