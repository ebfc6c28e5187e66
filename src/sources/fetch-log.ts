import { join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { readWhole } from '../io/read.js';
import { writeAtomic } from '../io/write.js';

const recordSchema = z.object({
  /** milliseconds since 1970: when the server last answered, whatever it said */
  asked: z.number(),
  /** answers in a row that were refusals */
  failures: z.int().min(0),
  /** milliseconds since 1970: not to be asked before */
  notBefore: z.number(),
  /** what was wrong with the body that came then: until the next one it stays wrong */
  refused: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
const logSchema = z.object({ version: z.literal(1), urls: z.record(z.string(), recordSchema) });
export type FetchRecord = z.output<typeof recordSchema>;

const FILE = 'fetches.json';
const KEPT_MS = 60 * 86_400_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

/** When each address was last asked and when it may be asked again; kept across runs, so that no crash makes us rude. */
export class FetchLog {
  private changed = false;

  private constructor(
    private readonly folder: string,
    private readonly urls: Map<string, FetchRecord>,
  ) {}

  /** A log that is damaged is an empty one. */
  static async open(folder: string): Promise<FetchLog> {
    let read: unknown;
    try {
      read = JSON.parse((await readWhole(join(folder, FILE), 1 << 24))?.toString('utf8') ?? 'null');
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof BlocklistError && error.code === 'too-large'))
        throw error;
    }
    return new FetchLog(folder, new Map(Object.entries(logSchema.safeParse(read).data?.urls ?? {})));
  }

  of(url: string): FetchRecord | undefined {
    return this.urls.get(url);
  }

  set(url: string, record: FetchRecord): void {
    this.urls.set(url, record);
    this.changed = true;
  }

  async save(now: number): Promise<void> {
    if (!this.changed) return;
    const kept = [...this.urls].filter(([, { asked }]) => now - asked < KEPT_MS).sort(([a], [b]) => (a < b ? -1 : 1));
    await writeAtomic(
      join(this.folder, FILE),
      `${JSON.stringify({ version: 1, urls: Object.fromEntries(kept) }, null, 2)}\n`,
    );
    this.changed = false;
  }
}

/**
 * What to remember of a refusal: the server is left alone for what it asks for (Retry-After), or for 5 minutes doubling to a
 * day. `random` is 0…1: hosts that failed together do not come back together.
 */
export function afterRefusal(
  before: FetchRecord | undefined,
  now: number,
  retryAfterMs: number | undefined,
  random: number,
): FetchRecord {
  const failures = (before?.failures ?? 0) + 1;
  const backoff = Math.min(5 * MINUTE * 2 ** (failures - 1), DAY) * (0.75 + random / 4);
  // A week at most: a server's slip of the pen must not silence a feed for a year.
  const wait = Math.max(backoff, Math.min(retryAfterMs ?? 0, 7 * DAY));
  return { asked: now, failures, notBefore: now + wait };
}
