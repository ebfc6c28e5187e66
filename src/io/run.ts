import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { BlocklistError } from '../errors.js';

/** Where system programs are looked for is fixed, so that nobody's PATH decides what root runs; and they speak English. */
export const SYSTEM_ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

export interface RunOptions {
  readonly stdin?: Uint8Array | string;
  /** an open file to read from its start, in place of `stdin` */
  readonly input?: { readonly fd: number };
  /** default 60,000 */
  readonly timeoutMs?: number;
  /** takes the output in pieces as it comes, for output of any size; `stdout` of the result is then empty. What it throws ends the program and the run */
  readonly onStdout?: (chunk: Buffer) => void;
  /** variables beside PATH and the C locale */
  readonly env?: Readonly<Record<string, string>>;
  /** bytes of output that are kept in memory at most; more ends the program. Default: no limit */
  readonly outputCap?: number;
}

export interface RunResult {
  /** exit status; a program ended by a signal throws */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program by its argument vector, never through a shell, with the C locale.
 * @throws BlocklistError `program-missing`, `program-timeout`, `too-large`, or `program-failed` when a signal ended it. A non-zero status is returned, not thrown.
 */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = argv;
  const timeout = options.timeoutMs ?? 60_000;
  return new Promise((resolve, reject) => {
    const env = { ...options.env, ...SYSTEM_ENV };
    const child = started(program, args, env, options);
    // Not spawn's own timeout: it would keep this process waiting when the program cannot be started.
    let ended: 'program-timeout' | 'too-large' | undefined;
    const end = (why: typeof ended) => {
      ended ??= why;
      child.kill('SIGKILL');
      // A grandchild may hold the pipes open; we have waited long enough.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => end('program-timeout'), timeout);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let room = options.outputCap ?? Number.POSITIVE_INFINITY;
    const keep = (kept: Buffer[]) => (chunk: Buffer) => {
      room -= chunk.length;
      if (room >= 0) kept.push(chunk);
      else end('too-large');
    };
    const take = options.onStdout ?? keep(out);
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        // Thrown in an event of the stream it would end our process instead of reaching the caller.
        child.kill('SIGKILL');
        reject(error);
      }
    });
    child.stderr.on('data', keep(err));
    // A program that refuses its input early closes the pipe; its own status tells why.
    child.stdin?.on('error', () => undefined);
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(failedStart(program, cause));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const stderr = Buffer.concat(err).toString('utf8');
      if (status !== null && ended === undefined) return resolve({ status, stdout: Buffer.concat(out), stderr });
      reject(endedBy(program, ended, signal, timeout));
    });
    child.stdin?.end(options.stdin);
  });
}

/** A program that could not be started. */
export function failedStart(program: string, cause: NodeJS.ErrnoException): BlocklistError {
  const isMissing = cause.code === 'ENOENT';
  return new BlocklistError(
    isMissing ? 'program-missing' : 'program-failed',
    `cannot run ${program}: ${cause.message}`,
    {
      where: program,
      hint: isMissing ? `install it: apt-get install ${PACKAGE_OF[program] ?? program}` : 'try it by hand',
      cause,
    },
  );
}

/** spawn's own types know a number among the streams only as "perhaps no streams at all". */
function started(program: string, args: readonly string[], env: NodeJS.ProcessEnv, { stdin, input }: RunOptions) {
  const child = spawn(program, args, {
    env,
    stdio: [input?.fd ?? (stdin === undefined ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
  });
  return child as ChildProcessByStdio<Writable | null, Readable, Readable>;
}

const PACKAGE_OF: Readonly<Record<string, string>> = {
  nft: 'nftables',
  unshare: 'util-linux',
  ip: 'iproute2',
  ss: 'iproute2',
  journalctl: 'systemd',
  'firewall-cmd': 'firewalld',
  'firewall-offline-cmd': 'firewalld',
};

function endedBy(
  program: string,
  ended: 'program-timeout' | 'too-large' | undefined,
  signal: string | null,
  timeoutMs: number,
): BlocklistError {
  if (ended === 'too-large') {
    return new BlocklistError('too-large', `${program} printed more than expected at most`, { where: program });
  }
  return new BlocklistError(ended ?? 'program-failed', `${program} was ended by ${signal ?? 'SIGKILL'}`, {
    where: program,
    hint: ended === undefined ? 'try it by hand' : `it had ${timeoutMs / 1000} s; the machine may be short of memory`,
  });
}
