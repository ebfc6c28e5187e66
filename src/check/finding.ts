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
  /** something could not be looked at */
  | 'SRC-INCOMPLETE';

/** Ascending. From `medium` on somebody has to look. */
export const SEVERITIES = ['info', 'low', 'medium', 'high'] as const;
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

/** The worst first. */
export function bySeverity(a: Pick<Finding, 'severity'>, b: Pick<Finding, 'severity'>): number {
  return SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
}

/** @param coverage whether everything was looked at: what was not is never clean */
export function statusOf(findings: readonly Finding[], coverage: 'complete' | 'incomplete'): ExitStatus {
  const threshold = SEVERITIES.indexOf('medium');
  if (findings.some(({ severity }) => SEVERITIES.indexOf(severity) >= threshold)) return ExitStatus.differs;
  return coverage === 'complete' ? ExitStatus.done : ExitStatus.incomplete;
}
