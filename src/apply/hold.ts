import { join } from 'node:path';
import { z } from 'zod';
import { readState, writeState } from '../io/state-file.js';
import { removeTree } from '../io/write.js';

/**
 * What a person decided against the night: it stays until a person runs `apply`.
 * - unloaded: no rules of ours;
 * - rolled-back: the rules with this digest.
 */
const schema = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('unloaded'), at: z.number(), by: z.string() }),
  z.strictObject({ what: z.literal('rolled-back'), at: z.number(), by: z.string(), digest: z.string() }),
]);
export type Hold = z.output<typeof schema>;

/** Its name is known to the boot unit, which loads nothing while it is there. */
const UNLOADED = 'unloaded';
const ROLLED_BACK = 'rolled-back';

/** @throws BlocklistError `state-invalid` */
export async function readHold(state: string): Promise<Hold | undefined> {
  return (await readState(join(state, UNLOADED), schema)) ?? (await readState(join(state, ROLLED_BACK), schema));
}

export async function hold(state: string, decision: Hold): Promise<void> {
  await writeState(join(state, decision.what), decision);
  await removeTree(join(state, decision.what === UNLOADED ? ROLLED_BACK : UNLOADED));
}

export async function release(state: string): Promise<void> {
  await removeTree(join(state, UNLOADED));
  await removeTree(join(state, ROLLED_BACK));
}
