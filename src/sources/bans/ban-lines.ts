import { z } from 'zod';
import { BlocklistError } from '../../errors.js';
import { parseJson } from '../../io/json.js';
import { formatPrefix, type RejectedLine, type RejectReason } from '../../ip/index.js';
import type { Ban } from './contract.js';
import { prefixOf } from './prefix-of.js';

/**
 * The one form in which bans are written down: JSON lines (RFC 8259, one object a line, LF). A header line names the schema and counts what
 * follows it, so that a file that was cut off is noticed; several such files one after the other are one, too.
 *
 *     {"schema":"blocklist/bans","version":1,"host":"web1","at":"2026-11-24T03:17:00.000Z","records":1}
 *     {"address":"45.9.1.7","since":"2026-11-23T22:01:00.000Z","until":"2026-11-30T22:01:00.000Z","by":"fail2ban sshd","count":3}
 */
const BANS_SCHEMA = 'blocklist/bans';

const text = z.string().max(200).optional();
const lineSchema = z.object({
  address: z.string(),
  since: z.string(),
  until: z.string().optional(),
  by: text,
  host: text,
  reason: text,
  count: z.int().min(1).optional(),
});
const headerSchema = z.object({
  schema: z.literal(BANS_SCHEMA),
  version: z.literal(1),
  host: text,
  at: z.string(),
  records: z.int().min(0),
});

/** What stands in front of bans. */
export interface BansHeader {
  /** the host that made them; bans that name none are of this one */
  readonly host?: string | undefined;
  /** milliseconds since 1970 */
  readonly at: number;
}

/** Bans of a file, and what became of its lines. */
export interface BanLines {
  readonly bans: readonly Ban[];
  readonly rejected: number;
  readonly samples: readonly RejectedLine[];
  /** the oldest of the headers */
  readonly at: number;
}

export function writeBanLines(bans: readonly Ban[], { host, at }: BansHeader): string {
  const header = { schema: BANS_SCHEMA, version: 1, host, at: dateText(at), records: bans.length };
  return [header, ...bans.map(lineOf)].map((line) => `${JSON.stringify(line)}\n`).join('');
}

function lineOf({ prefix, since, until, by, host, reason, count }: Ban): z.input<typeof lineSchema> {
  return {
    address: formatPrefix(prefix),
    since: dateText(since),
    until: until === undefined || until > LAST_DATE ? undefined : dateText(until),
    by,
    host,
    reason,
    count,
  };
}

/** ECMA-262 section 21.4.1.1: what ends later has no date, and lasts for good. */
const LAST_DATE = 8.64e15;

function dateText(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Lines that are no bans are counted, with the first five as samples.
 * @throws BlocklistError `source-format` when the first line is no header, `source-records` when fewer or more lines follow than a header says.
 */
export function readBanLines(bytes: Buffer, where: string): BanLines {
  const reader = new BanLinesReader(where);
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const found = bytes.indexOf(LF, start);
    const end = found < 0 ? bytes.length : found;
    // A line that never ends is none, and costs nothing.
    reader.line(line, end - start > LONGEST_LINE ? undefined : bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return reader.finish();
}

const LF = 0x0a;
const LONGEST_LINE = 4096;
const SAMPLES = 5;

class BanLinesReader {
  private readonly bans: Ban[] = [];
  private readonly samples: RejectedLine[] = [];
  private rejected = 0;
  private at = Number.POSITIVE_INFINITY;
  private host: string | undefined;
  /** lines that the last header promised and that did not come yet; undefined before the first one */
  private open: number | undefined;

  constructor(private readonly where: string) {}

  line(number: number, line: string | undefined): void {
    if (line?.trim() === '') return;
    const value = line === undefined ? undefined : parseJson(line);
    // A ban is no header and should not cost the telling why.
    const header = isHeader(value) ? headerSchema.safeParse(value).data : undefined;
    if (header !== undefined) return this.header(header);
    if (this.open === undefined) throw notBans(this.where);
    this.open--;
    const ban = banOf(value);
    if (typeof ban === 'object') this.bans.push({ ...ban, host: ban.host ?? this.host });
    else {
      this.rejected++;
      const reason = line === undefined ? 'line too long' : ban;
      if (this.samples.length < SAMPLES) this.samples.push({ line: number, text: line?.slice(0, 80) ?? '', reason });
    }
  }

  finish(): BanLines {
    this.requireAll();
    const { bans, rejected, samples, at } = this;
    return { bans, rejected, samples, at };
  }

  private header({ host, at, records }: z.output<typeof headerSchema>): void {
    if (this.open !== undefined) this.requireAll();
    const date = Date.parse(at);
    if (Number.isNaN(date)) throw notBans(this.where);
    this.at = Math.min(this.at, date);
    this.host = host;
    this.open = records;
  }

  private requireAll(): void {
    if (this.open === 0) return;
    if (this.open === undefined) throw notBans(this.where);
    const count = Math.abs(this.open);
    const words = `${count} ban${count === 1 ? '' : 's'} ${this.open > 0 ? 'fewer' : 'more'} than its header says`;
    throw new BlocklistError('source-records', words, {
      where: this.where,
      hint: 'it was cut off or is being written: try again later',
    });
  }
}

function isHeader(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'schema' in value;
}

function banOf(value: unknown): Ban | RejectReason {
  if (value === undefined) return 'not JSON';
  const line = lineSchema.safeParse(value).data;
  if (line === undefined) return 'missing field';
  const { address, since, until, ...rest } = line;
  const prefix = prefixOf(address);
  if (prefix === undefined) return 'not an address';
  const [from, to] = [Date.parse(since), until === undefined ? undefined : Date.parse(until)];
  if (Number.isNaN(from) || Number.isNaN(to ?? 0)) return 'missing field';
  return { prefix, since: from, until: to, ...rest };
}

function notBans(where: string): BlocklistError {
  return new BlocklistError('source-format', 'these are no bans: the first line is not a header of blocklist/bans', {
    where,
    hint: 'write them with blocklist bans on the other host',
  });
}
