import type { LiveSession } from '../host/sessions.js';
import type { RecordKind } from '../logins/event.js';
import type { Unread } from '../logins/gather.js';
import type { Visit } from '../logins/visit.js';
import { bySeverity, type Finding, fingerprintOf, isLoud } from './finding.js';
import { leftovers } from './leftovers.js';
import { isVisitOf } from './logins/live.js';
import type { AddressFacts } from './logins/rule.js';
import { networkName } from './logins/whereabouts.js';
import { endOf } from './session-end.js';
import type { SessionInput } from './session-input.js';
import { processFindings } from './session-processes.js';

/** A session with what is held against it. */
export interface JudgedSession extends LiveSession {
  readonly isOwn: boolean;
  readonly facts: AddressFacts | undefined;
  readonly findings: readonly Finding[];
}

export interface SessionReview {
  /** the longest here first */
  readonly sessions: readonly JudgedSession[];
  /** the worst first; without those that were accepted */
  readonly findings: readonly Finding[];
  readonly accepted: number;
}

/** Pure, but for what `detailsOf` reads of processes: the same facts, the same findings. */
export function judgeSessions(input: SessionInput): SessionReview {
  const isOpen = ({ fingerprint }: Finding) => !input.accepted.has(fingerprint);
  const all: Finding[] = [];
  const sessions = input.sessions.map((session): JudgedSession => {
    const facts = session.address === undefined ? undefined : input.factsOf(session.address);
    const visits = input.visits.filter((visit) => isVisitOf(visit, session));
    const found = [...suspect(session, facts, visits, input), ...withoutRecord(session, facts, visits, input)];
    all.push(...found);
    return { ...session, isOwn: input.desk.isOwn(session), facts, findings: found.filter(isOpen) };
  });
  all.push(...leftovers(input), ...processFindings(input), ...unreadFindings(input));
  const open = all.filter(isOpen);
  return { sessions, findings: open.sort(bySeverity), accepted: all.length - open.length };
}

/** Somebody is here whose login somebody has to look at, or whose address nobody should come from. */
function suspect(
  session: LiveSession,
  facts: AddressFacts | undefined,
  visits: readonly Visit[],
  input: SessionInput,
): Finding[] {
  const held = visits.flatMap((visit) => input.against.get(visit) ?? []).filter(isLoud);
  const reasons = [
    ...new Set([...held.map(({ words }) => words), ...(visits.length > 0 ? [] : addressReasons(facts))]),
  ];
  if (reasons.length === 0) return [];
  return [
    {
      code: 'SESSION-LIVE-SUSPECT',
      severity: 'critical',
      fingerprint: fingerprintOf('SESSION-LIVE-SUSPECT', [...samePerson(session, facts)]),
      what: `${sessionWords(session, facts)} is here now: ${reasons.join('; ')}`,
      evidence: {
        ...evidenceOf(session, facts),
        reasons,
        logins: held.map(({ code, fingerprint }) => ({ code, fingerprint })),
      },
      ...endOf(session, input.desk),
    },
  ];
}

/** Of a session that no record of logins has; where one has it, the review of logins has spoken. */
function addressReasons(facts: AddressFacts | undefined): string[] {
  if (facts === undefined || facts.isAllowed) return [];
  const lists = facts.listed.filter(({ what }) => what !== 'country').map(({ source }) => source);
  const isBlocked = facts.isKeptOut || facts.listed.some(({ what }) => what === 'country');
  return [
    ...(lists.length > 0 ? [`its address is listed by ${lists.slice(0, 3).join(', ')}`] : []),
    ...(isBlocked ? [`its country, ${facts.country ?? 'unknown'}, is blocked`] : []),
  ];
}

const HISTORIES: readonly RecordKind[] = ['wtmp', 'wtmpdb'];

/**
 * sshd writes down every session with a terminal before it starts the shell. One that no record has, or that utmp lacks while it is written, was cut
 * out. Nothing is said of those without a terminal, which no such record has, nor of terminals that something else gave (tmux, screen, script).
 */
