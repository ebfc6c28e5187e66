import type { LocalEntry } from '../apply/local-entries.js';
import { BlocklistError, ExitStatus } from '../errors.js';
import { formatPrefix, IpSet } from '../ip/index.js';
import { type Command, commandLine, say } from './context.js';
import { type DecideOptions, decide, endWords, named, programOf, tellDecided, without } from './decide.js';
import { namedPrefixes } from './named-prefixes.js';

/** Takes bans back that were made on this host: by whomever, or by one program alone; without addresses all of that program. */
export const run: Command<DecideOptions> = async (options, context) => {
  const by = programOf(options);
  const asked = namedPrefixes(options.addresses);
  if (asked.length === 0 && by === undefined) {
    throw new BlocklistError('bad-usage', 'which addresses?', { hint: 'see --help' });
  }
  const isTheirs = (entry: LocalEntry) => entry.what === 'ban' && (by === undefined || entry.by === by);
  let prefixes = asked;
  let missing: string[] = [];
  const decided = await decide(
    ({ entries }) => {
      const theirs = entries.filter(isTheirs);
      if (asked.length === 0) prefixes = theirs.map(({ prefix }) => prefix);
      const banned = new Set(theirs.map(({ prefix }) => formatPrefix(prefix)));
      missing = prefixes.map(formatPrefix).filter((text) => !banned.has(text));
      const left = new Set(without('ban', prefixes, theirs));
      return entries.filter((entry) => !isTheirs(entry) || left.has(entry));
    },
    IpSet.empty,
    options,
    context,
  );
  const gone = prefixes.filter((prefix) => !missing.includes(formatPrefix(prefix)));
  if (gone.length > 0 || options.json === true) tellDecided(`unbanned ${named(gone)}`, gone, decided, options, context);
  else if (asked.length === 0) say(context, options, `nothing is banned by ${by}`);
  for (const text of missing) {
    const line = commandLine(context, options, `allow ${text}`);
    const whom = by === undefined ? 'by hand' : `by ${by}`;
    say(context, options, `${text} was not banned ${whom}; if a list names it: ${line}`);
  }
  const texts = new Set(gone.map(formatPrefix));
  for (const entry of decided.local.entries) {
    const text = formatPrefix(entry.prefix);
    if (entry.what !== 'ban' || !texts.has(text)) continue;
    say(context, options, `${text} is still banned ${endWords(entry)}, by ${entry.by ?? entry.author}`);
  }
  return ExitStatus.done;
};
