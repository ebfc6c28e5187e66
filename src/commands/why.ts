import { BlocklistError, ExitStatus } from '../errors.js';
import { escapeText } from '../io/escape.js';
import { putAll } from '../io/put.js';
import type { Prefix } from '../ip/index.js';
import { whyJson } from '../report/why-json.js';
import { whyLines, whyParagraphs } from '../report/why-text.js';
import type { Unread } from '../sources/holding.js';
import { type Command, type Context, commandLine, type GlobalOptions, say, shortPath } from './context.js';
import { namedPrefixes } from './named-prefixes.js';
import { openProject } from './project.js';
import { answersFor } from './why-facts.js';

export interface WhyOptions {
  /** addresses and networks; `-` reads them from standard input */
  readonly addresses: readonly string[];
  /** what only this source brings, in place of addresses */
  readonly source?: string;
}

/** More answers than these are a line each. */
const MOST_PARAGRAPHS = 10;
/** Two million addresses. */
const LARGEST_INPUT = 1 << 25;

/** Whether addresses and networks are blocked, and why. Exit status 0 either way, 3 when something could not be looked into. */
export const run: Command<WhyOptions> = async (options, context) => {
  if (options.source !== undefined) {
    if (options.addresses.length > 0) throw new BlocklistError('bad-usage', 'name addresses or --source, not both');
    return (await import('./why-source.js')).whySource(options.source, options, context);
  }
  const blocks = await blocksOf(options.addresses, context.stdin);
  const project = await openProject(options, context, 'read');
  const { answers, rules, unread } = await answersFor(blocks, project, options, context);
  if (options.json === true) {
    await putAll(context.stdout, whyJson(answers, rules, unread));
  } else {
    const voice = {
      asked: unread.length === 0 ? ('all' as const) : ('some' as const),
      rules,
      now: context.now(),
      command: (line: string) => commandLine(context, options, line),
      path: (path: string) => shortPath(context, path),
    };
    await putAll(context.stdout, blocks.length > MOST_PARAGRAPHS ? whyLines(answers) : whyParagraphs(answers, voice));
    sayUnread(unread, options, context);
  }
  return unread.length === 0 ? ExitStatus.done : ExitStatus.incomplete;
};

async function blocksOf(texts: readonly string[], stdin: Context['stdin']): Promise<Prefix[]> {
  const all: Prefix[] = [];
  for (const text of texts) {
    if (text === '-') for (const prefix of await blocksOfInput(stdin)) all.push(prefix);
    else all.push(...namedPrefixes([text]));
  }
  if (all.length > 0) return all;
  throw new BlocklistError('bad-usage', 'name addresses or networks, - for standard input, or --source ID', {
    hint: 'blocklist why 203.0.113.7',
  });
}

/** One address or network a line; empty lines and comments are left out. */
async function blocksOfInput(stdin: Context['stdin']): Promise<Prefix[]> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_INPUT)
      throw new BlocklistError('too-large', 'standard input is larger than 32 MB', {
        where: '-',
        hint: 'ask in parts',
      });
  }
  const lines = Buffer.concat(chunks).toString('utf8').split('\n');
  return lines.flatMap((line, i) => {
    const text = line.replace(/#.*/, '').trim();
    if (text === '') return [];
    try {
      return namedPrefixes([text]);
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      const message = `line ${i + 1} of standard input: ${escapeText(error.message, 200)}`;
      throw new BlocklistError('bad-usage', message, { hint: 'one address or network a line', cause: error });
    }
  });
}

function sayUnread(unread: readonly Unread[], options: GlobalOptions, context: Context): void {
  if (unread.length === 0) return;
  // One database that cannot be read is not told for each of its countries.
  const told = new Map<string, string[]>();
  for (const { id, problem } of unread) {
    const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
    const words = `${escapeText(problem.message, 300)}${hint}`;
    told.set(words, [...(told.get(words) ?? []), escapeText(id, 200)]);
  }
  say(context, options, '\nnot all could be looked into:');
  for (const [words, ids] of told) say(context, options, `  ${ids.join(', ')}: ${words}`);
}
