/** The kinds of records that tell of logins. */
export type RecordKind =
  | 'wtmp'
  | 'btmp'
  | 'utmp'
  | 'lastlog'
  | 'wtmpdb'
  | 'lastlog2'
  /** a text log: auth.log, secure, vsftpd.log and their rotations */
  | 'log'
  | 'journal';

/** Where something stands, so that a person finds it again. */
export interface Place {
  readonly kind: RecordKind;
  /** path as opened; for the journal: what was asked */
  readonly file: string;
  /** offset of the record or line in bytes (of the unpacked text for .gz), id of a row, or cursor of the journal */
  readonly at: number | string;
}

interface Seen {
  readonly place: Place;
  /** milliseconds since 1970 */
  readonly time: number;
}

/** Somebody, somewhere else as a rule, wanted in. All texts are of unknown origin. */
interface Visit extends Seen {
  readonly user: string;
  /** the peer in canonical form, IPv4-mapped ones as IPv4, without a zone; undefined: none was written down */
  readonly address?: string | undefined;
  /** what stands in place of an address: a name, an X display. Never resolved: whoever owns the address chooses its name. */
  readonly peer?: string | undefined;
  readonly port?: number | undefined;
  /** `pts/0`, `tty1` */
  readonly tty?: string | undefined;
  readonly pid?: number | undefined;
  /** sshd, dovecot, login */
  readonly service: string;
}

export interface Login extends Visit {
  readonly kind: 'login';
  /** `publickey`, `password`; undefined: not told */
  readonly method?: string | undefined;
  /** fingerprint of the key, or who was vouched for */
  readonly key?: string | undefined;
  /** milliseconds since 1970: where the record itself tells when it ended */
  readonly end?: number | undefined;
  /** who can write such a record: into a text log every local user can, with logger(1) */
  readonly writer: 'root' | 'anyone';
}

export interface Failure extends Visit {
  readonly kind: 'failure';
}

/** The end of a session. Which one: by pid, tty or address and port, whatever is known. */
export interface Logout extends Seen {
  readonly kind: 'logout';
  readonly user?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly tty?: string | undefined;
  readonly pid?: number | undefined;
}

/** A session was opened for somebody whom sshd had accepted: pam_unix(8) says so beside it; or it was given a terminal. */
export interface Opened extends Seen {
  readonly kind: 'opened';
  readonly user: string;
  readonly pid?: number | undefined;
  readonly tty?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

export interface Turn extends Seen {
  /** `clock`: it was set, so that times may go back */
  readonly kind: 'boot' | 'shutdown' | 'clock';
}

/** What is wrong with a record, as its reader sees it; what it means is for the review to say. */
export type OddityCode =
  /** records of nothing but zeros: between others, or at the end */
  | 'zeroed'
  /** bytes at the end that make no record */
  | 'partial'
  /** bytes that are no record, between records */
  | 'damaged'
  /** older than the record before it, by more than a minute */
  | 'time-back'
  /** more than a day ahead of the clock */
  | 'future'
  /** the address and the name beside it contradict each other */
  | 'two-addresses'
  /** ids that are missing between two rows of a table that only grows */
  | 'gap'
  /** the end of a session on a terminal that nobody opened since the host was started */
  | 'orphan-logout'
  /** it ended before it began */
  | 'ends-first'
  /** the line says it is of the program, what the system knows of its writer says no */
  | 'forged'
  /** text of a stranger that looks like a line of the program */
  | 'injected';

export interface Oddity {
  readonly kind: 'oddity';
  readonly code: OddityCode;
  readonly place: Place;
  /** milliseconds since 1970, undefined where nothing near it has a time */
  readonly time?: number | undefined;
  /** what stands there, as data: bytes, both values, times of the neighbours (milliseconds since 1970), the line */
  readonly facts: Readonly<Record<string, string | number | undefined>>;
}

export type LoginEvent = Login | Failure | Logout | Opened | Turn | Oddity;

/** Every reader is a function from a file to these, in the order of the file, in constant memory. */
export type LoginEvents = AsyncIterable<LoginEvent>;
