import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../io/json.js';
import { errnoOf, readWhole } from '../io/read.js';
import { removeTree, writeAtomic } from '../io/write.js';
import type { Counters, HitDay } from './hits.js';

/** What was dropped, day by day, in the state folder: `hits/2026-10-02.json`, and where the counters stood at the last look. */

const FOLDER = 'hits';
const LAST = 'last.json';
const DAY_FILE = /^(\d{4}-\d{2}-\d{2})\.json$/;
/** Above MOST_HOSTS of IPv6, and above full sets of the kernel. */
const CAP = 1 << 24;
/** A year and a month: this day can be held against the same one of the last year. */
const KEPT_DAYS = 396;

const count = z.int().min(0);
const tally = z.strictObject({ packets: count, bytes: count, hosts: count });
const counted = z.tuple([count, count]);
const named = <Value extends z.ZodType>(value: Value) =>
  z.record(z.string(), value).transform((object) => new Map(Object.entries(object)));

const daySchema = z.strictObject({
  version: z.literal(1),
  day: z.string(),
  total: tally,
  sources: named(tally),
  countries: named(tally),
  hosts: named(counted),
});
const lastSchema = z.strictObject({ version: z.literal(1), at: z.number(), hosts: named(counted) });

/** Where the counters stood, and when, in milliseconds since 1970. */
export interface LastLook {
  readonly at: number;
  readonly counters: Counters;
}

/** undefined when nobody looked yet, or the note is damaged: what the kernel remembers then counts anew. */
export async function readLastLook(state: string): Promise<LastLook | undefined> {
  const read = lastSchema.safeParse(await jsonOf(join(state, FOLDER, LAST))).data;
  return read && { at: read.at, counters: read.hosts };
}

/** The day first: after a crash in between, what came is counted twice rather than never. */
export async function writeHits(state: string, day: HitDay, { at, counters }: LastLook): Promise<void> {
  const { sources, countries, hosts, ...facts } = day;
  const maps = { sources: object(sources), countries: object(countries), hosts: object(hosts) };
  await writeAtomic(join(state, FOLDER, `${day.day}.json`), `${JSON.stringify({ version: 1, ...facts, ...maps })}\n`);
  await writeAtomic(join(state, FOLDER, LAST), `${JSON.stringify({ version: 1, at, hosts: object(counters) })}\n`);
}

/** undefined when nothing is known of the day, or its file is damaged. */
export async function readHitDay(state: string, day: string): Promise<HitDay | undefined> {
  const read = daySchema.safeParse(await jsonOf(join(state, FOLDER, `${day}.json`))).data;
  if (read === undefined) return undefined;
  const { version: _, ...known } = read;
  return known;
}

/** The file of a day as it is. */
export function hitDayBytes(state: string, day: string): Promise<Buffer | undefined> {
  return readWhole(join(state, FOLDER, `${day}.json`), CAP);
}

/** The days of which something is known, the oldest first. */
export async function hitDays(state: string): Promise<string[]> {
  try {
    return (await readdir(join(state, FOLDER))).flatMap((name) => DAY_FILE.exec(name)?.[1] ?? []).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes all but the newest days. */
export async function forgetOldDays(state: string): Promise<void> {
  for (const day of (await hitDays(state)).slice(0, -KEPT_DAYS)) await removeTree(join(state, FOLDER, `${day}.json`));
}

async function jsonOf(path: string): Promise<unknown> {
  const bytes = await readWhole(path, CAP);
  return bytes && parseJson(bytes.toString('utf8'));
}

function object<Value>(map: ReadonlyMap<string, Value>): Readonly<Record<string, Value>> {
  return Object.fromEntries(map);
}
