import { homedir } from 'node:os';
import { basename, join, relative } from 'node:path';
import type { Writable } from 'node:stream';
import type { ExitStatus } from '../errors.js';

/** What every command is given: the outside world as values, so that tests can give another one. */
export interface Context {
  /** data */
  readonly stdout: Writable;
  /** words and progress */
  readonly stderr: Writable;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly uid: number;
  /** milliseconds since 1970 */
  readonly now: () => number;
  readonly version: string;
  /** how this program was called, to print commands that can be pasted */
  readonly self: string;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** false with --no-color */
  readonly color?: boolean;
  readonly verbose?: boolean;
}

export type Command<Options> = (options: Options & GlobalOptions, context: Context) => Promise<ExitStatus>;

/** Says something to the person, unless `--quiet` or `--json`, with which stderr is for an error object alone. */
export function say({ stderr }: Context, { quiet, json }: GlobalOptions, text: string): void {
  if (quiet !== true && json !== true) stderr.write(`${text}\n`);
}

/** Where caches and state are when neither the environment nor the configuration says otherwise. */
export function defaultFolder({ env, uid }: Context, kind: 'cache' | 'state'): string {
  const fixed = kind === 'cache' ? env.BLOCKLIST_CACHE_DIR : env.BLOCKLIST_STATE_DIR;
  if (fixed !== undefined && fixed !== '') return fixed;
  if (uid === 0) return kind === 'cache' ? '/var/cache/blocklist' : '/var/lib/blocklist';
  const home = env.HOME ?? homedir();
  const xdg = kind === 'cache' ? env.XDG_CACHE_HOME : env.XDG_STATE_HOME;
  return join(xdg || join(home, kind === 'cache' ? '.cache' : '.local/state'), 'blocklist');
}

/** A path as the person would type it: relative when it is below the working folder. */
export function shortPath({ cwd }: Context, path: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') || short === '' ? path : short;
}

/** `blocklist COMMAND --config FILE`, ready to be pasted. */
export function commandLine(context: Context, { config }: GlobalOptions, command: string): string {
  return `${context.self} ${command}${config === undefined ? '' : ` --config ${quoted(config)}`}`;
}

/** As one word for a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The outside world as it is. */
export function processContext(version: string): Context {
  const script = process.argv[1] ?? '';
  const isInstalled = basename(script) === 'blocklist';
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin;
    },
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? -1,
    now: Date.now,
    version,
    self: isInstalled ? 'blocklist' : `node ${relative(process.cwd(), script)}`,
  };
}
