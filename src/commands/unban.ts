import { ExitStatus } from '../errors.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import { type Command, commandLine, say } from './context.js';
import { type DecideOptions, decide, tellDecided, without } from './decide.js';
import { namedPrefixes } from './named-prefixes.js';

/** Takes bans back that were made by hand. */
export const run: Command<DecideOptions> = async (options, context) => {
  const prefixes = namedPrefixes(options.addresses);
  let missing: string[] = [];
  const decided = await decide(
    ({ entries }) => {
      const banned = new Set(entries.filter(({ what }) => what === 'ban').map(({ prefix }) => formatPrefix(prefix)));
      missing = prefixes.map(formatPrefix).filter((text) => !banned.has(text));
      return without('ban', prefixes, entries);
    },
    IpSet.empty,
    options,
    context,
  );
  tellDecided(
    'unbanned',
    prefixes.filter((prefix) => !missing.includes(formatPrefix(prefix))),
    decided,
    options,
    context,
  );
  for (const text of missing) {
    const line = commandLine(context, options, `allow ${text}`);
    say(context, options, `${text} was not banned by hand; if a list names it: ${line}`);
  }
  return ExitStatus.done;
};
