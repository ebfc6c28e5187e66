import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SYSTEM_ENV } from './run.js';

/** A process by number and start time (proc_pid_stat(5), field 22): a number alone may be another one's later. */
export interface ProcessId {
  readonly pid: number;
  readonly start: string;
}

/**
 * Starts `reader` with its standard input held open for `seconds`: it reads `file` at once and the end of its input then. Both run in sessions of their
 * own (setsid(2)) and outlive this process, its terminal and its process group. No shell and no process of ours takes part: timeout(1) ends
 * tail(1), and that ends the input.
 * @param log where the reader's words go
 */
export async function startAfter(
  seconds: number,
  file: string,
  reader: readonly [string, ...string[]],
  log: string,
): Promise<readonly ProcessId[]> {
  const out = openSync(log, 'w');
  const options = { env: SYSTEM_ENV, detached: true, cwd: '/' } as const;
  const feeder = spawn('timeout', [String(seconds), 'tail', '-c', '+1', '-f', file], {
    ...options,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [program, ...args] = reader;
  const waiting = spawn(program, args, { ...options, stdio: [feeder.stdout, out, out] });
  await Promise.all([started(feeder), started(waiting)]);
  closeSync(out);
  // Our copy of the pipe's end: as long as it is open here, nothing is lost; the reader has its own.
  feeder.stdout.destroy();
  feeder.unref();
  waiting.unref();
  return Promise.all([feeder, waiting].map(({ pid = 0 }) => identify(pid)));
}

function started(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

async function identify(pid: number): Promise<ProcessId> {
  return { pid, start: (await startOf(pid)) ?? 'gone' };
}

/** Field 22 of /proc/PID/stat; the name before it may hold spaces and brackets. None for one that ended and waits for its parent. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    const [status, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return status === 'Z' || status === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

export async function isRunning({ pid, start }: ProcessId): Promise<boolean> {
  return (await startOf(pid)) === start;
}

/** Ends the process with its children, if it is still the same one: it leads a process group of its own. */
export async function end(id: ProcessId): Promise<void> {
  if (!(await isRunning(id))) return;
  try {
    process.kill(-id.pid, 'SIGKILL');
  } catch {
    // Ended between the look and the signal.
  }
}
