import { ExitStatus } from '../errors.js';
import { IpSet } from '../ip/index.js';
import type { Command } from './context.js';
import { type DecideOptions, decide, endWords, namedPrefixes, tellDecided, withNew, without } from './decide.js';

export interface AllowOptions extends DecideOptions {
  readonly remove?: boolean;
}

/** Lets these addresses through on this host, at once, whoever lists them. */
export const run: Command<AllowOptions> = async (options, context) => {
  const prefixes = namedPrefixes(options.addresses);
  const isRemoval = options.remove === true;
  const decided = await decide(
    ({ entries }) =>
      isRemoval ? without('allow', prefixes, entries) : withNew('allow', prefixes, options, entries, context),
    // Whose allowance ends may be listed: their connections would only starve.
    IpSet.empty,
    options,
    context,
  );
  const [entry] = decided.local.entries.slice(-1);
  const verb = isRemoval ? 'no longer allowed:' : `allowed ${entry === undefined ? '' : endWords(entry)}:`;
  tellDecided(verb, prefixes, decided, options, context);
  return ExitStatus.done;
};
