import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../io/read.js';

/** A process that holds a socket. */
export interface Process {
  /** comm of proc(5): at most 15 bytes, which the process itself may choose: any character, not trustworthy, escape it before it is shown */
  readonly name: string;
  readonly pid: number;
}

/** How /proc answers for a process that ended meanwhile or that belongs to somebody else. */
const NOT_READABLE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR']);
const NOT_OURS = new Set(['EACCES', 'EPERM']);
/** Deeper than any real chain of parents. */
const DEEPEST = 1_000;

/** @param denied called when the answer is that this is not ours to see */
export function whereReadable<T>(read: () => T, denied?: () => void): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (!NOT_READABLE.has(code)) throw error;
    if (NOT_OURS.has(code)) denied?.();
    return undefined;
  }
}

/**
 * Who holds the sockets with these inodes (of sockfs, the same in every network namespace). One process may hold many, and one socket many
 * processes. Processes of others are seen only by root, those of other pid namespaces not at all.
 * Synchronous: a readlink(2) each, some microseconds; asynchronously it takes ten times as long.
 * @param denied called with each process that does not let us see what it holds
 */
export function socketOwners(
  inodes: ReadonlySet<number>,
  proc = '/proc',
  denied?: (pid: number) => void,
): ReadonlyMap<number, readonly Process[]> {
  const owners = new Map<number, Process[]>();
  if (inodes.size === 0) return owners;
  const pids = readdirSync(proc).filter((name) => /^[0-9]+$/.test(name));
  for (const pid of pids) {
    const held = socketsOf(`${proc}/${pid}`, inodes, () => denied?.(Number(pid)));
    if (held.size === 0) continue;
    const name = whereReadable(() => readFileSync(`${proc}/${pid}/comm`, 'utf8').replace(/\n$/, '')) ?? '';
    for (const inode of held) {
      const list = owners.get(inode);
      if (list === undefined) owners.set(inode, [{ name, pid: Number(pid) }]);
      else list.push({ name, pid: Number(pid) });
    }
  }
  return owners;
}

/**
 * A process whose main thread has ended, as one that hides might do, has an empty fd folder while its other threads live on with the
 * descriptors. A thread with a descriptor table of its own (CLONE_FILES of unshare(2)) is not looked at: ss -p does not either.
 */
function socketsOf(process: string, inodes: ReadonlySet<number>, denied: () => void): ReadonlySet<number> {
  const main = whereReadable(() => readdirSync(`${process}/fd`), denied) ?? [];
  if (main.length > 0) return socketsAmong(`${process}/fd`, main, inodes, denied);
  for (const thread of threadsOf(process)) {
    const folder = `${thread}/fd`;
    const names = whereReadable(() => readdirSync(folder)) ?? [];
    if (names.length > 0) return socketsAmong(folder, names, inodes, denied);
  }
  return new Set();
}

/** The folders of its threads, which have what the main thread loses when it ends before them. */
export function threadsOf(process: string): string[] {
  return (whereReadable(() => readdirSync(`${process}/task`)) ?? []).map((thread) => `${process}/task/${thread}`);
}

function socketsAmong(
  folder: string,
  names: readonly string[],
  inodes: ReadonlySet<number>,
  denied: () => void,
): ReadonlySet<number> {
  const held = new Set<number>();
  for (const name of names) {
    const target = whereReadable(() => readlinkSync(`${folder}/${name}`), denied);
    const inode = Number(/^socket:\[(\d+)\]$/.exec(target ?? '')?.[1] ?? 0);
    if (inodes.has(inode)) held.add(inode);
  }
  return held;
}

/** The text of /proc/PID/stat (proc(5)) in two: the name is between the first `(` and the last `)`, as it may hold both, and blanks; `rest` begins with a blank and field 3. */
export function splitStat(text: string): { readonly name: string; readonly rest: string } | undefined {
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  return open < 0 || close < open ? undefined : { name: text.slice(open + 1, close), rest: text.slice(close + 1) };
}

/** Name and parent in it. */
export function parseStat(text: string): { readonly name: string; readonly parent: number } | undefined {
  const split = splitStat(text);
  const parent = /^ \S (\d+) /.exec(split?.rest ?? '')?.[1];
  return split === undefined || parent === undefined ? undefined : { name: split.name, parent: Number(parent) };
}

/** The effective user in the text of /proc/PID/status. */
export function effectiveUid(status: string): number | undefined {
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(status)?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/** The process and its parents, up to but without process 1 and what lies outside this pid namespace. */
export function lineage(pid: number, proc = '/proc'): Process[] {
  const chain: Process[] = [];
  for (let at = pid; at > 1 && chain.length < DEEPEST; ) {
    const text = whereReadable(() => readFileSync(`${proc}/${at}/stat`, 'utf8'));
    const stat = text === undefined ? undefined : parseStat(text);
    if (stat === undefined) break;
    chain.push({ name: stat.name, pid: at });
    at = stat.parent;
  }
  return chain;
}

/** A variable that the process was started with (not what it set since); undefined when it has none or we may not look. */
export function startedWith(pid: number, variable: string, proc = '/proc'): string | undefined {
  const text = whereReadable(() => readFileSync(`${proc}/${pid}/environ`, 'utf8'));
  const entry = text?.split('\0').find((each) => each.startsWith(`${variable}=`));
  return entry?.slice(variable.length + 1);
}
