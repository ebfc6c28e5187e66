import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { effectiveUid, splitStat, whereReadable } from './processes.js';
import { type Unit, unitOf } from './unit.js';

/** Whose a process is, as the kernel has it: a process cannot change any of it but `name` without root's rights. */
export interface ProcessRow {
  readonly pid: number;
  /** comm of proc(5): the process may choose it, escape it before it is shown */
  readonly name: string;
  /** name of the file that it runs, without folders; undefined: not ours to see */
  readonly program: string | undefined;
  /** 0 for the first process */
  readonly parent: number;
  /** number of the process that leads its session (setsid(2)) */
  readonly leader: number;
  /** its controlling terminal: `pts/0`, `tty1` */
  readonly tty: string | undefined;
  /** when it began, in hundredths of a second since the host was started: with its number it is this process and no other */
  readonly ticks: number;
  /** the same in milliseconds since 1970, to a second: the kernel rounds when the host was started */
  readonly start: number;
  /** effective user */
  readonly uid: number | undefined;
  /** who came in, and the number of that session, as pam_loginuid(8) wrote it down: fork, setsid, su and sudo keep both. Undefined: never set */
  readonly loginUid: number | undefined;
  readonly audit: number | undefined;
  readonly unit: Unit | undefined;
}

export interface ProcessTable {
  /** without threads of the kernel and what has ended */
  readonly rows: ReadonlyMap<number, ProcessRow>;
  /** by the number of the parent */
  readonly children: ReadonlyMap<number, readonly ProcessRow[]>;
  /** processes that do not let us see what they run, but for the first one, which is nobody's session */
  readonly denied: readonly number[];
}

/** USER_HZ, the same on every architecture that Node runs on */
const TICK_MS = 10;
/** PF_KTHREAD, include/linux/sched.h */
const KERNEL_THREAD = 0x200000;
/** (uid_t) -1 and (unsigned) -1: audit(7) */
const UNSET = 0xffff_ffff;

/** All processes of this host at one moment. Synchronous: some microseconds for each. */
export function processTable(proc = '/proc'): ProcessTable {
  const boot = Number(/^btime (\d+)$/m.exec(textOf(`${proc}/stat`))?.[1] ?? 0) * 1_000;
  const rows = new Map<number, ProcessRow>();
  const children = new Map<number, ProcessRow[]>();
  const denied: number[] = [];
  for (const name of readdirSync(proc)) {
    if (!/^[0-9]+$/.test(name)) continue;
    const row = rowOf(proc, Number(name), boot, () => denied.push(Number(name)));
    if (row === undefined) continue;
    rows.set(row.pid, row);
    const siblings = children.get(row.parent);
    if (siblings === undefined) children.set(row.parent, [row]);
    else siblings.push(row);
  }
  return { rows, children, denied: denied.filter((pid) => pid !== 1) };
}

/** The processes that came of these, and these. */
export function offspring(roots: readonly ProcessRow[], { children }: ProcessTable): ProcessRow[] {
  const all = new Set(roots);
  // A Set goes on to what is added while it is walked through.
  for (const each of all) for (const child of children.get(each.pid) ?? []) all.add(child);
  return [...all];
}

function rowOf(proc: string, pid: number, boot: number, denied: () => void): ProcessRow | undefined {
  const folder = `${proc}/${pid}`;
  const stat = statOf(textOf(`${folder}/stat`));
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X' || (stat.flags & KERNEL_THREAD) !== 0)
    return undefined;
  const link = whereReadable(() => readlinkSync(`${folder}/exe`), denied);
  return {
    pid,
    name: stat.name,
    program: link === undefined ? undefined : basename(link.replace(/ \(deleted\)$/, '')),
    parent: stat.parent,
    leader: stat.leader,
    tty: terminalName(stat.tty),
    ticks: stat.ticks,
    start: boot + stat.ticks * TICK_MS,
    uid: effectiveUid(textOf(`${folder}/status`)),
    loginUid: auditNumber(textOf(`${folder}/loginuid`)),
    audit: auditNumber(textOf(`${folder}/sessionid`)),
    unit: unitOf(textOf(`${folder}/cgroup`)),
  };
}

function textOf(path: string): string {
  return whereReadable(() => readFileSync(path, 'utf8')) ?? '';
}

function auditNumber(text: string): number | undefined {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : UNSET;
  return value === UNSET ? undefined : value;
}

interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly leader: number;
  readonly tty: number;
  readonly flags: number;
  readonly ticks: number;
}

/** Fields 2 to 22 of /proc/PID/stat (proc(5)). */
export function statOf(text: string): Stat | undefined {
  const split = splitStat(text);
  const fields = split?.rest.slice(1).split(' ') ?? [];
  const [state = '', parent, , leader, tty, , flags] = fields;
  const ticks = Number(fields[19]);
  if (split === undefined || !Number.isSafeInteger(ticks)) return undefined;
  return {
    name: split.name,
    state,
    parent: Number(parent),
    leader: Number(leader),
    tty: Number(tty),
    flags: Number(flags),
    ticks,
  };
}

/** tty_nr of proc(5), by the numbers of devices.txt of the kernel: 136 are the terminals of sessions, 4 the consoles and serial lines. */
export function terminalName(number: number): string | undefined {
  const [major, minor] = [(number >>> 8) & 0xfff, (number & 0xff) | ((number >>> 12) & 0xfff00)];
  if (major >= 136 && major <= 143) return `pts/${minor + (major - 136) * 256}`;
  if (major !== 4) return undefined;
  return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
}
