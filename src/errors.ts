/**
 * The one error class of the program. Errors are data: a stable code decides the exit status, the fields
 * say what happened, where, and what to do next; nobody matches on message text.
 */

/** What the process reports to its caller; DESIGN "Exit status". */
export const ExitStatus = {
  done: 0,
  /** findings, differences or drift */
  differs: 1,
  /** usage or configuration error, nothing done */
  usage: 2,
  /** done, but a source failed or lines were rejected */
  incomplete: 3,
  /** refused by a guard, nothing changed */
  refused: 4,
  /** failed, state as before */
  failed: 5,
} as const;
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** Every code that the program can end with, and the exit status that it means. */
const STATUS_OF = {
  'bad-address': ExitStatus.usage,
  'bad-prefix': ExitStatus.usage,
  'bad-usage': ExitStatus.usage,
  'config-missing': ExitStatus.usage,
  'config-syntax': ExitStatus.usage,
  'config-invalid': ExitStatus.usage,
  'config-owner': ExitStatus.usage,
  'config-exists': ExitStatus.refused,
  'program-place': ExitStatus.usage,
  'setup-edited': ExitStatus.refused,
  'artefact-invalid': ExitStatus.usage,
  'artefact-missing': ExitStatus.usage,
  'bad-ref': ExitStatus.usage,
  'repository-missing': ExitStatus.usage,
  'repository-owner': ExitStatus.usage,
  'git-failed': ExitStatus.failed,
  'empty-result': ExitStatus.refused,
  'coverage-limit': ExitStatus.refused,
  'never-block': ExitStatus.refused,
  'rules-too-wide': ExitStatus.refused,
  'source-lost': ExitStatus.refused,
  lockout: ExitStatus.refused,
  'ssh-missing': ExitStatus.refused,
  unconfirmed: ExitStatus.refused,
  'too-wide': ExitStatus.refused,
  'ban-allowed': ExitStatus.refused,
  'nothing-kept': ExitStatus.refused,
  'state-invalid': ExitStatus.failed,
  'watchdog-failed': ExitStatus.failed,
  'not-confirmed': ExitStatus.refused,
  'file-unreadable': ExitStatus.failed,
  'file-unwritable': ExitStatus.failed,
  locked: ExitStatus.failed,
  'too-large': ExitStatus.failed,
  'bad-encoding': ExitStatus.failed,
  'bad-gzip': ExitStatus.failed,
  'bad-records': ExitStatus.failed,
  'bad-database': ExitStatus.failed,
  'database-busy': ExitStatus.failed,
  'database-version': ExitStatus.failed,
  'source-empty': ExitStatus.failed,
  'source-html': ExitStatus.failed,
  'source-rejects': ExitStatus.failed,
  'source-format': ExitStatus.failed,
  'source-shrunk': ExitStatus.failed,
  'source-grown': ExitStatus.failed,
  'source-records': ExitStatus.failed,
  'source-stale': ExitStatus.failed,
  'source-frozen': ExitStatus.failed,
  'source-key': ExitStatus.usage,
  'source-suspect': ExitStatus.failed,
  'allow-missing': ExitStatus.refused,
  'allow-unknown': ExitStatus.failed,
  'allow-coverage': ExitStatus.failed,
  'bad-archive': ExitStatus.failed,
  'source-too-wide': ExitStatus.failed,
  'source-never-fetched': ExitStatus.failed,
  'http-failed': ExitStatus.failed,
  'http-refused': ExitStatus.failed,
  'program-missing': ExitStatus.failed,
  'program-failed': ExitStatus.failed,
  'program-timeout': ExitStatus.failed,
  'no-permission': ExitStatus.failed,
  'firewalld-unfit': ExitStatus.usage,
  'beyond-firewalld': ExitStatus.usage,
  'firewalld-foreign': ExitStatus.refused,
  'firewalld-slow': ExitStatus.refused,
  'runtime-only': ExitStatus.refused,
  'firewalld-refused': ExitStatus.failed,
  'nft-too-old': ExitStatus.failed,
  'nft-refused': ExitStatus.failed,
  'nft-message-too-long': ExitStatus.failed,
  'verify-differs': ExitStatus.failed,
  internal: ExitStatus.failed,
} as const;

/** Stable name of a failure, safe to match on. */
export type ErrorCode = keyof typeof STATUS_OF;
/** The codes as values: `ErrorCode['bad-address']`. */
export const ErrorCode = Object.fromEntries(Object.keys(STATUS_OF).map((code) => [code, code])) as {
  readonly [Code in ErrorCode]: Code;
};

export interface ErrorDetail {
  /** file, line, key, URL or program concerned */
  readonly where?: string;
  /** what the person can do next, in one line */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure with a code, what, where and what to do next. */
export class BlocklistError extends Error {
  override readonly name = 'BlocklistError';
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.where = detail.where;
    this.hint = detail.hint;
  }

  get exitStatus(): ExitStatus {
    return STATUS_OF[this.code];
  }
}
