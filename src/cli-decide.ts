import { type Command, Option } from 'commander';
import type { Add } from './cli-command.js';
import type { AcceptOptions } from './commands/accept.js';

/** The commands of a person who decides about addresses on this host. */
export function addDecide(program: Command, add: Add): void {
  program.commandsGroup('Decide:');
  const decided = (addresses: string[], options: object) => ({ addresses, ...options });
  const withEnd = (command: Command) =>
    command
      .addOption(new Option('--for <time>', 'how long: 30m, 12h, 7d').conflicts('until'))
      .option('--until <date>', 'until when: 2026-12-31, 2026-12-31T18:00')
      .option('--reason <text>', 'why, for the record');
  withEnd(
    add(
      program,
      'ban',
      'drop everything from these addresses on this host, at once',
      ['sudo blocklist ban 203.0.113.7 --for 7d --reason "port scan"', 'sudo blocklist ban 2001:db8::/32'],
      () => import('./commands/ban.js'),
      decided,
    ).argument('[address...]', 'addresses or networks'),
  )
    .option('--by <name>', 'the program that bans: others cannot take it back by their name')
    .addOption(
      new Option(
        '--restore <jail>',
        'all that a jail of fail2ban bans by its database, in place of addresses',
      ).conflicts([...['by', 'for', 'until', 'reason']]),
    );
  add(
    program,
    'unban',
    'take back bans that were made on this host',
    ['sudo blocklist unban 203.0.113.7', 'sudo blocklist unban --by "fail2ban sshd"'],
    () => import('./commands/unban.js'),
    decided,
  )
    .argument('[address...]', 'addresses or networks')
    .option('--by <name>', 'only what this program banned; without addresses all of it');
  withEnd(
    add(
      program,
      'allow',
      'let these addresses through on this host, at once, whoever lists them',
      ['sudo blocklist allow 198.51.100.7 --for 12h', 'sudo blocklist allow 198.51.100.7 --remove'],
      () => import('./commands/allow.js'),
      decided,
    ).argument('<address...>', 'addresses or networks'),
  ).option('--remove', 'no longer');
  withEnd(
    add(
      program,
      'accept',
      'take a finding of check as it is, for 90 days or until a date',
      [
        "blocklist accept 1f6a0c9d2e47 --for 30d --reason 'the new key of the backup'",
        "blocklist accept 1f6a0c9d2e47 --until 2027-03-01 --reason 'on holiday in Spain'",
      ],
      () => import('./commands/accept.js'),
      (fingerprint: string, options: Omit<AcceptOptions, 'fingerprint'>) => ({ ...options, fingerprint }),
    ).argument('<fingerprint>', 'as check shows it'),
  );
}
