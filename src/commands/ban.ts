import { lockoutHits } from '../apply/lockout.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { formatPrefix, fourSets, IpSet, type Prefix } from '../ip/index.js';
import type { Command } from './context.js';
import { type DecideOptions, decide, endWords, namedPrefixes, tellDecided, withNew } from './decide.js';
import type { Local } from './local.js';
import type { Project } from './project.js';

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
  tellDecided(`banned ${first === undefined ? '' : endWords(first)}:`, prefixes, decided, options, context);
  return ExitStatus.done;
};

/** A slip of the key must not ban half of the internet. @throws BlocklistError `too-wide` */
function requireNarrow(prefixes: readonly Prefix[], { config: { guards } }: Project): void {
  for (const prefix of prefixes) {
    const key = prefix.family.version === 4 ? 'max-prefix-v4' : 'max-prefix-v6';
    if (prefix.length >= guards[key]) continue;
    throw new BlocklistError('too-wide', `${formatPrefix(prefix)} is wider than /${guards[key]}; nothing was changed`, {
      hint: `if it is meant, raise guards.${key} in the configuration`,
    });
  }
}

/** @throws BlocklistError `lockout` when the host, its network or the caller is among them */
function requireHarmless(wanted: IpSet, { everyone, allowed }: Local): void {
  const [hit] = lockoutHits({ in: fourSets(wanted) }, everyone, allowed);
  if (hit === undefined) return;
  throw new BlocklistError('lockout', `that would ban ${formatPrefix(hit.hit)}, ${hit.what}; nothing was changed`, {
    hint: 'ban the addresses around it',
  });
}
