import { access, constants } from 'node:fs/promises';
import { BlocklistError } from '../../errors.js';
import { errnoOf } from '../../io/read.js';
import { type RunResult, run } from '../../io/run.js';

/** A ban of which the server knows, in seconds since 1970. */
export interface ServerBan {
  readonly id: string;
  readonly jail: string;
  readonly since: number;
  /** seconds, −1 for ever */
  readonly bantime: number;
}

/** Who is banned in which jail, by the server. */
export type ServerBans = ReadonlyMap<string, readonly string[]>;

/** `fail2ban-client banned` of a hundred thousand bans has 2 MB. */
const OUTPUT_CAP = 1 << 27;
const TIMEOUT_MS = 20_000;

/**
 * Asks the running server who is banned: it knows bans that its database does not hold (`dbfile = None`).
 * @returns undefined where no server runs, or where we may not talk to it (its socket is root's)
 * @throws BlocklistError `program-failed`, `program-timeout`, `too-large` when it runs and does not tell
 */
export async function bansOfServer(socket: string): Promise<ServerBans | undefined> {
  if (!(await mayTalk(socket))) return undefined;
  try {
    const told = await ask(socket, 'banned');
    if (told.status === 0) return parseBanned(told.stdout.toString('utf8'), socket);
    // A socket may outlive its server.
    if ((await ask(socket, 'ping')).status !== 0) return undefined;
    throw refused('banned', told, socket);
  } catch (error) {
    if (error instanceof BlocklistError && error.code === 'program-missing') return undefined;
    throw error;
  }
}

/** When the bans of a jail began and how long they last. */
export async function timesOfServer(socket: string, jail: string): Promise<ServerBan[]> {
  const told = await ask(socket, 'get', jail, 'banip', '--with-time');
  if (told.status !== 0) throw refused(`get ${jail} banip`, told, socket);
  return parseTimes(jail, told.stdout.toString('utf8'), socket);
}

function ask(socket: string, ...command: readonly string[]): Promise<RunResult> {
  return run(['fail2ban-client', '-s', socket, ...command], { timeoutMs: TIMEOUT_MS, outputCap: OUTPUT_CAP });
}

async function mayTalk(socket: string): Promise<boolean> {
  try {
    await access(socket, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
}

/** A text of Python in either kind of quotes, or a sign between texts. Of a choice for each character the engine would remember each. */
const TOKEN = /\s*(?:'([^'\\]*(?:\\.[^'\\]*)*)'|"([^"\\]*(?:\\.[^"\\]*)*)"|([[\]{}:,]))\s*/y;

/** `[{'sshd': ['45.9.1.7', '2a00::7']}, {'recidive': []}]`, as Python writes it. */
export function parseBanned(text: string, where: string): ServerBans {
  const jails = new Map<string, string[]>();
  let current: string[] | undefined;
  let last: string | undefined;
  let depth = 0;
  TOKEN.lastIndex = 0;
  const whole = text.trim();
  while (TOKEN.lastIndex < whole.length) {
    const at = TOKEN.lastIndex;
    const [, single, double, sign] = TOKEN.exec(whole) ?? [];
    const word = single ?? double;
    if (word === undefined && sign === undefined) throw unreadable(whole.slice(at, at + 40), where);
    if (sign === '[' || sign === '{') depth++;
    if (sign === ']' || sign === '}') depth--;
    if (sign === ':' && last !== undefined) {
      current = [];
      jails.set(last, current);
    }
    if (word !== undefined && depth === 3) current?.push(word);
    last = depth === 2 ? word : undefined;
  }
  if (depth !== 0 || !whole.startsWith('[')) throw unreadable(whole.slice(0, 40), where);
  return jails;
}

const TIMES = /^(.+?) +\t(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \+ (-?\d+) = /;

/**
 * `45.9.1.7 \t2026-11-24 02:00:00 + 600 = 2026-11-24 02:10:00`, in the time zone of the server, which is that of this host.
 * @throws BlocklistError `program-failed` for any other line: a ban must not be lost in silence
 */
export function parseTimes(jail: string, text: string, where: string): ServerBan[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, id, day, time, seconds] = TIMES.exec(line) ?? [];
      if (id === undefined) throw unreadable(line.slice(0, 40), where);
      return { id, jail, since: Math.floor(Date.parse(`${day}T${time}`) / 1000), bantime: Number(seconds) };
    });
}

function refused(what: string, { status, stderr }: RunResult, where: string): BlocklistError {
  const said = stderr.trim().split('\n').slice(-1).join(' ').slice(0, 200);
  return new BlocklistError('program-failed', `fail2ban-client ${what}: ${said || `exit status ${status}`}`, {
    where,
    hint: 'see fail2ban-client status and the log of fail2ban',
  });
}

function unreadable(text: string, where: string): BlocklistError {
  return new BlocklistError('program-failed', `fail2ban-client answered in an unknown form: ${text}`, {
    where,
    hint: 'a newer blocklist may know it',
  });
}
