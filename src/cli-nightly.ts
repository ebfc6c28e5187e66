import { type Command, Option } from 'commander';
import { type Add, collect, none } from './cli-command.js';
import type { ApplyOptions } from './commands/apply.js';
import type { BuildOptions } from './commands/build.js';
import type { UpdateOptions } from './commands/update.js';

/** The commands of every night, and those that take them back. */
export function addNightly(program: Command, add: Add): void {
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
    .option(
      '--accept-change <id>',
      'take what this source has, however many entries came or went (repeatable)',
      collect,
    );
  add(
    program,
    'build',
    'the same from what is on this machine, without the network',
    ['blocklist build', 'blocklist build --config examples/quickstart/blocklist.yaml --json'],
    () => import('./commands/build.js'),
    (options: BuildOptions) => options,
  )
    .option('--accept-change <id>', 'take what this file has, however many entries came or went (repeatable)', collect)
    .addOption(
      new Option('--format <format>', 'firewalld: its ipsets and zone, too, in rules/firewalld, from then on each time')
        .choices(['nft', 'firewalld'])
        .default('nft'),
    );
  add(
    program,
    'apply',
    'load the rendered rules in one transaction and read them back',
    ['blocklist apply --dry-run', 'sudo blocklist apply --ref main'],
    () => import('./commands/apply.js'),
    (options: ApplyOptions) => options,
  )
    .addOption(
      new Option('--target <target>', 'our own table, or ipsets and a zone of firewalld, which can less')
        .choices(['nft', 'firewalld'])
        .default('nft'),
    )
    .option('--accept-slow-reload', 'give firewalld more than 20,000 entries')
    .option('--dry-run', 'print what would change and which connections would end, and change nothing')
    .option('--ref <gitref>', 'load the rules as this branch, tag or commit holds them, not the files of the work tree')
    .option('--confirm <time>', 'go back after this time unless confirmed: 60s')
    .option('--repair', 'for timers: mend what differs, but leave alone what a person unloaded or rolled back')
    .option('--fast', 'do not read the sets back');
  add(
    program,
    'confirm',
    'keep what apply --confirm loaded',
    ['sudo blocklist apply --confirm 60s', 'sudo blocklist confirm'],
    () => import('./commands/confirm.js'),
    none,
  );
  add(
    program,
    'rollback',
    'go back to what was loaded before, or to any of the last five loads',
    ['sudo blocklist rollback --dry-run', 'sudo blocklist rollback 5d41402abc4b'],
    () => import('./commands/rollback.js'),
    (digest: string | undefined, options: { dryRun?: boolean }) => ({ ...options, digest }),
  )
    .argument('[digest]', 'begin of the digest of the rules')
    .option('--dry-run', 'print what would change, and change nothing');
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
}
