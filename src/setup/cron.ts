import { COPY_COMMAND } from './fail2ban.js';
import { PLACE, SYSTEM_USER } from './layout.js';

/**
 * The crontab of a host without systemd. Lines that do not wait for each other: the rules on disk are whole at every moment, so
 * an apply after a failed update loads those of the day before.
 */
export function cronText(program: readonly string[]): string {
  const call = program.map(word).join(' ');
  const config = `--quiet --config ${PLACE.config}`;
  const places = `BLOCKLIST_CACHE_DIR=${PLACE.cache} BLOCKLIST_STATE_DIR=${PLACE.updateState}`;
  return `# Exit status 3 of update is an ordinary night: a feed failed and its last good list serves. With --quiet nothing is
# said, and nothing mailed, unless there is something to do. Feeds are asked by thousands of hosts: choose a minute of your own.
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MAILTO=root
# Only root reads what fail2ban wrote: the update works with a copy.
16 3 * * * root ${COPY_COMMAND.map(word).join(' ')}
17 3 * * * ${SYSTEM_USER} ${places} ${call} update ${config}
# Loads what was rendered and mends what differs, but not what was unloaded by hand.
47 * * * * root [ ! -f ${PLACE.rules}/manifest.json ] || [ -e ${PLACE.unloaded} ] || ${call} apply --repair ${config}
# Gathers what was dropped before the kernel forgets it.
10,40 * * * * root [ ! -f ${PLACE.rules}/manifest.json ] || ${call} stats --harvest ${config}
`;
}

/** cron gives the line to sh, and takes `%` for the end of it (crontab(5)). */
function word(text: string): string {
  const quoted = /^[\w./:@=+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  return quoted.replaceAll('%', '\\%');
}

/**
 * What a person puts at the end of `/etc/nftables.conf`. The brackets make each name a pattern: nft passes over a
 * pattern that matches nothing, while a plain name that is missing would keep the whole file from being loaded (nft(8), "Including files").
 */
export const INCLUDE_LINES: readonly string[] = [
  `include "${PLACE.boot}/loca[l]/blocklist.nft"`,
  `include "${PLACE.boot}/rule[s]/blocklist.nft"`,
];
