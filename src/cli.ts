#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { Context, GlobalOptions, Command as Run } from './commands/context.js';
import { BlocklistError, ExitStatus } from './errors.js';
import type { MergeFormat } from './report/set-output.js';

const CLOSED_PIPE = 'EPIPE';

function versionOfPackage(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

function makeContext(): Context {
  const script = process.argv[1] ?? '';
  const isInstalled = basename(script) === 'blocklist';
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin;
    },
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? -1,
    now: Date.now,
    version: versionOfPackage(),
    self: isInstalled ? 'blocklist' : `node ${relative(process.cwd(), script)}`,
  };
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

/** Makes an action that loads its command's file only now, and turns its result into the exit status. */
function action<Options>(load: () => Promise<{ run: Run<Options> }>, shape: (...args: never[]) => Options) {
  return async (...args: unknown[]) => {
    const { run } = await load();
    const options = { ...shape(...(args as never[])), ...program.opts<GlobalOptions>() };
    process.exitCode = await run(options, makeContext());
  };
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

const collect = (value: string, previous: readonly string[] = []) => [...previous, value];

program
  .commandsGroup('Every night:')
  .command('update')
  .description('fetch what may have changed, build the sets and render the rules')
  .addHelpText('after', examples('blocklist update', 'blocklist update --config /etc/blocklist/blocklist.yaml --quiet'))
  .action(
    action(
      () => import('./commands/update.js'),
      () => ({}),
    ),
  );
program
  .command('build')
  .description('the same from what is on this machine, without the network')
  .addHelpText(
    'after',
    examples('blocklist build', 'blocklist build --config examples/quickstart/blocklist.yaml --json'),
  )
  .action(
    action(
      () => import('./commands/build.js'),
      () => ({}),
    ),
  );
program
  .command('apply')
  .description('load the rendered rules in one transaction and read them back')
  .option('--dry-run', 'print what would change, and change nothing')
  .addHelpText('after', examples('blocklist apply --dry-run', 'sudo blocklist apply'))
  .action(
    action(
      () => import('./commands/apply.js'),
      (options: { dryRun?: boolean }) => options,
    ),
  );
program
  .command('unload')
  .description('remove our rules and nothing else')
  .option('--dry-run', 'print what would change, and change nothing')
  .option('-y, --yes', 'do not ask')
  .addHelpText('after', examples('sudo blocklist unload', 'sudo blocklist unload --yes'))
  .action(
    action(
      () => import('./commands/unload.js'),
      (options: { dryRun?: boolean; yes?: boolean }) => options,
    ),
  );

program
  .commandsGroup('Look:')
  .command('status')
  .description('compare the kernel with the rendered rules; exit 1 when they differ')
  .addHelpText('after', examples('sudo blocklist status', 'sudo blocklist status --json'))
  .action(
    action(
      () => import('./commands/status.js'),
      () => ({}),
    ),
  );
program
  .command('merge')
  .description('set algebra as a filter: the union of lists as the fewest CIDRs')
  .argument('[files...]', 'lists, plain or gzip; - is standard input (default)')
  .option('--exclude <file>', 'leave out what is in this list (repeatable)', collect)
  .option('--intersect <file>', 'keep only what is also in this list (repeatable)', collect)
  .addOption(new Option('-4, --ipv4', 'IPv4 only').conflicts('ipv6'))
  .option('-6, --ipv6', 'IPv6 only')
  .addOption(
    new Option('--format <format>', 'form of the output').choices(['cidr', 'range', 'nft', 'json']).default('cidr'),
  )
  .option('--summary', 'print figures instead of prefixes')
  .addHelpText(
    'after',
    examples(
      'blocklist merge a.txt b.txt.gz --exclude allow.txt > blocked.txt',
      'zcat feed.gz | blocklist merge -4 --summary',
    ),
  )
  .action(
    action(
      () => import('./commands/merge.js'),
      (files: string[], given: MergeFlags) => ({
        files,
        format: given.format,
        ...(given.exclude && { exclude: given.exclude }),
        ...(given.intersect && { intersect: given.intersect }),
        ...(given.summary && { summary: given.summary }),
        ...(given.ipv4 ? { family: 4 as const } : given.ipv6 ? { family: 6 as const } : {}),
      }),
    ),
  );
program.allowExcessArguments().action(async (_options, command: Command) => {
  const [unknown] = command.args;
  if (unknown !== undefined) {
    const { didYouMean } = await import('./config/issues.js');
    const known = command.commands.map((each) => each.name());
    const message = `error: unknown command '${unknown}'${didYouMean(unknown, known)}`;
    command.error(message, { code: 'commander.unknownCommand' });
  }
  await action(
    () => import('./commands/overview.js'),
    () => ({}),
  )();
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
    process.exit(error.code === CLOSED_PIPE ? process.exitCode : ExitStatus.failed);
  });
  // Nobody listens to the words any more; the exit status still counts.
  process.stderr.on('error', () => undefined);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = await fail(error);
  }
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
