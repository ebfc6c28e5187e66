import { type Finding, fingerprintOf } from './finding.js';
import type { SessionInput } from './session-input.js';
import { suspicionOf } from './suspicion.js';

/** What persons run, or left running, that is not what it looks like. One that only was not restarted after an upgrade is left out: it is no person's. */
export function processFindings({ sessions, remains, detailsOf, nameOf, spared }: SessionInput): Finding[] {
  const here = sessions.filter(({ place }) => place === 'here');
  const rows = new Set([...here, ...remains].flatMap(({ processes }) => processes));
  return [...rows].flatMap((row): Finding[] => {
    const details = detailsOf(row);
    const suspicion = details === undefined ? undefined : suspicionOf(details);
    if (details === undefined || suspicion === undefined || suspicion.severity === 'low') return [];
    const { pid, uid, executable, commandLine } = details;
    const path = executable?.path ?? '';
    const id = row.loginUid ?? uid;
    const user = (id === undefined ? undefined : nameOf(id)) ?? `uid ${id ?? 'unknown'}`;
    const isSpared = spared.has(pid) || pid <= 1;
    return [
      {
        code: suspicion.code,
        severity: suspicion.severity,
        fingerprint: fingerprintOf(suspicion.code, ['session', user, path]),
        what: `in a session of ${user}, ${path} (${pid}) ${suspicion.words}`,
        evidence: {
          pid,
          user,
          uid: uid ?? null,
          executable: path,
          state: executable?.state ?? null,
          commandLine,
          audit: row.audit ?? null,
          unit: row.unit?.name ?? null,
        },
        suggest: isSpared ? `ls -l /proc/${pid}/exe` : `sudo kill -STOP ${pid}`,
        note: isSpared
          ? 'you came in through it'
          : 'it stands still and stays there to be looked at; kill -CONT lets it go on',
      },
    ];
  });
}
