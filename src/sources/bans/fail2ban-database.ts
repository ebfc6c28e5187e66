import { z } from 'zod';
import { BlocklistError } from '../../errors.js';
import { type AskSqlite, readSqlite } from '../../io/sqlite.js';

/** The schema that we know (fail2ban.server.database, `__version__`), from 0.11 on; what is newer may mean something else by the same names. */
const KNOWN_VERSION = 4;
const DAY_S = 86_400;
/** Days of history that are asked for: what is older is forgotten. */
export const MEMORY_DAYS = 365;

const whole = z.int().min(0).max(253_402_300_799);
/** ip, jail, timeofban, bantime, bancount: fail2ban may hold anything that a filter captured for an address, so text is text */
const bipsSchema = z.array(
  z.tuple([
    z.string().nullable(),
    z.string().nullable(),
    whole.catch(-1),
    z.int().min(-2).catch(-3),
    z.int().min(1).catch(1),
  ]),
);
/** ip, jail, day since 1970 */
const daysSchema = z.array(z.tuple([z.string().nullable(), z.string().nullable(), whole.catch(-1)]));
const versionSchema = z.array(z.tuple([z.int()])).length(1);

/** The last ban of an address in a jail, in force or over. Times are seconds. */
export interface BipsRow {
  readonly id: string;
  readonly jail: string;
  /** since 1970; −1 when the row holds something else */
  readonly since: number;
  /** −1: for ever; −2: not known, by an upgrade of fail2ban; −3: something else stood there */
  readonly bantime: number;
  readonly count: number;
}

/** A day, counted from 1970 in UTC, on which an address was banned in a jail. */
export interface BanDay {
  readonly id: string;
  readonly jail: string;
  readonly day: number;
}

export interface Fail2banRows {
  readonly bips: readonly BipsRow[];
  readonly days: readonly BanDay[];
}

/**
 * Reads fail2ban's own notes: tables `bips`, the last ban of each address and jail, and `bans`, their history. The column `data` holds lines of logs
 * and is never asked for.
 * @param days whether the history is wanted
 * @returns undefined when there is no such file
 * @throws BlocklistError as readSqlite; `database-version`
 */
export function readFail2banDatabase(
  path: string,
  days: 'with-days' | 'without-days',
  now: number,
): Promise<Fail2banRows | undefined> {
  return readSqlite(path, (ask) => {
    requireKnown(path, ask);
    const bips = checked(
      path,
      bipsSchema,
      ask({ columns: ['CAST(ip AS TEXT)', 'CAST(jail AS TEXT)', 'timeofban', 'bantime', 'bancount'], from: 'bips' }),
    ).map(([ip, jail, since, bantime, count]) => ({ id: ip ?? '', jail: jail ?? '', since, bantime, count }));
    return { bips, days: days === 'with-days' ? daysOf(path, ask, now) : [] };
  });
}

function daysOf(path: string, ask: AskSqlite, now: number): BanDay[] {
  const first = Math.floor(now / 1000) - MEMORY_DAYS * DAY_S;
  const columns = `CAST(ip AS TEXT) AS ip, CAST(jail AS TEXT) AS jail, timeofban / ${DAY_S} AS day`;
  // UNION takes each row once; the last ban of an address stays in bips when its history is gone.
  const parts = ['bans', 'bips'].map((table) => `SELECT ${columns} FROM ${table} WHERE timeofban >= ${first}`);
  const rows = checked(path, daysSchema, ask({ columns: ['ip', 'jail', 'day'], from: `(${parts.join(' UNION ')})` }));
  return rows.map(([ip, jail, day]) => ({ id: ip ?? '', jail: jail ?? '', day })).filter(({ day }) => day >= 0);
}

function requireKnown(path: string, ask: AskSqlite): void {
  const [[version]] = checked(path, versionSchema, ask({ columns: ['version'], from: 'fail2banDb' })) as [[number]];
  if (version === KNOWN_VERSION) return;
  throw new BlocklistError(
    'database-version',
    `the database has version ${version} of fail2ban's schema, known is ${KNOWN_VERSION}`,
    {
      where: path,
      hint:
        version > KNOWN_VERSION
          ? 'install a newer blocklist'
          : 'fail2ban 0.11 and later bring it up to date when they start',
    },
  );
}

function checked<Schema extends z.ZodType>(path: string, schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const what = z.prettifyError(error).split('\n')[0];
  throw new BlocklistError('bad-database', `the database is not as fail2ban makes it: ${what}`, {
    where: path,
    hint: 'name the dbfile of fail2ban.conf as sources.fail2ban.database',
  });
}