function withoutRecord(
  session: LiveSession,
  facts: AddressFacts | undefined,
  visits: readonly Visit[],
  input: SessionInput,
): Finding[] {
  const { tty, service, place, records } = session;
  const isGiven = (service === 'sshd' || service === 'dropbear') && tty !== undefined && records.includes('proc');
  // Who sees half of it knows of nothing that it is not there.
  if (!isGiven || place === 'elsewhere' || records.includes('utmp') || input.unread.length > 0) return [];
  const kinds = new Set(visits.flatMap(({ places }) => places.map(({ kind }) => kind)));
  if (kinds.has('utmp')) return [];
  const inHistory = HISTORIES.some((kind) => kinds.has(kind));
  const words = inHistory || records.includes('logind') ? lacking(session, kinds, input) : nowhere(session, input);
  if (words === undefined) return [];
  return [
    {
      code: 'SESSION-NO-RECORD',
      severity: 'high',
      fingerprint: fingerprintOf('SESSION-NO-RECORD', [...samePerson(session, facts)]),
      what: `${sessionWords(session, facts)} is on ${tty}, ${words}`,
      evidence: { ...evidenceOf(session, facts), utmp: input.utmp, told: [...kinds] },
      ...endOf(session, input.desk),
    },
  ];
}

/** Another record has it. wtmp and utmp are written in one go. */
function lacking({ records }: LiveSession, kinds: ReadonlySet<RecordKind>, { utmp }: SessionInput): string | undefined {
  const isWritten = utmp === 'kept' || (utmp === 'unused' && kinds.has('wtmp'));
  if (!isWritten) return undefined;
  const others = [...(records.includes('logind') ? ['logind'] : []), ...HISTORIES.filter((kind) => kinds.has(kind))];
  return `stands in ${others.join(' and ')}, and not in utmp: its record was removed there, and w does not show it`;
}

/** Nothing has it, on a host where something should. */
function nowhere(session: LiveSession, { sessions, spans, utmp }: SessionInput): string | undefined {
  const inLogind = sessions.some(
    (each) => each !== session && each.service === 'sshd' && each.records.includes('logind'),
  );
  if (utmp === 'none' && !inLogind && !spans.has('wtmpdb')) return undefined;
  return 'and stands in no record, neither utmp nor logind nor the history of logins: w and last do not show it';
}

/** The same for the same person from the same place, whatever the hour. */
function samePerson({ user, uid, address, peer }: LiveSession, facts: AddressFacts | undefined) {
  return [user ?? uid ?? null, facts?.country ?? null, networkName(address, undefined) ?? peer ?? null] as const;
}

/** `alice from 203.0.113.7 (de) by sshd`: not escaped. */
function sessionWords({ user, uid, address, peer, service }: LiveSession, facts: AddressFacts | undefined): string {
  const country = facts?.country === undefined ? '' : ` (${facts.country})`;
  return `${user ?? `uid ${uid ?? 'unknown'}`} from ${address ?? peer ?? 'here'}${country} by ${service}`;
}

function evidenceOf(session: LiveSession, facts: AddressFacts | undefined): Record<string, unknown> {
  const { user, uid, address, port, tty, since, monitor, logind, audit, records, processes } = session;
  return {
    user: user ?? null,
    uid: uid ?? null,
    address: address ?? null,
    port: port ?? null,
    country: facts?.country ?? null,
    tty: tty ?? null,
    since: since ?? null,
    pid: monitor?.pid ?? null,
    ticks: monitor?.ticks ?? null,
    logind: logind?.id ?? null,
    scope: logind?.scope ?? null,
    audit: audit ?? null,
    records,
    pids: processes.map(({ pid }) => pid),
  };
}

/** What was not looked at is never clean. */
function unreadFindings({ unread, unreadLogins, asRoot }: SessionInput): Finding[] {
  return [...unread, ...unreadLogins].map(({ name, why, hint }: Unread) => ({
    code: 'SRC-INCOMPLETE',
    severity: 'info',
    fingerprint: fingerprintOf('SRC-INCOMPLETE', [name]),
    what: `${name} could not be looked at: ${why}`,
    evidence: { source: name, why },
    suggest: hint ?? asRoot,
  }));
}
