import type { LogindSession } from './logind.js';
import type { ProcessRow, ProcessTable } from './process-table.js';
import { belonging, type LiveSession } from './sessions.js';

/** What runs on of a session whose person has gone. */
export interface Remains {
  readonly uid: number | undefined;
  /** undefined: logind does not know of it */
  readonly logind: LogindSession | undefined;
  readonly audit: number | undefined;
  /** of the oldest that is left, milliseconds since 1970 */
  readonly since: number;
  /** ascending; at least one */
  readonly processes: readonly ProcessRow[];
}

/** They have a number of audit, too, and nobody came in: jobs of cron and at, and the manager of a user with all that it runs. */
const NO_SESSIONS = /^(?:cron|crond|cronie|atd|anacron)\.service$|^user@/;

/** By the sessions that logind is closing, and by the numbers of audit that nobody has who is here. */
export function remainsOf(
  table: ProcessTable,
  logind: readonly LogindSession[],
  live: readonly LiveSession[],
): Remains[] {
  const taken = new Set(live.flatMap(({ processes }) => processes));
  const closing = logind
    .filter(({ state }) => state === 'closing')
    .flatMap((session) => {
      const left = belonging(table, session.audit, session.scope).filter((each) => !taken.has(each));
      for (const each of left) taken.add(each);
      return remains(left, session.uid, session.audit, session);
    });
  const byAudit = new Map<number, ProcessRow[]>();
  for (const row of table.rows.values()) {
    if (row.audit === undefined || taken.has(row) || isNoSession(row)) continue;
    byAudit.set(row.audit, [...(byAudit.get(row.audit) ?? []), row]);
  }
  const others = [...byAudit].flatMap(([audit, rows]) => remains(rows, rows[0]?.loginUid, audit, undefined));
  return [...closing, ...others];
}

function isNoSession({ unit }: ProcessRow): boolean {
  return unit !== undefined && (unit.user !== undefined || NO_SESSIONS.test(unit.name));
}

function remains(
  rows: readonly ProcessRow[],
  uid: number | undefined,
  audit: number | undefined,
  logind: LogindSession | undefined,
): Remains[] {
  if (rows.length === 0) return [];
  const processes = [...rows].sort((a, b) => a.pid - b.pid);
  return [{ uid, logind, audit, since: Math.min(...rows.map(({ start }) => start)), processes }];
}
