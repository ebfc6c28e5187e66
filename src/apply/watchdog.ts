import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BlocklistError } from '../errors.js';
import { end, isRunning, startAfter } from '../io/detached.js';
import { run } from '../io/run.js';
import { writeAtomic } from '../io/write.js';

/**
 * What loads the way back when nobody confirms. It needs nothing of ours: a timer of systemd, or two small processes in sessions of
 * their own, and then plain nft with a file.
 */
export const watchdogSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('timer'), unit: z.string() }),
  z.strictObject({
    kind: z.literal('processes'),
    processes: z.array(z.strictObject({ pid: z.int().positive(), start: z.string() })),
  }),
]);
export type Watchdog = z.output<typeof watchdogSchema>;

const UNIT = 'blocklist-way-back';
/** Only while systemd is the init of this machine (sd_booted(3)). */
const SYSTEMD = '/run/systemd/system';

/** The script that is loaded at the end of the time. */
export const wayBackFile = (state: string) => join(state, 'way-back.nft');
export const wayBackLog = (state: string) => join(state, 'way-back.log');
const includeFile = (state: string) => join(state, 'way-back-include.nft');

/**
 * Writes the way back and arms the watchdog.
 * @throws BlocklistError `file-unwritable`, `watchdog-failed`; nothing is armed then.
 */
export async function arm(state: string, script: Uint8Array, seconds: number): Promise<Watchdog> {
  await writeAtomic(wayBackFile(state), script);
  try {
    return existsSync(SYSTEMD) ? await armTimer(state, seconds) : await armProcesses(state, seconds);
  } catch (cause) {
    throw new BlocklistError('watchdog-failed', `cannot arm the way back: ${String(cause)}; nothing was changed`, {
      where: wayBackFile(state),
      hint: 'apply without --confirm, with a second session open',
      cause,
    });
  }
}

async function armTimer(state: string, seconds: number): Promise<Watchdog> {
  await run(['systemctl', 'reset-failed', `${UNIT}.service`]);
  const timer = ['--collect', `--unit=${UNIT}`, `--on-active=${seconds}s`, '--timer-property=AccuracySec=100ms'];
  const { status, stderr } = await run(['systemd-run', ...timer, '/usr/sbin/nft', '-f', wayBackFile(state)]);
  if (status !== 0) throw new Error(`systemd-run: ${stderr.trim()}`);
  return { kind: 'timer', unit: UNIT };
}

/** nft waits for the end of its input, one line that names the script, so that it holds nothing large meanwhile. */
async function armProcesses(state: string, seconds: number): Promise<Watchdog> {
  const file = wayBackFile(state);
  // Inside the quotes nft knows no escapes, and it takes patterns (glob(7)).
  if (/["*?[\]{}~\\\n]/.test(file))
    throw new Error(`the path ${file} has characters that nft would not take as they are`);
  await writeAtomic(includeFile(state), `include "${file}"\n`);
  const processes = await startAfter(seconds, includeFile(state), ['nft', '-f', '-'], wayBackLog(state));
  return { kind: 'processes', processes: [...processes] };
}

/** Nothing is loaded any more when the time is over. */
export async function disarm(watchdog: Watchdog): Promise<void> {
  if (watchdog.kind === 'timer') {
    await run(['systemctl', 'stop', `${watchdog.unit}.timer`]);
    return;
  }
  // The one that would load first: the end of the other one is what it waits for.
  for (const process of [...watchdog.processes].reverse()) await end(process);
}

export async function isArmed(watchdog: Watchdog): Promise<boolean> {
  if (watchdog.kind === 'timer') {
    return (await run(['systemctl', 'is-active', '--quiet', `${watchdog.unit}.timer`])).status === 0;
  }
  return (await Promise.all(watchdog.processes.map(isRunning))).every(Boolean);
}
