import { ExitStatus } from '../errors.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import { type Command, say } from './context.js';
import { type DecideOptions, decide, endWords, named, requireNarrow, tellDecided, withNew, without } from './decide.js';
import { namedPrefixes } from './named-prefixes.js';

export interface AllowOptions extends DecideOptions {
  readonly remove?: boolean;
}

/** Lets these addresses through on this host, at once, whoever lists them. */
export const run: Command<AllowOptions> = async (options, context) => {
  const prefixes = namedPrefixes(options.addresses);
  const isRemoval = options.remove === true;
  let missing: string[] = [];
  const decided = await decide(
    ({ entries }, project) => {
      if (!isRemoval) {
        requireNarrow(prefixes, project);
        return withNew('allow', prefixes, options, entries, context);
      }
      const allowed = new Set(entries.filter(({ what }) => what === 'allow').map(({ prefix }) => formatPrefix(prefix)));
      missing = prefixes.map(formatPrefix).filter((text) => !allowed.has(text));
      return without('allow', prefixes, entries);
    },
    IpSet.empty,
    options,
    context,
  );
  const [entry] = decided.local.entries.slice(-1);
  const verb = isRemoval ? 'no longer allowed:' : `allowed ${entry === undefined ? '' : endWords(entry)}:`;
  const changed = prefixes.filter((prefix) => !missing.includes(formatPrefix(prefix)));
  tellDecided(`${verb} ${named(changed)}`, changed, decided, options, context);
  for (const text of missing) say(context, options, `${text} was not allowed by hand`);
  return ExitStatus.done;
};
