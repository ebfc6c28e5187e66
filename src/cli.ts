#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { collect, commandAdder } from './cli-command.js';
import { addSetUp } from './cli-set-up.js';
import type { BuildOptions } from './commands/build.js';
import type { GlobalOptions } from './commands/context.js';
import type { UpdateOptions } from './commands/update.js';
import { BlocklistError, ExitStatus } from './errors.js';
import type { MergeFormat } from './report/set-output.js';

const CLOSED_PIPE = 'EPIPE';

function versionOfPackage(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

const program = new Command('blocklist')
  .description('Keeps hostile networks out: merges lists and countries into minimal sets and loads them into nftables.')
  .version(versionOfPackage())
  .option('--config <file>', 'configuration (default: ./blocklist.yaml, then /etc/blocklist/blocklist.yaml)')
  .option('--json', 'print data and errors as JSON')
  .option('-q, --quiet', 'print data and errors only')
  .option('-v, --verbose', 'print more: samples of rejected lines, stack traces')
  .option('--no-color', 'never use colour')
  .exitOverride()
  // With --json a usage error is an object, too: `fail` prints it.
  .configureOutput({ writeErr: (text) => void (wantsJson() || process.stderr.write(text)) })
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('(see --help)');

const { add, action } = commandAdder(program, versionOfPackage());
const none = () => ({});

addSetUp(program, add);
program.commandsGroup('Every night:');
add(
  program,
  'update',
  'fetch what is due, build the sets and render the rules',
  ['blocklist update', 'blocklist update --accept-change ipsum-4'],
  () => import('./commands/update.js'),
  (options: UpdateOptions) => options,
)
  .option('--offline', 'ask nobody: the same as build')
  .option('--force', 'ask also those that are not due, or that want to be left alone')
  .option('--source <id>', 'fetch only this source; the others come from last good (repeatable)', collect)
  .option('--accept-change <id>', 'take what this source has, however many entries came or went (repeatable)', collect);
add(
  program,
  'build',
  'the same from what is on this machine, without the network',
  ['blocklist build', 'blocklist build --config examples/quickstart/blocklist.yaml --json'],
  () => import('./commands/build.js'),
  (options: BuildOptions) => options,
).option('--accept-change <id>', 'take what this file has, however many entries came or went (repeatable)', collect);
add(
  program,
  'apply',
  'load the rendered rules in one transaction and read them back',
  ['blocklist apply --dry-run', 'sudo blocklist apply'],
  () => import('./commands/apply.js'),
  (options: { dryRun?: boolean }) => options,
).option('--dry-run', 'print what would change, and change nothing');
add(
  program,
  'unload',
  'remove our rules and nothing else',
  ['sudo blocklist unload', 'sudo blocklist unload --yes'],
  () => import('./commands/unload.js'),
  (options: { dryRun?: boolean; yes?: boolean }) => options,
)
  .option('--dry-run', 'print what would change, and change nothing')
  .option('-y, --yes', 'do not ask');

program.commandsGroup('Look:');
add(
  program,
  'status',
  'compare the kernel with the rendered rules; exit 1 when they differ',
  ['sudo blocklist status', 'sudo blocklist status --json'],
  () => import('./commands/status.js'),
  none,
);
const feeds = program.command('feeds').description('the catalogue of feeds, and what lists hold');
add(
  feeds,
  'list',
  'every feed and profile that is known by name',
  ['blocklist feeds list', 'blocklist feeds list --json'],
  () => import('./commands/feeds-list.js'),
  none,
);
add(
  feeds,
  'show',
  'all about one feed or profile, also about those that are no more',
  ['blocklist feeds show ipsum-4', 'blocklist feeds show nixspam'],
  () => import('./commands/feeds-show.js'),
  (id: string) => ({ id }),
).argument('<id>', 'feed or profile');
add(
  feeds,
  'test',
  'what a format makes of a list: accepted, rejected and why, guards; exit 1 when one trips',
  ['blocklist feeds test spamhaus-drop-v4', "blocklist feeds test bad.csv --as '{format: csv, column: ip}'"],
  () => import('./commands/feeds-test.js'),
  (what: string, given: { as?: string }) => ({ what, ...given }),
)
  .argument('<what>', 'a feed, a source of the configuration, a file or an address')
  .option('--as <keys>', 'keys of a custom source, as in the configuration');
add(
  feeds,
  'overlap',
  'which sources of the configuration hold the same addresses, and which bring nothing',
  ['blocklist feeds overlap', 'blocklist feeds overlap --json'],
  () => import('./commands/feeds-overlap.js'),
  none,
);
add(
  program,
  'merge',
  'set algebra as a filter: the union of lists as the fewest CIDRs',
  ['blocklist merge a.txt b.txt.gz --exclude allow.txt > blocked.txt', 'zcat feed.gz | blocklist merge -4 --summary'],
  () => import('./commands/merge.js'),
  (files: string[], { ipv4, ipv6, ...given }: MergeFlags) => ({
    files,
    ...given,
    ...(ipv4 ? { family: 4 as const } : ipv6 ? { family: 6 as const } : {}),
  }),
)
  .argument('[files...]', 'lists, plain or gzip; - is standard input (default)')
  .option('--exclude <file>', 'leave out what is in this list (repeatable)', collect)
  .option('--intersect <file>', 'keep only what is also in this list (repeatable)', collect)
  .addOption(new Option('-4, --ipv4', 'IPv4 only').conflicts('ipv6'))
  .option('-6, --ipv6', 'IPv6 only')
  .addOption(
    new Option('--format <format>', 'form of the output').choices(['cidr', 'range', 'nft', 'json']).default('cidr'),
  )
  .option('--summary', 'print figures instead of prefixes');
program.allowExcessArguments().action(async (_options, command: Command) => {
  const [unknown] = command.args;
  if (unknown !== undefined) {
    const { didYouMean } = await import('./config/issues.js');
    const known = command.commands.map((each) => each.name());
    const message = `error: unknown command '${unknown}'${didYouMean(unknown, known)}`;
    command.error(message, { code: 'commander.unknownCommand' });
  }
  await action(() => import('./commands/overview.js'), none)();
});

interface MergeFlags {
  readonly exclude?: string[];
  readonly intersect?: string[];
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly format: MergeFormat;
  readonly summary?: boolean;
}

/** The one place where a failure becomes words and an exit status. */
async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `blocklist merge … | head` is not a failure of ours.
    process.exit(error.code === CLOSED_PIPE ? (process.exitCode ?? ExitStatus.done) : ExitStatus.failed);
  });
  // Nobody listens to the words any more; the exit status still counts.
  process.stderr.on('error', () => undefined);
  let isDone = false;
  process.on('exit', () => {
    // A promise that nobody keeps lets the process end in the middle; that must not look as if all were done.
    if (!isDone && process.exitCode === undefined) process.exitCode = ExitStatus.failed;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = await fail(error);
  }
  isDone = true;
}

async function fail(error: unknown): Promise<ExitStatus> {
  if (error instanceof Error && 'code' in error && error.code === CLOSED_PIPE) return ExitStatus.done;
  if (error instanceof CommanderError && error.exitCode === 0) return ExitStatus.done;
  if (error instanceof CommanderError && !wantsJson()) return ExitStatus.usage;
  const { verbose, color } = program.opts<GlobalOptions>();
  const known =
    error instanceof BlocklistError ? error : error instanceof CommanderError ? usage(error) : internal(error);
  const { printError } = await import('./commands/print-error.js');
  printError(known, process.stderr, {
    form: wantsJson() ? 'json' : 'text',
    color: color !== false,
    isVerbose: verbose === true,
  });
  return known.exitStatus;
}

/** From the words themselves: a usage error comes before options are read. */
function wantsJson(): boolean {
  return process.argv.includes('--json');
}

function usage({ message }: CommanderError): BlocklistError {
  return new BlocklistError('bad-usage', message.replace(/^error: /, ''), { hint: 'see --help' });
}

function internal(cause: unknown): BlocklistError {
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new BlocklistError('internal', message, {
    hint: 'this is a defect: run again with --verbose and report it',
    cause,
  });
}

await main();
