// Rows about bans: those of fail2ban, out of its database.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import initialise from 'sql.js';
import { bansOfFail2ban } from '../../dist/sources/bans/fail2ban.js';
import { median, PAIRS } from './measure.mjs';

const COUNT = 100_000;

/** A database as fail2ban keeps it, each ban with a line of a log. */
async function makeDatabase(file) {
  const { Database } = await initialise();
  const database = new Database();
  const columns = 'ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON';
  database.exec(`CREATE TABLE fail2banDb(version INTEGER); INSERT INTO fail2banDb VALUES(4);
    CREATE TABLE bips(${columns}); CREATE TABLE bans(${columns}); BEGIN`);
  const insert = database.prepare('INSERT INTO bips VALUES(?, ?, ?, 86400, 1, ?)');
  const now = Math.floor(Date.now() / 1000);
  const data = JSON.stringify({ matches: ['Nov 24 03:17:00 web1 sshd[1]: Failed password for root'], failures: 5 });
  for (let i = 0; i < COUNT; i++) insert.run([`45.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 'sshd', now, data]);
  insert.free();
  database.exec('INSERT INTO bans SELECT * FROM bips; CREATE INDEX bips_ip ON bips(ip); COMMIT');
  writeFileSync(file, database.export());
  database.close();
}

/** Bans into typed values, with nothing kept yet and with the days of each address kept. */
export async function fail2ban(_lists, folder) {
  const database = join(folder, 'fail2ban.sqlite3');
  await makeDatabase(database);
  const read = async (settings) => {
    const start = performance.now();
    const { bans } = await bansOfFail2ban({ database, ...settings }, { state: folder, now: Date.now }).read();
    if (bans.length !== COUNT) throw new Error(`${bans.length} bans were read`);
    return (performance.now() - start) / 1000;
  };
  const rows = [];
  for (const [name, settings, limit] of [
    ['100,000 bans of fail2ban read from its database', {}, 1],
    ['the same, and the days of each address kept', { 'permanent-after': 5 }, undefined],
  ]) {
    const times = [];
    for (let i = 0; i < PAIRS; i++) times.push(await read(settings));
    const value = median(times);
    const holds = limit === undefined || value <= limit;
    rows.push({
      name,
      value,
      unit: 's',
      limit: limit === undefined ? 'none' : `≤ ${limit}`,
      holds,
      detail: 'in process',
    });
  }
  return rows;
}
