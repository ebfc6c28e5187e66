import { join } from 'node:path';
import { z } from 'zod';
import { readState, writeState } from '../../io/state-file.js';

const schema = z.strictObject({
  version: z.literal(1),
  accepted: z.array(
    z.strictObject({
      fingerprint: z.string().regex(/^[0-9a-f]{12}$/),
      at: z.number(),
      until: z.number(),
      by: z.string().max(200),
      reason: z.string().max(500),
    }),
  ),
});

/** A finding that a person looked at and takes as it is, until a day. */
export interface Accepted {
  readonly fingerprint: string;
  /** milliseconds since 1970 */
  readonly at: number;
  readonly until: number;
  readonly by: string;
  readonly reason: string;
}

const fileOf = (state: string) => join(state, 'accepted.json');

/** Those that hold at a moment. @throws BlocklistError `state-invalid` */
export async function readAccepted(state: string, now: number): Promise<readonly Accepted[]> {
  const read = await readState(fileOf(state), schema);
  return (read?.accepted ?? []).filter(({ until }) => until > now);
}

/** Adds one, in place of an earlier one of the same finding. @throws BlocklistError `state-invalid`, `file-unwritable` */
export async function accept(state: string, entry: Accepted): Promise<void> {
  const others = (await readAccepted(state, entry.at)).filter(({ fingerprint }) => fingerprint !== entry.fingerprint);
  await writeState(fileOf(state), { version: 1, accepted: [...others, entry] });
}
