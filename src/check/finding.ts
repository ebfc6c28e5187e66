import { createHash } from 'node:crypto';
import { ExitStatus } from '../errors.js';

/** Stable names of what can be found, safe to match on. */
export type FindingCode =
  /** a listener that others can reach and nobody accepted */
  | 'PORT-UNEXPECTED'
  /** a listener that no process is seen to hold */
  | 'PORT-NO-OWNER'
  /** the file that a process runs was removed */
  | 'PROC-DELETED-EXE'
  /** it lies in a folder where anybody may write */
  | 'PROC-TMP-EXE'
  /** it never was in a folder */
  | 'PROC-MEMFD'
  /** a process that calls itself as a thread of the kernel */
  | 'PROC-FAKE-KTHREAD'
  /** somebody came in from a listed address, or one of a blocked country */
  | 'LOGIN-BLOCKED-ADDR'
  | 'LOGIN-BLOCKED-COUNTRY'
  /** or from where this user never comes from */
  | 'LOGIN-UNEXPECTED-COUNTRY'
  /** two countries that nobody travels between in that time */
  | 'LOGIN-FAST-TRAVEL'
  /** it was tried until it worked */
  | 'LOGIN-AFTER-FAILURES'
  | 'LOGIN-NEW-KEY'
  | 'LOGIN-NEW-METHOD'
  | 'LOGIN-ROOT-PASSWORD'
  /** a line that its program did not write, or that nothing else bears out */
  | 'LOG-FORGED'
  /** a name that was chosen to look like a login */
  | 'LOG-INJECTION'
  /** records of logins that were changed, or are not as their writers leave them */
  | 'WTMP-ZEROED'
  | 'WTMP-PARTIAL'
  | 'WTMP-DELETED-ROW'
  | 'WTMP-REWRITTEN'
  | 'WTMP-SHRUNK'
  | 'WTMP-MISSING-LOGIN'
  | 'WTMP-TIME-BACK'
  | 'WTMP-FUTURE'
  | 'WTMP-BAD-RECORD'
  | 'WTMP-ORPHAN-LOGOUT'
  | 'WTMP-HOST-MISMATCH'
  | 'WTMP-EMPTY'
  | 'WTMP-SYMLINK'
  | 'WTMP-PERMS'
  | 'WTMP-UNREADABLE'
  /** its time was set back */
  | 'WTMP-TIMESTOMP'
  /** the notes of a shell lead nowhere, or were emptied */
  | 'HISTORY-GONE'
  /** somebody is here of whom there is a finding */
  | 'SESSION-LIVE-SUSPECT'
  /** what a suspect left running */
  | 'SESSION-LEFTOVER'
  /** a session that no record shows */
  | 'SESSION-NO-RECORD'
  /** something could not be looked at */
  | 'SRC-INCOMPLETE';

/** Ascending. From `medium` on somebody has to look. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that should not be so, or that could not be seen. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** the same for the same thing in every run: twelve hex digits */
  readonly fingerprint: string;
  /** one sentence; holds text of unknown origin: escape it before it is shown */
  readonly what: string;
  /** the facts behind it, as data */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** one command, ready to be pasted: every word of it that comes from this host was checked */
  readonly suggest: string;
  /** what to know before */
  readonly note?: string;
}

/** @param parts what makes it this thing and no other; nothing that changes from run to run, like the number of a process */
export function fingerprintOf(code: FindingCode, parts: ReadonlyArray<string | number | null>): string {
  return createHash('sha256')
    .update(JSON.stringify([code, ...parts]))
    .digest('hex')
    .slice(0, 12);
}

/** One step up or down, as far as there is one. */
export function shifted(severity: Severity, steps: number): Severity {
  const i = SEVERITIES.indexOf(severity) + steps;
  return SEVERITIES[Math.min(Math.max(i, 0), SEVERITIES.length - 1)] ?? severity;
}

/** The worst first. */
export function bySeverity(a: Pick<Finding, 'severity'>, b: Pick<Finding, 'severity'>): number {
  return SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
}

/** Whether somebody has to look at it. */
export function isLoud(finding: Pick<Finding, 'severity'>): boolean {
  return bySeverity(finding, { severity: 'medium' }) <= 0;
}

/** @param coverage whether everything was looked at: what was not is never clean */
export function statusOf(findings: readonly Finding[], coverage: 'complete' | 'incomplete'): ExitStatus {
  if (findings.some(isLoud)) return ExitStatus.differs;
  return coverage === 'complete' ? ExitStatus.done : ExitStatus.incomplete;
}
