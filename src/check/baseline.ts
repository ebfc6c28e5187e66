import { join } from 'node:path';
import { z } from 'zod';
import { readState, writeState } from '../io/state-file.js';
import { type DoorKey, SCOPES } from './doors.js';

const keySchema = z.strictObject({
  protocol: z.enum(['tcp', 'udp']),
  port: z.union([z.int().min(1).max(65_535), z.literal('changing')]),
  scope: z.enum(SCOPES),
  executable: z.string().min(1).nullable(),
});
const schema = z.strictObject({
  version: z.literal(1),
  /** milliseconds since 1970 */
  at: z.number(),
  by: z.string().max(200),
  listeners: z.array(keySchema),
});

/** The listeners that a person looked at and wants on this host. */
export interface Baseline {
  /** milliseconds since 1970 */
  readonly at: number;
  readonly by: string;
  readonly listeners: readonly DoorKey[];
}

const fileOf = (state: string) => join(state, 'ports.json');

/** Undefined before the first acceptance. @throws BlocklistError `state-invalid` when it is damaged: nothing is then accepted, and nothing clean */
export async function readBaseline(state: string): Promise<Baseline | undefined> {
  return readState(fileOf(state), schema);
}

/** @throws BlocklistError `file-unwritable` */
export async function writeBaseline(state: string, baseline: Baseline): Promise<void> {
  await writeState(fileOf(state), { version: 1, ...baseline });
}

/** As a text to compare by. */
export function idOf({ protocol, port, scope, executable }: DoorKey): string {
  return JSON.stringify([protocol, port, scope, executable]);
}
