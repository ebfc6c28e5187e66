import { writeFile } from 'node:fs/promises';
import initialise from 'sql.js';

/** A ban in a made database: seconds, as fail2ban writes them. */
export interface MadeBan {
  readonly ip: string | null;
  readonly jail?: string | null;
  readonly at: number | string | null;
  readonly bantime?: number | string;
  readonly count?: number;
}

/** The tables of fail2ban 0.11 to 1.1 that hold bans (fail2ban.server.database, `_CREATE_SCRIPTS`). */
const SCHEMA = `
CREATE TABLE fail2banDb(version INTEGER);
CREATE TABLE jails(name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON);
CREATE INDEX bans_ip ON bans(ip);
CREATE TABLE bips(ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON);
CREATE INDEX bips_ip ON bips(ip);
`;

/** The bytes of a database of fail2ban with these bans: the last of an address in a jail is its ban, all are its history. */
export async function fail2banBytes(bans: readonly MadeBan[], version = 4): Promise<Buffer> {
  const { Database } = await initialise();
  const database = new Database();
  database.exec(SCHEMA);
  database.run('INSERT INTO fail2banDb VALUES(?)', [version]);
  for (const { ip, jail = 'sshd', at, bantime = 600, count = 1 } of bans) {
    database.run('DELETE FROM bips WHERE ip = ? AND jail = ?', [ip, jail]);
    database.run('INSERT INTO bips VALUES(?, ?, ?, ?, ?, ?)', [ip, jail, at, bantime, count, '{"matches":["secret"]}']);
    database.run('INSERT INTO bans VALUES(?, ?, ?, ?, ?, ?)', [jail ?? '', ip, at ?? 0, bantime, count, '{}']);
  }
  const bytes = Buffer.from(database.export());
  database.close();
  return bytes;
}

export async function writeFail2ban(path: string, bans: readonly MadeBan[], version?: number): Promise<void> {
  await writeFile(path, await fail2banBytes(bans, version));
}
