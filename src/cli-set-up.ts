import type { Command } from 'commander';
import { type Add, collect } from './cli-command.js';
import type { DoctorOptions } from './commands/doctor.js';
import type { InitOptions } from './commands/init.js';
import type { InstallOptions } from './commands/install.js';
import type { UninstallOptions } from './commands/uninstall.js';

/** The commands that set a host up. */
export function addSetUp(program: Command, add: Add): void {
  program.commandsGroup('Set up:');
  add(
    program,
    'init',
    'write a commented blocklist.yaml; asks on a terminal what no flag says',
    ['blocklist init', 'blocklist init --profile web --country cn --admin 198.51.100.7 --proxy cloudflare --yes'],
    () => import('./commands/init.js'),
    (options: InitOptions) => options,
  )
    .option('--profile <id>', 'named set of feeds (default: server-basic)')
    .option('--country <code>', 'keep this country out: two letters (repeatable)', collect)
    .option(
      '--admin <address>',
      'never lock this address out (repeatable; default: where this SSH session is from)',
      collect,
    )
    .option('--proxy <id>', 'never block this CDN or cloud in front of the host (repeatable)', collect)
    .option('--git', 'keep the folder in git')
    .option('-y, --yes', 'do not ask: take the defaults for what no flag says')
    .option('--force', 'replace a configuration that is there');
  const install = add(
    program,
    'install',
    'services and timers (or cron), system user, folders; shows its plan first',
    ['blocklist install --dry-run', 'sudo blocklist install'],
    () => import('./commands/install.js'),
    (options: InstallOptions) => options,
  )
    .option('--cron', 'a crontab and an include line in place of services (default where systemd does not run)')
    .option('--program <path>', 'the program that is to be run (default: this one)');
  const uninstall = add(
    program,
    'uninstall',
    'remove what install wrote; the rules stay loaded',
    ['blocklist uninstall --dry-run', 'sudo blocklist uninstall --purge'],
    () => import('./commands/uninstall.js'),
    (options: UninstallOptions) => options,
  ).option('--purge', 'also configuration, rules, lists, state and the system user');
  add(
    program,
    'doctor',
    'examine this host: versions, rights, a probe, other firewalls, what rules cannot see; each with a fix',
    ['sudo blocklist doctor', 'blocklist doctor --only config --only disk'],
    () => import('./commands/doctor.js'),
    (options: DoctorOptions) => options,
  ).option('--only <examination>', 'this examination alone (repeatable)', collect);
  for (const command of [install, uninstall]) {
    command
      .option('--root <dir>', 'work on the tree of an image in this folder; no service is started, no user made')
      .option('--dry-run', 'print the plan, and change nothing')
      .option('-y, --yes', 'do not ask')
      .option('--force', 'also files that somebody edited');
  }
}
