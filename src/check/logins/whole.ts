import type { RecordFacts } from '../../logins/file-facts.js';
import type { Gathered, Unread } from '../../logins/gather.js';
import type { Visit } from '../../logins/visit.js';
import { bySeverity, fingerprintOf } from '../finding.js';
import { type AppendOnly, appendOnly, changeFinding } from './append-only.js';
import { fileFindings } from './files.js';
import { collapsed, type Found, ofRecords } from './found.js';
import { Knowledge } from './knowledge.js';
import type { Memory } from './memory.js';
import { reviewLogins } from './review.js';
import type { AddressFacts, Expected } from './rule.js';
import type { Desk } from './suggest.js';
import { missingLogins, oddityFindings } from './tamper.js';

/** What was changed is told for so long, or until it is accepted. */
const KEPT_MS = 90 * 86_400_000;
const FORGOTTEN_MS = 400 * 86_400_000;

/** All that a review of one host needs. */
export interface Work {
  readonly gathered: Gathered;
  readonly factsOf: (address: string) => AddressFacts;
  readonly unread: readonly Unread[];
  readonly expected: Expected;
  readonly memory: Memory;
  readonly admins: ReadonlySet<string>;
  /** whether whoever came in is still here; never so of another system */
  readonly isLive: (visit: Visit) => boolean;
  /** fingerprints that a person accepted */
  readonly accepted: ReadonlySet<string>;
  /** of the files themselves; undefined: single ones were named */
  readonly files: RecordFacts | undefined;
  /** milliseconds since 1970; what is older is not told */
  readonly since: number | undefined;
  readonly now: number;
  readonly desk: Desk;
}

/** A finding as it is told. */
export interface Told extends Found {
  /** nobody was told before */
  readonly isNew: boolean;
}

export interface Review {
  /** the worst first, of the same the youngest first; without those that were accepted */
  readonly findings: readonly Told[];
  /** all that is held against each login, where findings are told once for many of them; without what was accepted */
  readonly against: ReadonlyMap<Visit, readonly Found[]>;
  readonly accepted: number;
  readonly unread: readonly Unread[];
  readonly gathered: Gathered;
  /** to be written down */
  readonly memory: Memory;
  /** logins whose address is of no known country */
  readonly unknown: number;
}

/** Judges everything that was gathered. */
export async function reviewed(work: Work): Promise<Review> {
  const { gathered, memory, accepted, since, now } = work;
  const { book, visits } = gathered;
  const knowledge = new Knowledge(memory.users, memory.learnedUntil);
  const growth: AppendOnly =
    work.files !== undefined ? await appendOnly(gathered.files, memory.marks, now) : { changes: [], marks: {} };
  const changes = [...memory.changes.filter(({ at }) => at > now - KEPT_MS), ...growth.changes];
  const ofLogins = [
    ...reviewLogins({
      visits: visits.filter(({ last }) => since === undefined || last >= since),
      factsOf: work.factsOf,
      expected: work.expected,
      knowledge,
      admins: work.admins,
      isLive: work.isLive,
      isAccepted: (fingerprint) => accepted.has(fingerprint),
      desk: work.desk,
    }),
    ...(work.files !== undefined ? missingLogins(visits, book.spans, historyOf(gathered)) : []),
  ];
  const all = collapsed([
    ...ofLogins,
    ...oddityFindings(book.oddities, work.desk),
    ...(work.files === undefined ? [] : fileFindings(work.files, visits, book.spans, work.desk.path)),
    ...changes.map(changeFinding),
    ...work.unread.map(unreadFinding),
  ]);
  const told = all
    .filter(({ fingerprint }) => !accepted.has(fingerprint))
    .filter(({ last }) => since === undefined || last === undefined || last >= since)
    .map((each) => ({ ...each, isNew: memory.told[each.fingerprint] === undefined }));
  const findings = told.sort((a, b) => bySeverity(a, b) || (b.last ?? 0) - (a.last ?? 0));
  // Who looked at a part did not see what was usual before it.
  const { until, users } =
    since === undefined ? knowledge.kept(now) : { until: memory.learnedUntil, users: memory.users };
  return {
    findings,
    against: byVisit(ofLogins.filter(({ fingerprint }) => !accepted.has(fingerprint))),
    accepted: all.length - told.length,
    unread: work.unread,
    gathered,
    unknown: visits.filter(({ address }) => address !== undefined && isUnknown(work.factsOf(address))).length,
    memory: {
      learnedUntil: until,
      users,
      marks: { ...memory.marks, ...growth.marks },
      changes,
      told: { ...recent(memory.told, now), ...toldNow(all, memory.told, now) },
    },
  };
}

/** What is not found any more may be found again, in a rotation that was away or behind another --since. */
function recent(told: Memory['told'], now: number): Memory['told'] {
  return Object.fromEntries(Object.entries(told).filter(([, at]) => at > now - FORGOTTEN_MS));
}

function toldNow(all: readonly Found[], before: Memory['told'], now: number): Memory['told'] {
  return Object.fromEntries(all.map(({ fingerprint }) => [fingerprint, before[fingerprint] ?? now]));
}

function byVisit(found: readonly Found[]): Map<Visit, Found[]> {
  const all = new Map<Visit, Found[]>();
  for (const each of found) {
    if (each.visit === undefined) continue;
    const known = all.get(each.visit);
    if (known === undefined) all.set(each.visit, [each]);
    else known.push(each);
  }
  return all;
}

function historyOf({ files }: Gathered): string {
  return files.findLast(({ kind }) => kind === 'wtmp')?.path ?? '/var/log/wtmp';
}

function isUnknown({ place, country }: AddressFacts): boolean {
  return place === 'public' && country === undefined;
}

/** What was not read is never clean. */
function unreadFinding({ name, why, hint }: Unread): Found {
  return ofRecords(
    {
      code: 'SRC-INCOMPLETE',
      severity: 'info',
      fingerprint: fingerprintOf('SRC-INCOMPLETE', [name]),
      what: `${name} could not be looked into: ${why}`,
      words: why,
      evidence: { source: name, why },
      suggest: hint ?? 'run as root',
    },
    undefined,
  );
}
