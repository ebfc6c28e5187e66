import { join } from 'node:path';
import { z } from 'zod';
import { readState, writeState } from '../io/state-file.js';
import { removeTree } from '../io/write.js';
import { arm, disarm, isArmed, type Watchdog, watchdogSchema } from './watchdog.js';

const digest = z.string();
const schema = z.strictObject({
  version: z.literal(1),
  /** milliseconds since 1970 */
  at: z.number(),
  deadline: z.number(),
  /** digest in the kernel before; null when there was none */
  from: digest.nullable(),
  to: digest,
  watchdog: watchdogSchema,
});
/** A load that goes back by itself unless a person confirms it. */
export type Pending = z.output<typeof schema>;

export const pendingFile = (state: string) => join(state, 'pending.json');

/** The load that waits for its confirmation, and those that nobody confirmed and nobody was told of. @throws `state-invalid` */
export function readPending(state: string): Promise<Pending | undefined> {
  return readState(pendingFile(state), schema);
}

/** Whether the way back is still ahead. */
export async function isWaiting({ deadline, watchdog }: Pending, now: number): Promise<boolean> {
  return now < deadline && (await isArmed(watchdog));
}

/** Arms the way back, before anything is loaded. @throws as `arm` */
export async function openPending(
  state: string,
  { script, ms, now, from, to }: { script: Uint8Array; ms: number; now: number; from: string | null; to: string },
): Promise<void> {
  const watchdog: Watchdog = await arm(state, script, Math.ceil(ms / 1000));
  try {
    await writeState(pendingFile(state), { version: 1, at: now, deadline: now + ms, from, to, watchdog });
  } catch (error) {
    await disarm(watchdog);
    throw error;
  }
}

/** Disarms the way back and forgets it. */
export async function closePending(state: string, { watchdog }: Pending): Promise<void> {
  await disarm(watchdog);
  await removeTree(pendingFile(state));
}
