import { lockoutHits } from '../apply/lockout.js';
import { BlocklistError } from '../errors.js';
import { formatPrefix, fourSets, IpSet } from '../ip/index.js';
import { type Command, commandLine, say } from './context.js';
import { type DecideOptions, decide, endWords, requireNarrow, tellDecided, withNew } from './decide.js';
import type { Local } from './local.js';
import { namedPrefixes } from './named-prefixes.js';

/** Drops everything from these addresses on this host, at once, and ends their connections. */
export const run: Command<DecideOptions> = async (options, context) => {
  const prefixes = namedPrefixes(options.addresses);
  const wanted = IpSet.from(prefixes);
  const decided = await decide(
    (before, project) => {
      requireNarrow(prefixes, project);
      requireHarmless(wanted, before);
      return withNew('ban', prefixes, options, before.entries, context);
    },
    wanted,
    options,
    context,
  );
  const [first] = decided.local.entries.slice(-1);
  const status = tellDecided(
    `banned ${first === undefined ? '' : endWords(first)}:`,
    prefixes,
    decided,
    options,
    context,
  );
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
function requireHarmless(wanted: IpSet, { hosts, caller, allowed }: Local): void {
  const everyone = caller === undefined ? hosts : [...hosts, caller];
  const [hit] = lockoutHits({ in: fourSets(wanted) }, everyone, allowed);
  if (hit === undefined) return;
  throw new BlocklistError('lockout', `that would ban ${formatPrefix(hit.hit)}, ${hit.what}; nothing was changed`, {
    hint: 'ban the addresses around it',
  });
}
