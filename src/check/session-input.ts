import type { Span } from '../logins/book.js';
import type { RecordKind } from '../logins/event.js';
import type { Unread } from '../logins/gather.js';
import type { Visit } from '../logins/visit.js';
import type { Found } from './logins/found.js';
import type { AddressFacts } from './logins/rule.js';
import type { SessionDesk } from './session-end.js';
import type { GatheredSessions } from './session-facts.js';

/** What `judgeSessions` is given. */
export interface SessionInput extends Omit<GatheredSessions, 'own' | 'ownAudit'> {
  /** all that is held against each login (`Review.against`) */
  readonly against: ReadonlyMap<Visit, readonly Found[]>;
  readonly visits: readonly Visit[];
  /** records of logins, lists and databases that could not be read */
  readonly unreadLogins: readonly Unread[];
  readonly spans: ReadonlyMap<RecordKind, Span>;
  readonly factsOf: (address: string) => AddressFacts;
  readonly nameOf: (uid: number) => string | undefined;
  /** fingerprints that a person accepted */
  readonly accepted: ReadonlySet<string>;
  readonly desk: SessionDesk;
  /** numbers of processes that must not be ended: our own, and those it came from */
  readonly spared: ReadonlySet<number>;
  /** the command that sees everything */
  readonly asRoot: string;
}
