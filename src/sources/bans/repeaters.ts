import { join } from 'node:path';
import { BlocklistError } from '../../errors.js';
import { readWhole } from '../../io/read.js';
import { writeAtomic } from '../../io/write.js';
import { formatPrefix } from '../../ip/index.js';
import type { Ban } from './contract.js';
import { MEMORY_DAYS } from './fail2ban-database.js';
import { prefixOf } from './prefix-of.js';

const DAY_MS = 86_400_000;
/** Above two million addresses. */
const CAP = 2 ** 27;

/** A time at which an address was banned. */
export interface Sighting {
  /** as fail2ban writes an address; anything else is passed over */
  readonly id: string;
  /** since 1970, UTC */
  readonly day: number;
  /** how often it was banned until then, as fail2ban counts */
  readonly count: number;
}

/** kept: what was seen is written down; left: by whoever only looks, perhaps into the folder of another user */
export type Memory = 'kept' | 'left';

interface Record {
  /** in any order, each once */
  readonly days: number[];
  count: number;
}

/**
 * Who was banned on which days. fail2ban forgets after a day or so (dbpurgeage), so it is remembered here: one address a line, with how often
 * fail2ban counted and the days that we saw,
 *
 *     45.9.1.7 3 2026-11-20 2026-11-24
 *
 * A person may take a line away: the address then begins anew. Who is not banned for good is forgotten a year after the last ban.
 */
export class Repeaters {
  private readonly path: string;

  constructor(
    state: string,
    /** this many bans, or days with bans, are for good */
    private readonly after: number,
  ) {
    this.path = join(state, FILE);
  }

  /**
   * Adds what was seen. @returns the bans for good, those of earlier times among them
   * @throws BlocklistError `state-invalid` when the file is damaged: nobody is forgotten by accident
   */
  async advance(seen: Iterable<Sighting>, now: number, memory: Memory = 'kept'): Promise<Ban[]> {
    const text = (await readWhole(this.path, CAP))?.toString('utf8') ?? '';
    const records = parsed(text, this.path);
    for (const { id, day, count } of seen) {
      const prefix = prefixOf(id);
      if (prefix === undefined) continue;
      // In one form: what is written here must be read again, whatever a filter captured.
      const key = formatPrefix(prefix);
      const record = records.get(key) ?? { days: [], count: 1 };
      if (!record.days.includes(day)) record.days.push(day);
      record.count = Math.max(record.count, Math.min(count, MOST));
      records.set(key, record);
    }
    const first = Math.floor(now / DAY_MS) - MEMORY_DAYS;
    for (const [key, record] of records) {
      if (!this.isForGood(record) && record.days.every((day) => day < first)) records.delete(key);
    }
    const written = textOf(records);
    const isNew = written !== text && (text !== '' || records.size > 0);
    if (isNew && memory === 'kept') await writeAtomic(this.path, written);
    return [...records].flatMap(([id, record]) => (this.isForGood(record) ? [banOf(id, record, this.path)] : []));
  }

  private isForGood({ count, days }: Record): boolean {
    return count >= this.after || days.length >= this.after;
  }
}

/** A count has up to nine digits in our file. */
const MOST = 999_999_999;
const FILE = 'fail2ban-repeaters.txt';
const HEADER = '# address, bans as fail2ban counts them, days with a ban; without its line an address begins anew\n';
const LINE = /^([0-9a-f:.]+(?:\/\d{1,3})?) (\d{1,9})((?: \d{4}-\d\d-\d\d)+)$/;

function banOf(id: string, { days, count }: Record, path: string): Ban {
  const prefix = prefixOf(id);
  if (prefix === undefined) throw damaged(path);
  const since = Math.min(...days) * DAY_MS;
  return { prefix, since, by: 'fail2ban', reason: 'banned again and again', count: Math.max(count, days.length) };
}

function textOf(records: ReadonlyMap<string, Record>): string {
  const dates = new Map<number, string>();
  const dateOf = (day: number) => {
    const known = dates.get(day) ?? new Date(day * DAY_MS).toISOString().slice(0, 10);
    dates.set(day, known);
    return known;
  };
  const lines = [...records].map(([key, { count, days }]) => {
    // A year of days is enough to tell, and keeps a line short.
    const newest = days.sort((a, b) => a - b).slice(-MEMORY_DAYS);
    return `${key} ${count} ${newest.map(dateOf).join(' ')}\n`;
  });
  return HEADER + lines.sort().join('');
}

function parsed(text: string, path: string): Map<string, Record> {
  const records = new Map<string, Record>();
  const known = new Map<string, number>();
  const dayOf = (date: string) => {
    const day = known.get(date) ?? Date.parse(date) / DAY_MS;
    known.set(date, day);
    return day;
  };
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, address = '', count = '', dates = ''] = LINE.exec(line.trimEnd()) ?? [];
    const days = [...new Set(dates.trim().split(' ').map(dayOf))];
    if (address === '' || days.some(Number.isNaN)) throw damaged(`${path}:${i + 1}`);
    records.set(address, { days, count: Number(count) });
  }
  return records;
}

/** Without the line: root may have been led to a file that is not for every eye. */
function damaged(where: string): BlocklistError {
  return new BlocklistError('state-invalid', 'a line is not an address, a count and days', {
    where,
    hint: 'mend the line or take it away; its address then begins anew',
  });
}
