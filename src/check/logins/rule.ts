import type { IpSet } from '../../ip/index.js';
import type { Visit } from '../../logins/visit.js';
import type { FindingCode, Severity } from '../finding.js';
import type { Knowledge } from './knowledge.js';

/** Who lists an address. */
export interface Listed {
  readonly source: string;
  readonly what: 'list' | 'country' | 'network' | 'ban';
  /** milliseconds since 1970; undefined: not known */
  readonly since: number | undefined;
}

/** What the data of this host say of an address. */
export interface AddressFacts {
  /** special: private, loopback, link-local: of no country */
  readonly place: 'public' | 'special';
  /** lower-case ISO 3166-1 code; undefined: not known */
  readonly country: string | undefined;
  readonly network: { readonly asn: number; readonly name: string } | undefined;
  readonly listed: readonly Listed[];
  /** whether a person or a list says that it is never blocked */
  readonly isAllowed: boolean;
  /** a list of countries is in force, and it is of none of them */
  readonly isKeptOut: boolean;
}

/** What the configuration says about logins. */
export interface Expected {
  /** for everybody; empty: nothing was said, so it is learned */
  readonly countries: ReadonlySet<string>;
  /** where everybody may come from, whatever the country */
  readonly nets: IpSet;
  /** by user, in place of those for everybody */
  readonly users: ReadonlyMap<string, ReadonlySet<string>>;
}

/** All that a rule may look at. */
export interface Case {
  readonly visit: Visit;
  readonly address: AddressFacts | undefined;
  readonly isExpectedNet: boolean;
  readonly expected: Expected;
  readonly knowledge: Knowledge;
  /** the login of the same user before it, with its country */
  readonly before: { readonly visit: Visit; readonly country: string | undefined } | undefined;
  /** who may become root */
  readonly admins: ReadonlySet<string>;
  readonly isLive: boolean;
  /** whether other logins of the same log are borne out by pam */
  readonly hasPam: boolean;
}

/** What a rule objects to. The review makes a finding of it. */
export interface Objection {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** what follows "alice from 203.0.113.7 (de) at …": not escaped */
  readonly words: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** One thing to look for in a login. Pure. */
export interface LoginRule {
  readonly code: FindingCode;
  /** whether it speaks in the first days of a user, too */
  readonly inLearning: 'speaks' | 'silent';
  readonly judge: (each: Case) => Objection | undefined;
}
