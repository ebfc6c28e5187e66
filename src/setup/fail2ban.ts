import { basename, dirname } from 'node:path';
import { FAIL2BAN } from '../config/fail2ban-schema.js';
import { PLACE, SYSTEM_USER } from './layout.js';

/** Where fail2ban looks for actions (jail.conf(5)); there is none where fail2ban is not installed. */
export const ACTION_FOLDER = '/etc/fail2ban/action.d';
export const ACTION_FILE = `${ACTION_FOLDER}/blocklist.conf`;
export const COPY_PROGRAM = '/usr/local/lib/blocklist-copy-fail2ban.py';

export function isForFail2ban(path: string): boolean {
  return path === ACTION_FILE || path === COPY_PROGRAM;
}

/**
 * Runs the copy program as root before the update. Where install did not write it, since there is no fail2ban, find does nothing, in silence and
 * without a shell.
 */
export const COPY_COMMAND: readonly string[] = [
  ...['/usr/bin/find', dirname(COPY_PROGRAM), '-maxdepth', '1', '-name', basename(COPY_PROGRAM), '-user', 'root'],
  ...['-exec', '/usr/bin/python3', '-I', '{}', '+'],
];

/**
 * Copies what the update needs of fail2ban's database to where its user can read it. fail2ban is a program of Python, so python3 is there. A
 * transaction of SQLite itself takes in a write-ahead log and waits for a writer. The lines of logs that fail2ban keeps beside a ban are none of our business and stay
 * behind. What cannot be copied leaves no copy: the update then says so and works with the last bans that it read.
 */
export function copyProgram({
  source = FAIL2BAN.database as string,
  folder = dirname(FAIL2BAN.copy),
  group = SYSTEM_USER as string,
} = {}): string {
  return `# Copies the bans of fail2ban to where blocklist update can read them. Run as root before it.
import grp
import os
import sqlite3
from urllib.parse import quote

SOURCE = "${source}"
FOLDER = "${folder}"
GROUP = "${group}"
TARGET = os.path.join(FOLDER, "fail2ban.sqlite3")
TEMPORARY = TARGET + ".tmp"
COLUMNS = "ip, jail, timeofban, bantime, bancount"


def forget(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def copy():
    os.umask(0o027)
    os.makedirs(FOLDER, mode=0o750, exist_ok=True)
    group = grp.getgrnam(GROUP).gr_gid
    os.chown(FOLDER, 0, group)
    forget(TEMPORARY)
    forget(TEMPORARY + "-journal")
    source = sqlite3.connect("file:%s?mode=ro" % quote(SOURCE), uri=True, timeout=20, isolation_level=None)
    source.execute("ATTACH ? AS copy", ("file:%s?mode=rwc" % quote(TEMPORARY),))
    source.execute("BEGIN")
    source.execute("CREATE TABLE copy.fail2banDb AS SELECT version FROM main.fail2banDb")
    for table in ("bips", "bans"):
        source.execute("CREATE TABLE copy.%s AS SELECT %s FROM main.%s" % (table, COLUMNS, table))
    source.execute("COMMIT")
    source.close()
    os.chown(TEMPORARY, 0, group)
    os.chmod(TEMPORARY, 0o640)
    os.replace(TEMPORARY, TARGET)


try:
    if os.path.exists(SOURCE):
        copy()
    else:
        forget(TARGET)
except BaseException:
    forget(TEMPORARY)
    forget(TARGET)
    raise
`;
}

/** The action of fail2ban: each ban and unban at once, in the sets of this host. `program` is how this program is called. */
export function actionText(program: readonly string[]): string {
  return `# Hands the bans of fail2ban to blocklist, which drops them before connection tracking, ends their connections, and knows whom it must never ban.
# In jail.local:   [DEFAULT]
#                  banaction = blocklist
#                  banaction_allports = blocklist

[Definition]

# Exit status 3 is done: there is something to look at beside, of which the nightly update and apply tell, too. fail2ban would take it for a ban that it did
# not make, and never take it back. 4 is a refusal: the address is allowed, or of this host. Any other is an error for the log of fail2ban.

# At a start: the bans that fail2ban restores, all in one go.
actionstart = <blocklist> ban --restore '<name>'
              status=$?; [ $status -eq 3 ] || exit $status
actionstart_on_demand = false

# At a stop, and for "unban --all": all bans of this jail, and of nobody else.
actionflush = <blocklist> unban --by 'fail2ban <name>'
actionstop =
actioncheck =

actionban = [ '<restored>' = 1 ] && exit 0
            time="--for <bantime>s"; [ <bantime> -lt 0 ] && time=""
            <blocklist> ban $time --by 'fail2ban <name>' -- "<ip>"
            status=$?; [ $status -eq 3 ] || [ $status -eq 4 ] || exit $status

# A longer time for an address that came again (bantime.increment).
actionprolong = %(actionban)s

actionunban = <blocklist> unban --by 'fail2ban <name>' -- "<ip>"

[Init]

# How the program is called; another configuration, in jail.local: blocklist[blocklist="blocklist --config FILE --quiet"]
blocklist = ${[...program.map(word), '--quiet', '--config', PLACE.config].join(' ')}
`;
}

/** For sh inside a file of Python's configparser, where % begins a replacement; fail2ban knows tags by their < and >. */
function word(text: string): string {
  const quoted = /^[\w./:@=+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  return quoted.replaceAll('%', '%%');
}
