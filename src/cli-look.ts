import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Add, collect, none } from './cli-command.js';
import type { StatsOptions } from './commands/stats.js';
import type { StatusOptions } from './commands/status.js';
import type { MergeFormat } from './report/set-output.js';

/** A year, of which the days are kept. */
const MOST_DAYS = 366;

interface MergeFlags {
  readonly exclude?: string[];
  readonly intersect?: string[];
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly format: MergeFormat;
  readonly summary?: boolean;
}

function dayCount(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MOST_DAYS) throw new InvalidArgumentError(`expected a number of days, 1 to ${MOST_DAYS}`);
  return days;
}

/** The commands that look and change nothing. */
export function addLook(program: Command, add: Add): void {
  program.commandsGroup('Look:');
  add(
    program,
    'status',
    'compare the kernel with the rendered rules; exit 1 when they differ',
    ['sudo blocklist status', 'sudo blocklist status --json'],
    () => import('./commands/status.js'),
    (options: StatusOptions) => options,
  )
    .option('--ref <gitref>', 'compare with the rules of this branch, tag or commit')
    .option('--fast', 'believe the digest and compare chains and rules only')
    .addOption(
      new Option('--target <target>', 'where the rules are: our own table, or firewalld')
        .choices(['nft', 'firewalld'])
        .default('nft'),
    );
  add(
    program,
    'why',
    'whether addresses are blocked, by which sources since when, and what frees them',
    ['blocklist why 203.0.113.7 2001:db8::/32', 'blocklist why --source ipsum-4'],
    () => import('./commands/why.js'),
    (addresses: string[], given: { source?: string }) => ({ addresses, ...given }),
  )
    .argument('[address...]', 'addresses or networks; - reads them from standard input, one a line')
    .option('--source <id>', 'what only this source brings, in place of addresses');
  add(
    program,
    'stats',
    'what was dropped, by source, country and day',
    ['sudo blocklist stats', 'sudo blocklist stats --days 30 --json'],
    () => import('./commands/stats.js'),
    (options: StatsOptions) => options,
  )
    .option('--days <number>', 'days back from today', dayCount, 7)
    .option('--harvest', 'gather what the kernel counted, for a timer');
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
    feeds,
    'asn',
    'networks by the name of their organisation, ready to paste; exit 1 when there is none',
    ['blocklist feeds asn "china mobile"', 'blocklist feeds asn AS4134 --json'],
    () => import('./commands/feeds-asn.js'),
    (words: string[]) => ({ words }),
  ).argument('<name...>', 'words that all occur in the name, in upper or lower case, or an AS number');
  add(
    program,
    'bans',
    'bans that were made on this host, as JSON lines that other hosts take',
    ['sudo blocklist bans > web1.jsonl', "sudo blocklist bans | jq -r 'select(.address).address'"],
    () => import('./commands/bans.js'),
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
}
