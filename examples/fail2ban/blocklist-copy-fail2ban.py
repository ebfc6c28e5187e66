# written by blocklist install, sha256 7d4de45e01ae4e42054da9503184fe8603c7cc53571eebbbcc06b41ffa851b64
# Copies the bans of fail2ban to where blocklist update can read them. Run as root before it.
import grp
import os
import sqlite3
from urllib.parse import quote

SOURCE = "/var/lib/fail2ban/fail2ban.sqlite3"
FOLDER = "/var/lib/blocklist/fail2ban"
GROUP = "blocklist"
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
