import { type ChildProcess, spawn } from 'node:child_process';
import { SEARCH_PATH } from './requirements.js';

export interface Ran {
  /** exit status; 128 + n is not used: a process ended by a signal has none and is an error */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

const OVER_ANY_TEST_MS = 120_000;

function launch(argv: readonly string[], cwd: string | undefined): ChildProcess {
  const [program = '', ...args] = argv;
  // Few variables, so that nothing of the caller's environment decides a test.
  const env = { PATH: SEARCH_PATH, LC_ALL: 'C', HOME: '/nonexistent' };
  return spawn(program, args, { env, ...(cwd === undefined ? {} : { cwd }) });
}

/** Runs a program to its end. Any exit status is an answer. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = launch(argv, options.cwd);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const late = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? OVER_ANY_TEST_MS);
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(late);
      const [stdout, stderr] = [Buffer.concat(out).toString('utf8'), Buffer.concat(err).toString('utf8')];
      if (status !== null) resolve({ status, stdout, stderr });
      else reject(new Error(`${argv.join(' ')} was ended by ${signal}: ${stderr.slice(-500)}`));
    });
    child.stdin?.end(options.stdin ?? '');
  });
}

/** Runs a program that must succeed, and returns what it printed. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await run(argv, options);
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit status ${status}: ${stderr.slice(-1000)}`);
  return stdout;
}

/** A program that runs beside the test. */
export interface Background {
  readonly pid: number;
  /** everything it printed until now */
  readonly output: () => string;
  /** ends it with SIGTERM, then waits */
  readonly stop: () => Promise<void>;
}

export function start(argv: readonly string[]): Background {
  const child = launch(argv, undefined);
  const printed: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
  return {
    pid: child.pid ?? Number.NaN,
    output: () => Buffer.concat(printed).toString('utf8'),
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until the condition holds. @throws Error at the deadline. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 15_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const asked = Date.now();
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`after ${deadlineMs} ms still not: ${what}`);
    // Most questions start programs: asked without pause, they would take the time of those that are waited for.
    await pause(Math.min(Math.max(30, 4 * (Date.now() - asked)), 300));
  }
}
