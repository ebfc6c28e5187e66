import type { Visit } from '../../logins/visit.js';
import type { Finding } from '../finding.js';
import type { AddressFacts } from './rule.js';

/** A finding of this review, with when and of whom. */
export interface Found extends Finding {
  /** milliseconds since 1970, the first and the last time; undefined: it has no time */
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly times: number;
  /** the sentence without whom it is about, for a place where that stands already: not escaped */
  readonly words: string;
  /** the youngest login it is about */
  readonly visit: Visit | undefined;
  readonly address: AddressFacts | undefined;
}

/** A finding about records, not about a login. @param time milliseconds since 1970; undefined: it has none */
export function ofRecords(finding: Finding & Pick<Found, 'words'>, time: number | undefined): Found {
  return { ...finding, first: time, last: time, times: 1, visit: undefined, address: undefined };
}

/** The same finding once, with how often and from when to when: the youngest speaks. */
export function collapsed(all: readonly Found[]): Found[] {
  const byFingerprint = new Map<string, Found>();
  for (const each of all) {
    const known = byFingerprint.get(each.fingerprint);
    if (known === undefined) byFingerprint.set(each.fingerprint, each);
    else byFingerprint.set(each.fingerprint, joined(known, each));
  }
  return [...byFingerprint.values()];
}

function joined(a: Found, b: Found): Found {
  const younger = (b.last ?? 0) >= (a.last ?? 0) ? b : a;
  return {
    ...younger,
    first: least(a.first, b.first),
    last: most(a.last, b.last),
    times: a.times + b.times,
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

function most(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}
