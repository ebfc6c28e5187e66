import { join } from 'node:path';
import { z } from 'zod';
import { readState, writeState } from '../io/state-file.js';
import { formatPrefix, IpSet, type Prefix, parsePrefix } from '../ip/index.js';

const text = z.string().max(200);
const schema = z.strictObject({
  version: z.literal(1),
  entries: z.array(
    z.strictObject({
      what: z.enum(['ban', 'allow']),
      prefix: z.string().transform(parsePrefix),
      since: z.number(),
      until: z.number().optional(),
      reason: text.optional(),
      author: text,
      by: text.optional(),
    }),
  ),
});

/** What a person, or a program like fail2ban, decided about addresses on this host. Dates are milliseconds since 1970. */
export interface LocalEntry {
  readonly what: 'ban' | 'allow';
  readonly prefix: Prefix;
  readonly since: number;
  /** undefined: for good */
  readonly until?: number | undefined;
  readonly reason?: string | undefined;
  readonly author: string;
  /** the program that decided, like `fail2ban sshd`; undefined: a person */
  readonly by?: string | undefined;
}

const fileOf = (state: string) => join(state, 'local.json');

/** The decisions that are in force. @throws BlocklistError `state-invalid` */
export async function readLocalEntries(state: string, now: number): Promise<readonly LocalEntry[]> {
  const entries = (await readState(fileOf(state), schema))?.entries ?? [];
  return entries.filter(({ until }) => until === undefined || until > now);
}

export async function writeLocalEntries(state: string, entries: readonly LocalEntry[]): Promise<void> {
  await writeState(fileOf(state), {
    version: 1,
    entries: entries.map(({ prefix, ...rest }) => ({ ...rest, prefix: formatPrefix(prefix) })),
  });
}

/** The addresses of the entries of one kind. */
export function addressesOf(entries: readonly LocalEntry[], what: LocalEntry['what']): IpSet {
  return IpSet.from(entries.filter((entry) => entry.what === what).map(({ prefix }) => prefix));
}
