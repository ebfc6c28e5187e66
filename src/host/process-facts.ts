import { readFileSync } from 'node:fs';
import { type Executable, executableOf } from './executable.js';
import { effectiveUid, type Process, parseStat, whereReadable } from './processes.js';
import { type Unit, unitOf } from './unit.js';

/** A process, and what it cannot say of itself. */
export interface ProcessFacts extends Process {
  /** its parent's number; 0 for the first process */
  readonly parent: number;
  /** effective user */
  readonly uid: number | undefined;
  /** as it was started, the words with a blank between them; like its name, the process itself may choose it */
  readonly commandLine: string;
  readonly executable: Executable | undefined;
  readonly unit: Unit | undefined;
}

const LONGEST_COMMAND = 1_000;

/** Undefined when the process has ended. */
export function processFacts({ pid, name }: Process, proc = '/proc'): ProcessFacts | undefined {
  const text = (file: string) => whereReadable(() => readFileSync(`${proc}/${pid}/${file}`, 'utf8'));
  const stat = parseStat(text('stat') ?? '');
  if (stat === undefined) return undefined;
  return {
    name,
    pid,
    parent: stat.parent,
    uid: effectiveUid(text('status') ?? ''),
    commandLine: (text('cmdline') ?? '').slice(0, LONGEST_COMMAND).replace(/\0+$/, '').replaceAll('\0', ' '),
    executable: executableOf(pid, proc),
    unit: unitOf(text('cgroup') ?? ''),
  };
}
