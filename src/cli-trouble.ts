import { Argument, type Command } from 'commander';
import { type Add, collect } from './cli-command.js';
import type { CheckLoginsOptions } from './commands/check-logins.js';
import type { CheckPortsOptions } from './commands/check-ports.js';
import type { GlobalOptions } from './commands/context.js';
import type { LockdownOptions } from './commands/lockdown.js';

/** The commands of a person who has somebody in the house. */
export function addTrouble(program: Command, add: Add): void {
  program.commandsGroup('In trouble:');
  add(
    program,
    'lockdown',
    'only these addresses may reach SSH, everything else that comes in is dropped; off: open again',
    ['sudo blocklist lockdown --allow 203.0.113.7 2001:db8::/64 --for 30m', 'sudo blocklist lockdown off'],
    () => import('./commands/lockdown.js'),
    (action: 'off' | undefined, options: Omit<LockdownOptions, 'action'>) => ({ ...options, action }),
  )
    .addArgument(new Argument('[action]', 'off ends it').choices(['off']))
    .option('--allow <address...>', 'who may reach SSH: addresses or networks')
    .option('--for <time>', 'how long, then the kernel itself ends it: 30m, 12h (default: until lockdown off)')
    .option('--port <number>', 'a port where SSH is served, beside those that are found (repeatable)', collect)
    .option('--cut-outbound', 'also drop what this host begins: only that SSH is left of the network')
    .option('--dry-run', 'print what would be cut off, and change nothing')
    .option('-y, --yes', 'do not ask');
  const check = program
    .command('check')
    .description('what should not be there: who came in, who is here, who listens on this host');
  add(
    check,
    'logins',
    'who came in and from where, and whether the records of it were changed; exit 1 when something is wrong',
    ['sudo blocklist check logins', 'sudo blocklist check logins --host-root /mnt --since 30d'],
    () => import('./commands/check-logins.js'),
    (options: CheckLoginsOptions) => options,
  )
    .option('--file <file...>', 'records in place of those of this host: wtmp, btmp, auth.log, a journal, a database')
    .option('--host-root <folder>', 'a mounted system, or a copy of its /etc and /var/log')
    .option('--since <time>', 'only what happened since: 7d, 2026-11-01')
    .option('--new', 'only what no earlier run told, and nothing when there is none')
    .option('--notify', 'with --new: tell it to whom notify: in the configuration names');
  add(
    check,
    'sessions',
    'who is here now, from where, whether w shows them, and what is left of who has gone; exit 1 when something is wrong',
    ['sudo blocklist check sessions', 'sudo blocklist check sessions --json'],
    () => import('./commands/check-sessions.js'),
    (options: GlobalOptions) => options,
  );
  add(
    check,
    'ports',
    'who listens, what of it was accepted, and what closes each; exit 1 when something is new',
    ['sudo blocklist check ports', 'sudo blocklist check ports --accept'],
    () => import('./commands/check-ports.js'),
    (options: CheckPortsOptions) => options,
  ).option('--accept', 'take what listens now as what is wanted');
}
