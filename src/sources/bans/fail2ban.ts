import { stat } from 'node:fs/promises';
import { FAIL2BAN, type Fail2banSettings } from '../../config/fail2ban-schema.js';
import { BlocklistError } from '../../errors.js';
import { errnoOf } from '../../io/read.js';
import type { RejectedLine } from '../../ip/index.js';
import type { Ban, BanReader, BansRead } from './contract.js';
import { bansOfServer, type ServerBan, timesOfServer } from './fail2ban-client.js';
import { type Fail2banRows, readFail2banDatabase } from './fail2ban-database.js';
import { prefixOf } from './prefix-of.js';
import { type Memory, Repeaters, type Sighting } from './repeaters.js';

/** Seconds; what fail2ban itself takes where an upgrade left none. */
const UNKNOWN_BANTIME = 600;
/** 9999-12-31: fail2ban writes it for "for ever", and nothing later can be printed. */
const LAST_SECOND = 253_402_300_799;
const SAMPLES = 5;

export interface Fail2banEnvironment {
  /** folder of what this host knows */
  readonly state: string;
  readonly now: () => number;
  readonly memory?: Memory;
}

/**
 * The bans of fail2ban on this host: those in force by its database and, where its server runs and we may talk to it, those that only the
 * server knows. Who is banned again and again is banned for good, if that is configured.
 */
export function bansOfFail2ban(settings: Fail2banSettings, environment: Fail2banEnvironment): BanReader {
  return {
    id: 'fail2ban',
    place: 'here',
    origin: settings.database ?? FAIL2BAN.database,
    read: () => new Reading(settings, environment).read(),
  };
}

class Reading {
  private readonly bans: Ban[] = [];
  private readonly samples: RejectedLine[] = [];
  private readonly now: number;
  private rejected = 0;
  private problem: BlocklistError | undefined;

  constructor(
    private readonly settings: Fail2banSettings,
    private readonly environment: Fail2banEnvironment,
  ) {
    this.now = environment.now();
  }

  async read(): Promise<BansRead> {
    const { database = FAIL2BAN.database } = this.settings;
    const found = await this.database(database);
    const known = new Set<string>();
    for (const row of found?.rows.bips ?? []) if (this.take(row, row.count)) known.add(`${row.jail} ${row.id}`);
    const isServed = await this.addServerBans(known);
    if (found === undefined && !isServed) throw noDatabase(database);
    const { bans, rejected, samples, problem } = this;
    bans.push(...(await this.repeaters(found?.rows)));
    const date = found?.date ?? this.now;
    return { bans, rejected, samples, date, ...(problem === undefined ? {} : { problem }) };
  }

  /** @returns undefined when there is none, as with `dbfile = None` */
  private async database(path: string): Promise<{ rows: Fail2banRows; date: number } | undefined> {
    const days = this.settings['permanent-after'] === undefined ? 'without-days' : 'with-days';
    try {
      const rows = await readFail2banDatabase(path, days, this.now);
      return rows && { rows, date: this.now };
    } catch (error) {
      const isClosed = error instanceof BlocklistError && ['EACCES', 'EPERM'].includes(errnoOf(error.cause) ?? '');
      if (!isClosed) throw error;
      // The copy is of the default database: it must not stand in for another one.
      if (this.settings.database !== undefined) throw error;
      // Its unit makes it before every update (src/setup/fail2ban.ts).
      const { copy } = FAIL2BAN;
      const rows = await readFail2banDatabase(copy, days, this.now);
      if (rows === undefined) throw noCopy(copy, error);
      return { rows, date: Math.min(this.now, (await stat(copy)).mtimeMs) };
    }
  }

  /** Takes a ban that is in force, or counts it as rejected. @returns false when it is over, or of a jail that is not asked for */
  private take({ id, jail, since, bantime }: ServerBan, count?: number): boolean {
    const { jails } = this.settings;
    if (jails?.includes(jail) === false) return false;
    const lasting = bantime === -2 ? UNKNOWN_BANTIME : bantime;
    const end = lasting === -1 || since + lasting > LAST_SECOND ? undefined : since + lasting;
    if (end !== undefined && since >= 0 && lasting >= 0 && end * 1000 <= this.now) return false;
    const prefix = since < 0 || lasting < -1 ? undefined : prefixOf(id);
    if (prefix === undefined) {
      this.rejected++;
      const line = this.bans.length + this.rejected;
      if (this.samples.length < SAMPLES) this.samples.push({ line, text: id.slice(0, 80), reason: 'not an address' });
      return true;
    }
    const until = end === undefined ? undefined : end * 1000;
    this.bans.push({ prefix, since: since * 1000, until, by: `fail2ban ${jail}`.slice(0, 100), count });
    return true;
  }

  /** Adds what only the server knows. @returns whether a server told us */
  private async addServerBans(known: ReadonlySet<string>): Promise<boolean> {
    // A database that is named is of another server than the one with the usual socket.
    const { database, socket = database === undefined ? FAIL2BAN.socket : undefined } = this.settings;
    if (socket === undefined) return false;
    try {
      const jails = await bansOfServer(socket);
      for (const [jail, ids] of jails ?? []) {
        const isNew = ids.some((id) => !known.has(`${jail} ${id}`));
        if (!isNew || this.settings.jails?.includes(jail) === false) continue;
        for (const ban of await timesOfServer(socket, jail)) if (!known.has(`${jail} ${ban.id}`)) this.take(ban);
      }
      return jails !== undefined;
    } catch (error) {
      if (!(error instanceof BlocklistError)) throw error;
      this.problem = error;
      return false;
    }
  }

  private async repeaters(rows: Fail2banRows | undefined): Promise<readonly Ban[]> {
    const after = this.settings['permanent-after'];
    if (after === undefined) return [];
    const counts = new Map<string, number>();
    const isChosen = ({ jail }: { readonly jail: string }) => this.settings.jails?.includes(jail) !== false;
    for (const row of rows?.bips.filter(isChosen) ?? [])
      counts.set(row.id, Math.max(row.count, counts.get(row.id) ?? 1));
    const seen = rows?.days.filter(isChosen).map(({ id, day }): Sighting => ({ id, day, count: counts.get(id) ?? 1 }));
    return new Repeaters(this.environment.state, after).advance(seen ?? [], this.now, this.environment.memory);
  }
}

function noDatabase(where: string): BlocklistError {
  return new BlocklistError('file-unreadable', 'there is no database of fail2ban, and no server that may be asked', {
    where,
    hint: 'name dbfile and socket of fail2ban.conf under sources.fail2ban, or take fail2ban out of the configuration',
  });
}

function noCopy(where: string, cause: BlocklistError): BlocklistError {
  return new BlocklistError(
    'no-permission',
    'only root may read the database of fail2ban, and there is no copy of it',
    {
      where,
      hint: 'blocklist install makes the nightly update copy it first; or run this as root',
      cause,
    },
  );
}
