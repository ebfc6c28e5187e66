import { join } from 'node:path';
import { z } from 'zod';
import { readState, writeState } from '../../io/state-file.js';
import type { Mark } from '../../logins/growth.js';
import type { Habits } from './knowledge.js';

const time = z.number();
const known = z.strictObject({ first: time, last: time, times: z.int().min(0), days: z.int().min(0) });
const habits = z.strictObject({
  first: time,
  logins: z.int().min(0),
  countries: z.record(z.string(), known),
  keys: z.record(z.string(), known),
  methods: z.record(z.string(), known),
  networks: z.record(z.string(), known),
});
const mark = z.strictObject({ inode: z.string(), size: z.int().min(0), digest: z.string() });
const schema = z.strictObject({
  version: z.literal(1),
  learnedUntil: time,
  users: z.record(z.string(), habits),
  marks: z.record(z.string(), mark),
  changes: z.array(
    z.strictObject({ path: z.string(), growth: z.enum(['shrunk', 'rewritten']), before: mark, after: mark, at: time }),
  ),
  told: z.record(z.string(), time),
});

/** A file that only grows, and had less or something else at a later review. */
export interface Change {
  readonly path: string;
  readonly growth: 'shrunk' | 'rewritten';
  readonly before: Mark;
  readonly after: Mark;
  /** when it was noticed, milliseconds since 1970 */
  readonly at: number;
}

/** What the reviews of this host remember. Times are milliseconds since 1970. */
export interface Memory {
  readonly learnedUntil: number;
  readonly users: Readonly<Record<string, Habits>>;
  /** of files that only grow, by path */
  readonly marks: Readonly<Record<string, Mark>>;
  /** files that lost what they had: the file itself does not show it any more */
  readonly changes: readonly Change[];
  /** findings that were told, by fingerprint, and when for the first time */
  readonly told: Readonly<Record<string, number>>;
}

/** Of a host that nobody looked at before. */
export const NO_MEMORY: Memory = { learnedUntil: 0, users: {}, marks: {}, changes: [], told: {} };

const fileOf = (state: string) => join(state, 'logins.json');

/** @throws BlocklistError `state-invalid` when it is damaged: what an intruder broke must not look like the first review of this host */
export async function readMemory(state: string): Promise<Memory> {
  const read = await readState(fileOf(state), schema);
  return read ?? NO_MEMORY;
}

/** @throws BlocklistError `file-unwritable` */
export async function writeMemory(state: string, memory: Memory): Promise<void> {
  await writeState(fileOf(state), { version: 1, ...memory });
}
