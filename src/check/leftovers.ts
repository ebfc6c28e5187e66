import type { ProcessRow } from '../host/process-table.js';
import type { Remains } from '../host/remains.js';
import { SAME_MS, type Visit } from '../logins/visit.js';
import { type Finding, fingerprintOf, isLoud } from './finding.js';
import type { Found } from './logins/found.js';
import { isVisitOf } from './logins/live.js';
import type { SessionInput } from './session-input.js';

/** They are there to outlive a session. */
const MULTIPLEXERS: ReadonlySet<string> = new Set(['tmux', 'screen', 'zellij', 'dtach', 'abduco', 'mosh-server']);

/** What somebody left running who has gone: of whom there is a finding, or whose session logind cannot close. */
export function leftovers(input: SessionInput): Finding[] {
  return input.remains.flatMap((remains) => {
    const held = loginsOf(remains, input);
    return held.length === 0 && remains.logind === undefined ? [] : [findingOf(remains, held, input)];
  });
}

/** Findings of the logins whose session it may have been: the oldest that is left of it was started during the login. */
function loginsOf({ uid, logind, since }: Remains, { against, sessions, nameOf }: SessionInput): Found[] {
  const user = (uid === undefined ? undefined : nameOf(uid)) ?? logind?.user;
  const mayBe = (visit: Visit) =>
    visit.user === user &&
    visit.time - SAME_MS <= since &&
    since <= (visit.end ?? Number.POSITIVE_INFINITY) + SAME_MS &&
    (logind?.peer === undefined || visit.address === undefined || logind.peer === visit.address) &&
    !sessions.some((session) => isVisitOf(visit, session));
  return [...against].flatMap(([visit, found]) => (mayBe(visit) ? found.filter(isLoud) : []));
}

function findingOf(remains: Remains, held: readonly Found[], input: SessionInput): Finding {
  const { uid, logind, audit, processes, since } = remains;
  const user = (uid === undefined ? undefined : input.nameOf(uid)) ?? logind?.user ?? `uid ${uid ?? 'unknown'}`;
  const programs = [...new Set(processes.map(({ program, name }) => program ?? name))].sort();
  const words =
    held.length > 0 ? `, of whose login there is: ${[...new Set(held.map((each) => each.words))].join('; ')}` : '';
  const count = processes.length === 1 ? 'a process' : `${processes.length} processes`;
  const pids = processes.map(({ pid }) => pid);
  return {
    code: 'SESSION-LEFTOVER',
    severity: held.length === 0 && isMultiplexed(processes) ? 'low' : 'medium',
    fingerprint: fingerprintOf('SESSION-LEFTOVER', [user, ...programs]),
    what: `${user} has gone and left ${count} (${programs.slice(0, 5).join(', ')})${words}`,
    evidence: {
      user,
      uid: uid ?? null,
      audit: audit ?? null,
      logind: logind?.id ?? null,
      scope: logind?.scope ?? null,
      address: logind?.peer ?? held[0]?.visit?.address ?? null,
      since,
      pids,
      programs,
      logins: held.map(({ code, fingerprint }) => ({ code, fingerprint })),
    },
    ...endOf(remains, pids, input),
  };
}

function endOf(
  { logind }: Remains,
  pids: readonly number[],
  { spared }: SessionInput,
): Pick<Finding, 'suggest' | 'note'> {
  const others = pids.filter((pid) => pid > 1 && !spared.has(pid));
  if (others.length < pids.length) {
    const note = 'your own session is among them: it is not ended from here';
    return { suggest: `ps -o pid,ppid,user,lstart,args -p ${pids.join(',')}`, note };
  }
  const note = `look first: ps -o pid,ppid,user,lstart,args -p ${pids.join(',')}`;
  // What logind is closing it does not terminate: it says nothing and does nothing (systemd 252).
  if (logind?.scope !== undefined) return { suggest: `sudo systemctl stop ${logind.scope}`, note };
  return { suggest: `sudo kill -TERM ${pids.join(' ')}`, note };
}

/** Whether all of it is a multiplexer, or came of one. */
function isMultiplexed(processes: readonly ProcessRow[]): boolean {
  const pids = new Set(processes.map(({ pid }) => pid));
  return processes.every(({ parent, program }) => pids.has(parent) || MULTIPLEXERS.has(program ?? ''));
}
