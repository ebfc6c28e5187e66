import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { commandAdder, none } from './cli-command.js';
import { addDecide } from './cli-decide.js';
import { addLook } from './cli-look.js';
import { addNightly } from './cli-nightly.js';
import { addSetUp } from './cli-set-up.js';
import { addTrouble } from './cli-trouble.js';
import type { GlobalOptions } from './commands/context.js';
import { BlocklistError, ExitStatus } from './errors.js';

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

addSetUp(program, add);
addNightly(program, add);
addLook(program, add);
addDecide(program, add);
addTrouble(program, add);
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

void main();
